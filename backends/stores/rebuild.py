"""Rebuilds a layer's tar, byte by byte, from its tar-split file and the folder of its files; proved by its diff-ID.

Both engines unpack a layer into a folder, and write down all of its tar but the contents of files.
Source: github.com/vbatts/tar-split, tar/storage/entry.go and tar/asm/assemble.go. Blocks: run it in a thread.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec

from backends.stores.beneath import Beneath
from backends.stores.stored import StoredLayer, StoreError, unreadable

PIECE_BYTES = 1 << 20
"""What is given out at a time, and all that is held."""

LINE_LIMIT_BYTES = 64 << 20
"""Longest entry that is read: the headers of one file, or what pads the end of a tar; a few KiB are usual."""

_CONTENT, _RAW = 1, 2
_BROKEN = "the list of a layer's parts (tar-split) is damaged"


class _Entry(msgspec.Struct, gc=False):
    """One line of a tar-split file; bytes are base64 in it. name_raw: a name that is not UTF-8."""

    type: int
    name: str | None = None
    name_raw: bytes = b""
    size: int | None = None
    payload: bytes | None = None


_decode = msgspec.json.Decoder(_Entry).decode


def tar_bytes(layer: StoredLayer) -> int:
    """How large the layer's tar is. Raises StoreError where that cannot be told."""
    if layer.size_bytes is not None:
        return layer.size_bytes
    return sum(len(entry) if isinstance(entry, bytes) else entry[1] for entry in _entries(layer.split))


def rebuild(layer: StoredLayer) -> Generator[bytes, None, None]:
    """The layer's tar in pieces. The last is given out only when all together have the digest of the diff-ID.

    Raises StoreError where they have not, or a part is missing, damaged or not ours to read.
    """
    digest = hashlib.sha256()
    held = b""
    size = 0
    for piece in _pieces(layer):
        if held:
            yield held
        digest.update(piece)
        size += len(piece)
        held = piece
    if layer.size_bytes not in (None, size):
        raise StoreError("a layer read from its folder has another size than its store tells", detail=layer.diff_id)
    if f"sha256:{digest.hexdigest()}" != layer.diff_id:
        raise StoreError("a layer read from its folder is not what its digest says", detail=layer.diff_id)
    if held:
        yield held


def _pieces(layer: StoredLayer) -> Iterator[bytes]:
    """Small parts together, large files in pieces."""
    waiting = bytearray()
    with Beneath(layer.files) as beneath:
        for entry in _entries(layer.split):
            if isinstance(entry, bytes):
                waiting += entry
                continue
            for part in _content(beneath, *entry):
                if not waiting and len(part) == PIECE_BYTES:
                    yield part  # within a large file: as it was read
                    continue
                waiting += part
                if len(waiting) >= PIECE_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
    if waiting:
        yield bytes(waiting)


def _content(beneath: Beneath, name: bytes, size: int) -> Iterator[bytes]:
    file = beneath.open(name, size)
    try:
        left = size
        while left:
            part = os.read(file, min(PIECE_BYTES, left))
            if not part:
                raise StoreError("a file of a layer became shorter while it was read")
            left -= len(part)
            yield part
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(file)


def _entries(split: Path) -> Iterator[bytes | tuple[bytes, int]]:
    """The parts of a tar in order: raw bytes, or the name and size of a file's content."""
    try:
        with gzip.open(split) as file:
            for line in _lines(file):
                entry = _decode(line)
                if entry.type == _RAW:
                    yield entry.payload or b""
                elif entry.type != _CONTENT:
                    raise StoreError(_BROKEN, detail=f"{split}: an entry of an unknown kind, {entry.type}")
                elif entry.size and entry.size > 0:
                    yield _name(entry), entry.size
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise StoreError(_BROKEN, detail=f"{split}: {error}") from error
    except OSError as error:
        raise unreadable(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(_BROKEN, detail=f"{split}: {error!r}"[:400]) from error


def _lines(file: gzip.GzipFile) -> Iterator[bytes]:
    held = bytearray()
    while piece := file.read(PIECE_BYTES):
        first, *others = piece.split(b"\n")
        held += first
        if len(held) >= LINE_LIMIT_BYTES:
            raise StoreError(_BROKEN, detail="an entry is longer than any that is known")
        if others:
            yield bytes(held)
            yield from others[:-1]
            held[:] = others[-1]
    if held:
        yield bytes(held)


def _name(entry: _Entry) -> bytes:
    if entry.name_raw:
        return entry.name_raw
    if entry.name is None:
        raise StoreError(_BROKEN, detail="a file has no name")
    return entry.name.encode()


__all__ = ["PIECE_BYTES", "rebuild", "tar_bytes"]
