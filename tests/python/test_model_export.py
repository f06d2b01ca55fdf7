"""model.export on checkpoints of every layout, with random weights made here."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from model import checkpoint, export, parity
from model.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
SMALL = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96)
WORDS = ["오늘", "기분", "이", "좋아", "요", "##이", "##요", "나", "너", "hello", "world", "!", ".", "?"]
TEXTS = ["오늘 기분이 좋아요!", "나", "hello world 오늘", "너 좋아 좋아 좋아?", "모르는 말", "..."] * 3
SPM = ROOT / "tests/data/sentencepiece/unigram-nmt_nfkc.model"


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(5)


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def wordpiece(folder: Path, vocabulary: int = 40) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    words += [f"[unused{i}]" for i in range(vocabulary - len(words))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    write(folder / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 32,
    })


def sentence_modules(folder: Path, width: int, pooling: str = "mean", extra: tuple = ()) -> None:
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), *extra]
    write(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ])
    write(folder / "1_Pooling/config.json", {
        "word_embedding_dimension": width,
        **{flag: mode == pooling for flag, mode in checkpoint.POOLINGS.items()},
    })


def bert(folder: Path, **changes) -> None:
    config = transformers.BertConfig(
        **{**SMALL, "vocab_size": 40, "max_position_embeddings": 64, **changes}
    )
    transformers.BertModel(config).save_pretrained(folder)
    wordpiece(folder)


def as_bin(folder: Path) -> None:
    """The same weights as PyTorch saved them before safetensors."""
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def made(source: Path, out: Path, **options) -> dict:
    """Exports; export itself checks the f32 graph against sentence-transformers."""
    manifest = export.export(source, out, texts=TEXTS, say=lambda text: None, **options)
    recorded = json.loads((out / "parity.json").read_text(encoding="utf-8"))
    vectors = parity.run(
        out / manifest["encoder"]["file"], recorded["ids"], manifest["pooling"],
        manifest["dimension"], manifest["normalize"],
    )
    cosine = parity.cosines(vectors, np.array(recorded["vectors"], np.float32))
    assert cosine.min() > 0.98, cosine
    assert len(manifest["fingerprint"]) == 64
    listed = {entry["path"] for entry in manifest["files"]}
    assert {manifest["encoder"]["file"], *manifest["tokenizer"]["files"]} <= listed
    return manifest


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_sqrt_len"])
def test_bert_with_each_pooling(tmp_path: Path, pooling: str) -> None:
    bert(tmp_path / "a")
    sentence_modules(tmp_path / "a", 48, pooling, (("Normalize", "2_Normalize"),))
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert manifest["pooling"] == pooling
    assert manifest["normalize"] is True
    assert manifest["tokenizer"]["type"] == "wordpiece"
    assert manifest["max_length"] == 32


def test_plain_folder_with_bin_weights(tmp_path: Path) -> None:
    bert(tmp_path / "a")
    as_bin(tmp_path / "a")
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert (manifest["pooling"], manifest["normalize"]) == ("mean", False)


def test_roberta_with_wordpiece_in_full_size(tmp_path: Path) -> None:
    config = transformers.RobertaConfig(
        vocab_size=32000, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
        intermediate_size=3072, max_position_embeddings=514, type_vocab_size=1, pad_token_id=0,
    )
    config.pad_token_id = 1
    transformers.RobertaModel(config).save_pretrained(tmp_path / "a")
    wordpiece(tmp_path / "a", 32000)
    vocabulary = (tmp_path / "a/vocab.txt").read_text(encoding="utf-8").split("\n")
    # klue/roberta-base: [CLS] 0, [PAD] 1, [SEP] 2, [UNK] 3.
    vocabulary[:4] = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
    (tmp_path / "a/vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    write(tmp_path / "a/sentence_bert_config.json", {"max_seq_length": 128, "do_lower_case": False})
    sentence_modules(tmp_path / "a", 768)
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert (manifest["dimension"], manifest["max_length"]) == (768, 128)
    assert manifest["tokenizer"]["pad_id"] == 1


def test_xlm_roberta_with_sentencepiece(tmp_path: Path) -> None:
    import sentencepiece

    size = sentencepiece.SentencePieceProcessor(model_file=str(SPM)).get_piece_size() + 2
    config = transformers.XLMRobertaConfig(
        **SMALL, vocab_size=size, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1
    )
    transformers.XLMRobertaModel(config).save_pretrained(tmp_path / "a")
    (tmp_path / "a/sentencepiece.bpe.model").write_bytes(SPM.read_bytes())
    write(tmp_path / "a/tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer"})
    write(tmp_path / "a/config_sentence_transformers.json", {
        "prompts": {"query": "query: ", "passage": "passage: "},
    })
    sentence_modules(tmp_path / "a", 48, "mean", (("Normalize", "2_Normalize"),))
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert manifest["prompts"] == {"query": "query: ", "document": "passage: "}
    assert manifest["tokenizer"]["id_offset"] == 1
    assert manifest["max_length"] == 64


def test_mpnet_is_traced(tmp_path: Path) -> None:
    config = transformers.MPNetConfig(**SMALL, vocab_size=44, max_position_embeddings=66)
    transformers.MPNetModel(config).save_pretrained(tmp_path / "a")
    wordpiece(tmp_path / "a")
    made(tmp_path / "a", tmp_path / "out")


def test_tokenizer_json_only(tmp_path: Path) -> None:
    bert(tmp_path / "a")
    transformers.AutoTokenizer.from_pretrained(tmp_path / "a").save_pretrained(tmp_path / "a")
    (tmp_path / "a/vocab.txt").unlink(missing_ok=True)
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert manifest["tokenizer"]["type"] == "tokenizer.json"


def test_dense_layers_are_in_the_graph(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    bert(tmp_path / "a")
    extra = (("Dense", "2_Dense"), ("Normalize", "3_Normalize"))
    sentence_modules(tmp_path / "a", 48, "max", extra)
    write(tmp_path / "a/2_Dense/config.json", {
        "in_features": 48, "out_features": 20, "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    })
    save_file(
        {"linear.weight": torch.randn(20, 48) / 7, "linear.bias": torch.randn(20) / 7},
        tmp_path / "a/2_Dense/model.safetensors",
    )
    manifest = made(tmp_path / "a", tmp_path / "out")
    assert manifest["dimension"] == 20
    assert manifest["encoder"]["output"] == "sentence_embedding"


def test_dimension_is_cut_and_normalised(tmp_path: Path) -> None:
    bert(tmp_path / "a")
    manifest = made(tmp_path / "a", tmp_path / "out", dimension=16)
    assert (manifest["dimension"], manifest["normalize"]) == (16, True)
    recorded = json.loads((tmp_path / "out/parity.json").read_text())
    assert np.linalg.norm(recorded["vectors"], axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("change", "message"), [
    (lambda a: (a / "config.json").unlink(), "config.json is missing"),
    (lambda a: (a / "model.safetensors").unlink(), "has no weights"),
    (lambda a: write(a / "config.json", {
        "model_type": "bert", "architectures": ["BertForSequenceClassification"]}), "cross-encoder"),
    (lambda a: write(a / "config.json", {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}), "a decoder"),
    (lambda a: write(a / "config.json", {
        "model_type": "t5", "is_encoder_decoder": True}), "encoder with a decoder"),
    (lambda a: (a / "config.json").write_text("<html>"), "is not JSON"),
    (lambda a: sentence_modules(a, 48, extra=(("LSTM", "2_LSTM"),)), "LSTM"),
    (lambda a: sentence_modules(a, 48, "none"), "turns on nothing"),
    (lambda a: (a / "vocab.txt").unlink(), "tokenizer"),
])
def test_what_cannot_be_used_is_named(tmp_path: Path, capsys, change, message: str) -> None:
    bert(tmp_path / "a")
    change(tmp_path / "a")
    capsys.readouterr()
    assert export.main([str(tmp_path / "a"), "--out", str(tmp_path / "out")]) == 2
    # transformers' own progress may come before.
    last = capsys.readouterr().err.rstrip("\n").split("\n")[-1]
    assert last.startswith("model.export: ") and message in last


def test_dimension_outside_the_vector(tmp_path: Path) -> None:
    bert(tmp_path / "a")
    with pytest.raises(ModelError, match="48 dimensions"):
        export.export(tmp_path / "a", tmp_path / "out", dimension=49)
