"""Tables of layers on disk, by diff-ID: a layer is read once, whatever image or engine it is in. Blocks.

Never the only place of anything: a file that is missing, damaged or of another version is read anew from the engine.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
import tempfile
import zlib
from array import array
from contextlib import suppress
from pathlib import Path

import msgspec

from backends.layers.table import PATHS_LIMIT, Entry, LayerTable
from backends.private_folder import private_folder

VERSION = 1
LIMIT_BYTES = 256 << 20
"""Most bytes of all files together: some ten thousand layers of usual size."""
_SUFFIX = f".v{VERSION}"
_MAGIC = b"tranship layer\n"
_SUM_BYTES = 32
_UNPACKED_LIMIT = 1 << 30
_DIFF_ID = re.compile(r"sha256:([0-9a-f]{64})")
_log = logging.getLogger(__name__)


class _Stored(msgspec.Struct, array_like=True):
    """The columns as bytes, little-endian."""

    diff_id: str
    names: bytes
    kinds: bytes
    columns: dict[str, bytes]
    links: dict[int, bytes]


_COLUMNS = ("ends", "parents", "sizes", "modes", "uids", "gids", "mtimes", "checks")


def default_folder() -> Path:
    """ "layers" in the user's cache directory (platformdirs)."""
    from platformdirs import user_cache_path

    return user_cache_path("tranship") / "layers"


class LayerCache:
    """A folder (0700) of files (0600). limit_bytes: where they grow beyond it, those longest unused go."""

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def get(self, diff_id: str) -> LayerTable | None:
        """The layer, None where it is not here or its file is of no use (then it is removed)."""
        path = self._path(diff_id)
        if path is None:
            return None
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("a layer that was read before cannot be taken from %s: %s", path, error)
            return None
        try:
            table = unpacked(text)
            if table.diff_id != diff_id:
                raise ValueError("it is of another layer")
        except (ValueError, msgspec.DecodeError, zlib.error) as damaged:
            _log.warning("%s is damaged and is read anew: %s", path, damaged)
            with suppress(OSError):  # it is written over then, or found damaged again
                path.unlink()
            return None
        with suppress(OSError):  # only the order in which they go
            os.utime(path)
        return table

    def put(self, table: LayerTable) -> None:
        """Keep it. A failure is logged: it costs time at the next look, nothing else."""
        path = self._path(table.diff_id)
        if path is None:
            return
        try:
            private_folder(self._folder)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")  # 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(packed(table))
                os.replace(name, path)
            except BaseException:
                os.unlink(name)
                raise
            self._trim()
        except OSError as error:
            _log.warning("a layer could not be kept in %s: %s", self._folder, error)

    def _path(self, diff_id: str) -> Path | None:
        """None for a diff-ID that is no name of a file of ours."""
        found = _DIFF_ID.fullmatch(diff_id)
        return self._folder / f"{found[1]}{_SUFFIX}" if found else None

    def _trim(self) -> None:
        """The oldest files go until the rest is within the limit; left-overs of a crash count as files too."""
        files = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process trims too
                facts = path.stat()
                files.append((facts.st_mtime_ns, facts.st_size, path))
        over = sum(size for _, size, _ in files) - self._limit_bytes
        for _, size, path in sorted(files):
            if over <= 0:
                break
            path.unlink(missing_ok=True)
            over -= size


def packed(table: LayerTable) -> bytes:
    """A table as the bytes of a file: a mark, a checksum, the columns compressed."""
    columns = {name: _little(getattr(table, name)).tobytes() for name in _COLUMNS}
    stored = _Stored(table.diff_id, bytes(table.names), bytes(table.kinds), columns, table.links)
    body = zlib.compress(msgspec.msgpack.encode(stored), 1)
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpacked(text: bytes) -> LayerTable:
    """The table of such bytes. Raises ValueError, msgspec.DecodeError or zlib.error where they are damaged."""
    start = len(_MAGIC) + _SUM_BYTES
    if not text.startswith(_MAGIC) or hashlib.sha256(text[start:]).digest() != text[len(_MAGIC) : start]:
        raise ValueError("its checksum is wrong")
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(text[start:], _UNPACKED_LIMIT)
    if not unpacking.eof:
        raise ValueError("it is cut short, or too long")
    stored = msgspec.msgpack.decode(plain, type=_Stored)
    table = LayerTable(stored.diff_id, bytearray(stored.names), kinds=bytearray(stored.kinds), links=stored.links)
    for name in _COLUMNS:
        column: array[int] = getattr(table, name)
        column.frombytes(stored.columns.get(name, b""))
        if sys.byteorder == "big":
            column.byteswap()
        if len(column) != len(table):
            raise ValueError(f"its {name} are not as many as its paths")
    _check(table)
    return table


def _check(table: LayerTable) -> None:
    """What reading a table counts on."""
    if not 0 < len(table) <= PATHS_LIMIT or max(table.kinds) > max(Entry):
        raise ValueError("its paths are none")
    if any(parent >= max(1, row) for row, parent in enumerate(table.parents)):
        raise ValueError("a path stands before its folder")
    if any(end > after for end, after in zip(table.ends, table.ends[1:], strict=False)):
        raise ValueError("its names overlap")


def _little(column: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return column
    turned = column[:]
    turned.byteswap()
    return turned


__all__ = ["LIMIT_BYTES", "LayerCache", "default_folder", "packed", "unpacked"]
