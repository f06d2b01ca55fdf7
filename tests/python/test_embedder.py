"""model.embedder against the built command: the same ids, the same vectors."""
from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import torch
import transformers
from test_model_export import TEXTS, bert, made, sentence_modules
from test_model_export import test_xlm_roberta_with_sentencepiece as make_xlm_roberta

from model import manifest
from model.embedder import Embedder, ModelFiles
from model.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "dist/command.js"
DEFAULT = ROOT / "model/default"
TRICKY = [
    "", " ", "  오늘   기분 ", "<s> 나 </s> <unk> <pad>", "[CLS] 너 [MASK] [PAD]", "\u1102\u1161 각",
    "ﬁ①㈜",
    "👩‍👩‍👧 🫠", "Hello WORLD é E\u0301", "좋아 " * 90, "中文 日本語", "탭\t줄\n끝",
]


def command(model: Path, name: str, texts: list[str], *options: str) -> list[list]:
    """What `gyeot tokenize` or `gyeot embed` prints for the texts."""
    said = subprocess.run(
        ["node", str(COMMAND), name, "--model", str(model), *options],
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True, text=True, check=True, timeout=600,
    )
    return [json.loads(line) for line in said.stdout.splitlines()]


def vectors_of(model: Path, texts: list[str], *options: str) -> np.ndarray:
    return np.array(command(model, "embed", texts, *options), np.float32)


def wordpiece_folder(folder: Path) -> Path:
    bert(folder / "a")
    sentence_modules(folder / "a", 48, "mean", (("Normalize", "2_Normalize"),))
    made(folder / "a", folder / "out")
    return folder / "out"


def renamed_folder(folder: Path) -> Path:
    """WordPiece whose special tokens go by other names."""
    out = wordpiece_folder(folder)
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>"}
    words = (out / "vocab.txt").read_text(encoding="utf-8").split("\n")
    words = [names.get(word, word) for word in words]
    (out / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    config = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8"))
    config |= {"cls_token": "<s>", "sep_token": {"content": "</s>"}, "unk_token": "<unk>"}
    (out / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return out


def sentencepiece_folder(folder: Path) -> Path:
    make_xlm_roberta(folder)
    return folder / "out"


def tokenizer_json_folder(folder: Path) -> Path:
    bert(folder / "a")
    transformers.AutoTokenizer.from_pretrained(folder / "a").save_pretrained(folder / "a")
    (folder / "a/vocab.txt").unlink(missing_ok=True)
    made(folder / "a", folder / "out")
    return folder / "out"


def with_f32(folder: Path) -> Path:
    """The folder with its f32 encoder in the int8 one's place."""
    described = json.loads((folder / "gyeot.json").read_text(encoding="utf-8"))
    described["encoder"]["file"] = "onnx/model.onnx"
    manifest.write(folder, described)
    return folder


@pytest.mark.parametrize("make", [
    wordpiece_folder, renamed_folder, sentencepiece_folder, tokenizer_json_folder,
])
def test_f32_folders_give_the_commands_ids_and_vectors(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    torch.manual_seed(5)
    folder = with_f32(make(tmp_path))
    embedder = Embedder(ModelFiles.read(folder))
    length = embedder.manifest["max_length"]
    texts = [*dict.fromkeys(TEXTS), *TRICKY]
    for kind, options in (("query", ()), ("document", ("--document",))):
        ours, theirs = embedder.embed(texts, kind), vectors_of(folder, texts, *options)
        worst = np.abs(ours - theirs).max()
        print(f"{kind}: no number further than {worst:.1e}")
        assert worst < 1e-5, texts[np.abs(ours - theirs).max(axis=1).argmax()]
    plain = [normalize("NFC", text) for text in texts if "[" not in text and "<" not in text]
    prompt = embedder.manifest["prompts"]["query"]
    for text, ids in zip(plain, command(folder, "tokenize", [prompt + text for text in plain])):
        if len(ids) <= length:
            assert embedder.ids(text, "query") == ids, text


def test_default_model_is_as_near_as_int8_can_be() -> None:
    sentences = (ROOT / "model/parity_sentences.txt").read_text(encoding="utf-8").splitlines()[:60]
    texts = [*sentences, *TRICKY]
    ours = Embedder(ModelFiles.read(DEFAULT)).embed(texts, "query")
    theirs = vectors_of(DEFAULT, texts)
    cosines = (ours * theirs).sum(axis=1)
    print(f"cosine {cosines.mean():.5f} on average, {cosines.min():.5f} at worst")
    assert cosines.mean() > 0.999
    assert cosines.min() > 0.99, texts[cosines.argmin()]


def test_a_text_twice_is_run_once_and_company_changes_nothing() -> None:
    embedder = Embedder(ModelFiles.read(DEFAULT))
    together = embedder.embed(["잠이 안 와요", "안녕", "잠이 안 와요"])
    assert np.array_equal(together[0], together[2])
    assert np.array_equal(together[1], embedder.embed(["안녕"])[0])
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_folder_that_is_not_whole_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no complete model folder"):
        ModelFiles.read(tmp_path)
