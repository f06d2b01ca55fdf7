"""model.train for real, at small scale: a tiny model, a few dozen rows, data written here."""
from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from model import average, datasets, evaluate, objectives, train
from model.errors import ModelError

WORDS = ["오늘", "내일", "기분", "날씨", "밥", "친구", "회사", "학교", "좋다", "싫다", "춥다", "덥다"]


def sentence(seed: int) -> str:
    pick = np.random.default_rng(seed)
    return " ".join(pick.choice(WORDS, 4))


@pytest.fixture()
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets in the public ones' own formats."""
    folder = tmp_path / "data"
    for name in ("korsts", "kornli", "question_pair", "chatbot"):
        (folder / name).mkdir(parents=True)
    for split in ("train", "dev"):
        rows = ["genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2"]
        rows += [f"a\tb\tc\t{i}\t{i % 6}.0\t{sentence(i)}\t{sentence(i + i % 3)}" for i in range(40)]
        (folder / f"korsts/sts-{split}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for split in ("dev", "test"):
        rows = ["sentence1\tsentence2\tgold_label"]
        for i in range(20):
            rows += [f"{sentence(i)}\t{sentence(i + n)}\t{label}"
                     for n, label in enumerate(("entailment", "contradiction", "neutral"), 1)]
        (folder / f"kornli/xnli.{split}.ko.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for name, start in (("kor_pair_train.csv", 0), ("kor_Pair_test.csv", 500)):
        with (folder / "question_pair" / name).open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["test_id", "question1", "question2", "is_duplicate"])
            for i in range(start, start + 24):
                out.writerow([i, sentence(2 * i), sentence(2 * i + 1), i % 2])
    with (folder / "chatbot/ChatbotData.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Q", "A", "label"])
        for i in range(2000, 2080):
            out.writerow([sentence(i), f"답 {i // 4}", 0])
    monkeypatch.setenv("GYEOT_DATA", str(folder))
    return folder


@pytest.fixture()
def start(tmp_path: Path) -> Path:
    """A BERT of two layers that sentence-transformers loads."""
    torch.manual_seed(3)
    folder = tmp_path / "start"
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": False})
    )
    return folder


def recipe(tmp_path: Path, start: Path, **changes) -> Path:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({
        "checkpoint": str(start), "out": str(tmp_path / "out"), "seed": 1, "epochs": 1, "batch": 8,
        "learning_rate": 1e-3, **changes,
    }))
    return path


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def test_multitask_recipe_trains(tmp_path: Path, data: Path, start: Path) -> None:
    path = recipe(tmp_path, start, kind="multitask", warmup_steps=2, eval_steps=2, max_length=16)
    out = train.run(path)
    assert any(
        not np.allclose(value, weights(out)[name]) for name, value in weights(start).items()
        if name in weights(out)
    )
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in card and "KorSTS dev, Spearman" in card


MIXED = dict(
    kind="mixed", members=2, scale=20, pairs=4, triplets=4, distilled=8, save_steps=2, average=0.5,
    weights={"similarity": 1.0, "contrast": 0.5, "graded": 0.5, "likeness": 3.0, "place": 2.0},
)


def test_mixed_recipe_trains_and_averages(tmp_path: Path, data: Path, start: Path) -> None:
    out = train.run(recipe(tmp_path, start, **MIXED))
    name = "encoder.layer.0.output.dense.weight"
    first, last, mean = (weights(folder)[name] for folder in (start, out / "last", out))
    assert not np.allclose(first, last)
    assert np.allclose(mean, (first + last) / 2, atol=1e-6)
    assert "songys" in (out / "README.md").read_text(encoding="utf-8")


def test_mixed_recipe_goes_on_after_an_interruption(
    tmp_path: Path, data: Path, start: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from model import train_mixed

    path = recipe(tmp_path, start, **MIXED)
    learn = train_mixed.Trainer._learn_in_turn

    def stop(self) -> float:
        if self.step == 3:
            raise KeyboardInterrupt
        return learn(self)

    monkeypatch.setattr(train_mixed.Trainer, "_learn_in_turn", stop)
    with pytest.raises(KeyboardInterrupt):
        train.run(path)
    monkeypatch.setattr(train_mixed.Trainer, "_learn_in_turn", learn)
    train.run(path)
    assert "Going on after step 2 of 5" in capsys.readouterr().out


def test_encoders_side_by_side_learn_as_each_would_alone(data: Path, start: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from model.stack import AdamW, Stack

    alone = SentenceTransformer(str(start), device="cpu").eval()
    stack = Stack(start, 2, torch.device("cpu"))
    features = alone.preprocess(["오늘 기분", "내일 날씨 좋다 춥다"])
    ids, real = (features[name].expand(2, -1, -1) for name in ("input_ids", "attention_mask"))
    wanted = torch.randn(2, 2, 32, generator=torch.manual_seed(4))
    mine = AdamW(stack, stack.columns(lambda *_: 1e-2), stack.columns(lambda *_: 0.1), 1.0)
    inner = {n: p for n, p in alone[0].auto_model.named_parameters() if not n.startswith("pooler.")}
    theirs = torch.optim.AdamW(inner.values(), lr=1e-2, weight_decay=0.1)
    for step in range(3):
        vectors = stack.vectors(ids, real.bool())
        pooled = torch.nn.functional.normalize(alone(dict(features))["sentence_embedding"], dim=1)
        torch.testing.assert_close(vectors[1], pooled, atol=1e-4, rtol=0)
        (vectors * wanted).sum().backward()
        mine.step(step + 1, 1.0)
        (pooled * wanted[1]).sum().backward()
        torch.nn.utils.clip_grad_norm_(inner.values(), 1.0)
        theirs.step()
        theirs.zero_grad()
    assert not torch.allclose(stack.flat[0], stack.flat[1], atol=1e-3)


def test_nothing_that_evaluation_uses_is_trained_on(data: Path) -> None:
    from model.train_mixed import Material

    material = Material()
    held = {text for group in datasets.same_answer("test") for text in group}
    held |= {text for group in datasets.paraphrases("test") for text in group}
    for rows in (datasets.question_pairs("test"), datasets.graded("test"), datasets.korsts("dev")):
        held |= {text for row in rows for text in row[:2]}
    trained = {text for group in [*material.groups, *material.paraphrases] for text in group}
    trained |= {text for row in [*material.duplicates, *material.graded] for text in row[:2]}
    assert trained and not trained & held


def test_cosent_is_less_when_the_order_is_right() -> None:
    wanted = torch.tensor([0.0, 2.0, 5.0])
    right = objectives.cosent(torch.tensor([0.1, 0.4, 0.9]), wanted, 20)
    wrong = objectives.cosent(torch.tensor([0.9, 0.4, 0.1]), wanted, 20)
    assert right < 0.01 < 10 < wrong


def test_distillation_losses_vanish_at_the_teacher() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(6, 8, generator=torch.manual_seed(1)), dim=1)
    assert objectives.likeness(vectors, vectors) == pytest.approx(0, abs=1e-5)
    assert objectives.place(vectors, vectors) == pytest.approx(0, abs=1e-5)
    assert objectives.contrast(vectors, vectors, 100) < 0.1


def test_average_refuses_other_shapes(tmp_path: Path, start: Path) -> None:
    from safetensors.numpy import save_file

    other = tmp_path / "other"
    other.mkdir()
    save_file({"a": np.zeros(3, np.float32)}, other / "model.safetensors")
    with pytest.raises(ModelError, match="other weights"):
        average.average(tmp_path / "mean", [(start, 0.5), (other, 0.5)])


@pytest.mark.parametrize(("text", "message"), [
    ("{", "cannot be read"),
    ("{}", "lacks kind, checkpoint"),
    ('{"kind": "x", "checkpoint": ".", "out": ".", "seed": 1, "epochs": 1, "batch": 1, '
     '"learning_rate": 1}', "are known"),
    ('{"kind": "mixed", "checkpoint": "nowhere", "out": ".", "seed": 1, "epochs": 1, "batch": 1, '
     '"learning_rate": 1}', "is no folder"),
])
def test_wrong_recipes_are_named(tmp_path: Path, capsys, text: str, message: str) -> None:
    (tmp_path / "recipe.json").write_text(text)
    assert train.main([str(tmp_path / "recipe.json")]) == 2
    assert message in capsys.readouterr().err
