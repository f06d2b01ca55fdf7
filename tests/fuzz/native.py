"""The C core as a shared library, called through ctypes: what the differential fuzzers compare."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint8
from ctypes import c_uint32, c_void_p
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("message", c_char * 256)]


class WordPieceOptions(ctypes.Structure):
    _fields_ = [
        ("lowercase", c_bool),
        ("strip_accents", c_int),
        ("split_chinese", c_bool),
        ("unk_token", c_char_p),
        ("cls_token", c_char_p),
        ("sep_token", c_char_p),
        ("pad_token", c_char_p),
        ("mask_token", c_char_p),
        ("added_tokens", c_char_p),
        ("added_flags", c_char_p),
        ("added_count", c_size_t),
    ]


class SentencePieceOptions(ctypes.Structure):
    _fields_ = [("id_offset", c_int32), ("unk_id", c_int32)]


class EncodeOptions(ctypes.Structure):
    _fields_ = [
        ("add_special_tokens", c_bool),
        ("special_tokens_as_text", c_bool),
        ("max_length", c_size_t),
        ("want_offsets", c_bool),
    ]


class Encoding(ctypes.Structure):
    _fields_ = [
        ("ids", POINTER(c_int32)),
        ("offsets", POINTER(c_uint32)),
        ("length", c_size_t),
        ("truncated", c_bool),
    ]


class GyeotError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


def build() -> ctypes.CDLL:
    """Compiles src/ when it has changed. GYEOT_NATIVE names a library that is built already."""
    given = os.environ.get("GYEOT_NATIVE")
    if given:
        return ctypes.CDLL(given)
    library = Path(tempfile.gettempdir()) / f"gyeot-native-{os.getuid()}.so"
    sources = sorted((ROOT / "src").glob("*.c"))
    newest = max(path.stat().st_mtime for path in (ROOT / "src").iterdir())
    if not library.exists() or library.stat().st_mtime < newest:
        fresh = library.with_suffix(f".{os.getpid()}.so")
        command = [
            os.environ.get("CC", "cc"),
            "-std=c11",
            "-O2",
            "-shared",
            "-fPIC",
            "-o",
            str(fresh),
        ]
        subprocess.run([*command, *map(str, sources), "-lm"], check=True)
        fresh.replace(library)
    return ctypes.CDLL(str(library))


_library = build()
_library.gyeot_tokenizer_size.restype = c_size_t
_library.gyeot_tokenizer_piece.restype = POINTER(c_uint8)
_library.gyeot_tokenizer_id.restype = c_int32


class Tokenizer:
    """A loaded tokenizer; made by the three class methods."""

    def __init__(self, handle: c_void_p) -> None:
        self._handle = handle
        view = c_void_p()
        _library.gyeot_encoding_new(None, byref(view))
        self._encoding = ctypes.cast(view, POINTER(Encoding))

    @staticmethod
    def _load(name: str, data: bytes, *options: object) -> Tokenizer:
        handle, error = c_void_p(), Error()
        status = getattr(_library, name)(
            data, c_size_t(len(data)), *options, None, byref(handle), byref(error)
        )
        if status:
            raise GyeotError(status, error.message.decode())
        return Tokenizer(handle)

    @classmethod
    def from_vocab(
        cls, data: bytes, lowercase: bool, strip_accents: int = -1, split_chinese: bool = True
    ) -> Tokenizer:
        options = WordPieceOptions(lowercase, strip_accents, split_chinese)
        return cls._load("gyeot_tokenizer_load_vocab", data, byref(options))

    @classmethod
    def from_json(cls, data: bytes) -> Tokenizer:
        return cls._load("gyeot_tokenizer_load_json", data)

    @classmethod
    def from_sentencepiece(cls, data: bytes, id_offset: int = 0, unk_id: int = -1) -> Tokenizer:
        options = SentencePieceOptions(id_offset, unk_id)
        return cls._load("gyeot_tokenizer_load_sentencepiece", data, byref(options))

    def close(self) -> None:
        _library.gyeot_encoding_free(self._encoding)
        _library.gyeot_tokenizer_free(self._handle)

    def encode(
        self,
        text: str | bytes,
        add_special_tokens: bool = True,
        special_tokens_as_text: bool = False,
        max_length: int = 0,
    ) -> tuple[list[int], list[tuple[int, int]], bool]:
        """Ids, byte offsets, and whether they were truncated."""
        data = text if isinstance(text, bytes) else text.encode()
        options = EncodeOptions(add_special_tokens, special_tokens_as_text, max_length, True)
        status = _library.gyeot_tokenizer_encode(
            self._handle, data, c_size_t(len(data)), byref(options), self._encoding
        )
        if status:
            raise GyeotError(status, "encode")
        view = self._encoding.contents
        flat = view.offsets[: 2 * view.length] if view.length else []
        return view.ids[: view.length], list(zip(flat[::2], flat[1::2])), view.truncated

    def decode(self, ids: list[int], skip_special_tokens: bool = False) -> str:
        array = (c_int32 * max(1, len(ids)))(*ids)
        text, size = c_void_p(), c_size_t()
        status = _library.gyeot_tokenizer_decode(
            self._handle,
            array,
            c_size_t(len(ids)),
            c_bool(skip_special_tokens),
            byref(text),
            byref(size),
        )
        if status:
            raise GyeotError(status, "decode")
        result = ctypes.string_at(text, size.value)
        _library.gyeot_text_free(self._handle, text)
        return result.decode("utf-8", "replace")

    def piece(self, id_: int) -> bytes | None:
        size = c_size_t()
        pointer = _library.gyeot_tokenizer_piece(self._handle, c_int32(id_), byref(size))
        return ctypes.string_at(pointer, size.value) if pointer else None

    def id(self, piece: str) -> int:
        data = piece.encode()
        return _library.gyeot_tokenizer_id(self._handle, data, c_size_t(len(data)))

    @property
    def size(self) -> int:
        return _library.gyeot_tokenizer_size(self._handle)


Encoded = tuple[list[int], list[tuple[int, int]]]


def describe(where: str, text: str, wanted: Encoded, got: Encoded) -> str:
    """The beginnings of two encodings that differ."""
    lines = [f"{where}: {text[:300]!r}"]
    for name, want, have in zip(("ids", "offsets"), wanted, got):
        if want != have:
            lines += [f"  {name} wanted {want[:40]}", f"  {name} got    {have[:40]}"]
    return "\n".join(lines)


def byte_offsets(text: str, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Character offsets of `text` as byte offsets of its UTF-8."""
    if text.isascii():
        return pairs
    starts, at = [], 0
    for char in text:
        starts.append(at)
        at += len(char.encode())
    starts.append(at)
    return [(starts[begin], starts[end]) for begin, end in pairs]
