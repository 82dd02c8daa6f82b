"""Unpacks gzip and zstd as they stream, in bounded pieces: a small input that grows without end fills no memory.

A file may be several compressed ones on end: so eStargz and zstd:chunked layers are made.
Sources: RFC 1952 (gzip), RFC 8878 (zstd).
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol as Shape

from backends.model.errors import Protocol

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPED = tuple(bytes([0x50 + number, 0x2A, 0x4D, 0x18]) for number in range(16))
"""zstd's frames that hold no content; such a file may begin with one."""
PIECE = 1 << 20


class Unpacker(Shape):
    """From compressed pieces to plain ones. finished: what came so far is whole."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """More input. Raises Protocol where it is damaged."""

    @property
    def finished(self) -> bool: ...


def unpacker(first: bytes) -> Unpacker:
    """For a file that begins so (four bytes are enough)."""
    if first.startswith(GZIP):
        return _Gzip()
    return _Zstd() if first.startswith((ZSTD, *_SKIPPED)) else _Plain()


def _damaged(error: Exception) -> Protocol:
    return Protocol("A compressed layer is damaged", detail=str(error))


class _Plain:
    finished = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.finished = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inner.eof:
                if not data.strip(b"\0"):
                    return  # padding, as some programs write it
                self._inner = zlib.decompressobj(wbits=31)
            try:
                piece = self._inner.decompress(data, PIECE)
            except zlib.error as error:
                raise _damaged(error) from error
            self.finished = self._inner.eof
            data = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
            if piece:
                yield piece


class _Zstd:
    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        self._zstd = zstd
        self._inner = zstd.ZstdDecompressor()
        self.finished = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._inner.eof:
                if not data:
                    return
                self._inner = self._zstd.ZstdDecompressor()
            try:
                piece = self._inner.decompress(data, PIECE)
            except self._zstd.ZstdError as error:
                raise _damaged(error) from error
            self.finished = self._inner.eof
            data = self._inner.unused_data if self._inner.eof else b""
            if piece:
                yield piece
            if not self._inner.eof and (self._inner.needs_input or not piece):
                return


__all__ = ["GZIP", "PIECE", "ZSTD", "Unpacker", "unpacker"]
