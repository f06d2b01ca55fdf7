"""SentencePiece models of every kind, trained on generated text, for golden tables and fuzzing."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import sentencepiece
from hostile import EMOJI, KOREAN, LATIN, Hostile
from sentencepiece import sentencepiece_model_pb2 as proto

SYMBOLS = ["괜찮", "괜찮아", "ㅋㅋ", "<url>", "a b", " - ", "▁고마", "😂", "é", "e\u0301"]
RULES = [  # from, to: code points in hexadecimal, as normalization_rule_tsv has them
    ("1F602", "1160 1161"), ("3160", "315C"), ("61 62", "63"), ("61 62 63", "78 20 79"), ("200B", ""),
    ("3000", "20"), ("FFFD", "20"), ("AC00", "20 AC00"), ("2E", "20 20"),
]
Edit = Callable[[proto.ModelProto], None]


def corpus(lines: int, seed: int) -> list[str]:
    """Sentences in which words, jamo, emoji and spaces repeat often enough to become pieces."""
    rng = random.Random(seed)
    words = KOREAN + LATIN + KOREAN + EMOJI[:4] + ["ㅋㅋㅋ", "ㅠㅠ", "aaaa", "ab abab", "  ", "."]
    plain = [" ".join(rng.choice(words) for _ in range(rng.randint(1, 9))) for _ in range(lines)]
    return plain + [line for line in Hostile(seed).lines(lines // 8) if len(line) < 200]


def train(edit: Edit | None = None, **options: object) -> bytes:
    settings: dict[str, object] = {
        "vocab_size": 1600, "model_type": "unigram", "hard_vocab_limit": False, "num_threads": 1,
        "character_coverage": 0.98, "minloglevel": 2, "max_sentence_length": 100_000,
    }
    settings.update(options)
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus(1200, 7)), model_writer=writer, **settings)
    model = proto.ModelProto.FromString(writer.getvalue())
    # The rules are in the character map; the temporary file's name would differ each time.
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    if edit is not None:
        edit(model)
    return model.SerializeToString(deterministic=True)


def mark_unused(model: proto.ModelProto) -> None:
    """Every fifth piece is not to be used."""
    for i, piece in enumerate(model.pieces):
        if piece.type == piece.NORMAL and i % 5 == 0:
            piece.type = piece.UNUSED


def round_scores(model: proto.ModelProto) -> None:
    """Ties everywhere."""
    for piece in model.pieces:
        piece.score = float(round(piece.score / 3))


def keep_spaces(model: proto.ModelProto) -> None:
    model.normalizer_spec.escape_whitespaces = False
    for piece in model.pieces:
        piece.piece = piece.piece.replace("▁", " ")


def own_unknown(model: proto.ModelProto) -> None:
    """The unknown piece last, under another name, with its own surface."""
    first = model.pieces[0].piece
    model.pieces[0].piece, model.pieces[0].type = "first", model.pieces[0].NORMAL
    last = model.pieces[-1]
    last.piece, last.type, last.score = f"{first}?", last.UNKNOWN, 0.0
    model.trainer_spec.unk_surface = "�"


def rule_file(path: str) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{source}\t{target}\n" for source, target in RULES)
    return path


def all_models(folder: str) -> dict[str, bytes]:
    """Name to model. `folder` takes the rule file."""
    bpe = {"model_type": "bpe"}
    return {
        "unigram-nmt_nfkc": train(),
        "unigram-identity": train(
            normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False),
        "unigram-nfkc_cf-suffix": train(
            normalization_rule_name="nfkc_cf", treat_whitespace_as_suffix=True),
        "unigram-nfkc-bytes": train(
            normalization_rule_name="nfkc", byte_fallback=True),
        "unigram-nmt_nfkc_cf-symbols": train(
            normalization_rule_name="nmt_nfkc_cf", user_defined_symbols=SYMBOLS,
            control_symbols=["<c>"]),
        "unigram-rules": train(normalization_rule_tsv=rule_file(f"{folder}/rules.tsv")),
        "unigram-unused": train(mark_unused, normalization_rule_name="identity"),
        "unigram-ties": train(round_scores, normalization_rule_name="identity",
                              user_defined_symbols=SYMBOLS),
        "unigram-no-escape": train(keep_spaces, normalization_rule_name="identity",
                                   split_by_whitespace=False),
        "unigram-own-unknown": train(own_unknown, normalization_rule_name="identity"),
        "bpe-rules-bytes": train(**bpe, normalization_rule_tsv=rule_file(f"{folder}/rules.tsv"),
                                 byte_fallback=True),
        "bpe-identity-symbols": train(
            **bpe, normalization_rule_name="identity", user_defined_symbols=SYMBOLS,
            remove_extra_whitespaces=False),
        "bpe-unused": train(mark_unused, **bpe, normalization_rule_name="identity"),
        "bpe-ties": train(round_scores, **bpe, normalization_rule_name="identity"),
        "word-identity": train(model_type="word", normalization_rule_name="identity"),
        "word-suffix": train(model_type="word", normalization_rule_name="identity",
                             treat_whitespace_as_suffix=True),
        "char-symbols": train(model_type="char", normalization_rule_name="identity",
                              user_defined_symbols=SYMBOLS),
        "char-bytes": train(model_type="char", normalization_rule_name="identity", byte_fallback=True),
    }
