"""What one layer holds, as compact columns: about 60 bytes and its name for each path. Pure; holds no content.

Sources: OCI image-spec 1.1, layer.md ("Whiteouts", "Opaque Whiteout"); Linux' limits.h (PATH_MAX).
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass, field
from enum import IntEnum

from backends.model.errors import Protocol
from backends.tar import Member, Walk

WHITEOUT, OPAQUE_NAME, AUFS = b".wh.", b".wh..wh..opq", b".wh..wh."
PATH_LIMIT = 4096
"""Longest path that Linux takes, in bytes."""
PATHS_LIMIT = 2_000_000
"""Most paths of one layer; the largest images that are known have some 300,000 in all."""
PATHS_BYTES_LIMIT = 256 << 20
"""Most bytes of all paths of one layer together."""
_UID_LIMIT = 1 << 32
_TIME_LIMIT = 1 << 62
_NS = 1_000_000_000


class Entry(IntEnum):
    """What a row of a table is. IMPLIED: a folder that is only named within a path."""

    IMPLIED = 0
    FOLDER = 1
    FILE = 2
    SYMLINK = 3
    HARD_LINK = 4
    DEVICE = 5
    PIPE = 6
    REMOVAL = 7
    OPAQUE = 8


_KINDS = {
    b"0": Entry.FILE,
    b"1": Entry.HARD_LINK,
    b"2": Entry.SYMLINK,
    b"3": Entry.DEVICE,
    b"4": Entry.DEVICE,
    b"5": Entry.FOLDER,
    b"6": Entry.PIPE,
}


@dataclass(slots=True)
class LayerTable:
    """One layer. Row 0 is the root; a row's parent stands before it. names: all names on end, ends: where each ends.

    sizes: bytes of files. mtimes: seconds since 1970. checks: CRC-32 of a file's content, by which with its size it is
    told whether two files are the same. links: targets of symbolic and hard links.
    """

    diff_id: str
    names: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("I"))
    parents: array[int] = field(default_factory=lambda: array("I"))
    kinds: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modes: array[int] = field(default_factory=lambda: array("H"))
    uids: array[int] = field(default_factory=lambda: array("I"))
    gids: array[int] = field(default_factory=lambda: array("I"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    checks: array[int] = field(default_factory=lambda: array("I"))
    links: dict[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kinds)

    def name(self, row: int) -> bytes:
        """The last part of the row's path."""
        return bytes(self.names[self.ends[row - 1] if row else 0 : self.ends[row]])

    def path(self, row: int) -> bytes:
        """The row's path from the root, without a slash in front."""
        parts = []
        while row:
            parts.append(self.name(row))
            row = self.parents[row]
        return b"/".join(reversed(parts))

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(self.sizes)


class TableWalk(Walk):
    """Fills a table from a layer's tar as it passes. Raises Protocol for a path that no layer may have."""

    def __init__(self) -> None:
        super().__init__()
        self.table = LayerTable("")
        self._rows: dict[bytes, int] = {}
        self._paths_bytes = 0
        self._row = self._new(0, b"", Entry.IMPLIED, 0)
        self._rows[b""] = 0
        self._check = 0

    def begin(self, member: Member) -> None:
        self._check = 0
        parts = [part for part in member.name.split(b"/") if part not in (b"", b".")]
        self._row = -1
        if b".." in parts or len(member.name) > PATH_LIMIT:
            shown = member.name[:80].decode("utf-8", "backslashreplace")
            raise Protocol("The layer has a path outside of its root, or one that is too long", detail=shown)
        kind = _KINDS.get(member.kind)
        last = parts[-1] if parts else b""
        if kind is None or last == WHITEOUT or (AUFS in member.name and _of_aufs(parts)):
            return
        if last.startswith(WHITEOUT):
            kind = Entry.OPAQUE if last == OPAQUE_NAME else Entry.REMOVAL
        elif not parts and kind is not Entry.FOLDER:
            raise Protocol("The root of the layer is no folder")
        self._row = self._placed(parts, kind)
        self._describe(self._row, member, kind)

    def content(self, piece: memoryview) -> None:
        self._check = zlib.crc32(piece, self._check)

    def end(self) -> None:
        if self._row >= 0 and self.table.kinds[self._row] == Entry.FILE:
            self.table.checks[self._row] = self._check

    def _placed(self, parts: list[bytes], kind: Entry) -> int:
        """The row of a path, new or seen before (then what comes later counts)."""
        path = b"/".join(parts)
        row = self._rows.get(path)
        if row is None:
            row = self._rows[path] = self._new(self._folder(parts[:-1]), parts[-1], kind, len(path))
        elif (self.table.kinds[row] <= Entry.FOLDER) != (kind is Entry.FOLDER):
            raise self._both(path)
        return row

    def _folder(self, parts: list[bytes]) -> int:
        row = self._rows.get(b"/".join(parts))
        if row is None:
            row = 0
            for depth, name in enumerate(parts, start=1):
                path = b"/".join(parts[:depth])
                known = self._rows.get(path)
                if known is None:
                    known = self._rows[path] = self._new(row, name, Entry.IMPLIED, len(path))
                row = known
                if self.table.kinds[row] > Entry.FOLDER:
                    raise self._both(path)
        elif self.table.kinds[row] > Entry.FOLDER:
            raise self._both(b"/".join(parts))
        return row

    @staticmethod
    def _both(path: bytes) -> Protocol:
        shown = path.decode("utf-8", "backslashreplace")
        return Protocol("The layer has a path both as a folder and as something else", detail=shown)

    def _new(self, parent: int, name: bytes, kind: Entry, path_bytes: int) -> int:
        table = self.table
        row = len(table.kinds)
        self._paths_bytes += path_bytes
        if self._paths_bytes > PATHS_BYTES_LIMIT:
            raise Protocol("The layer's paths are longer together than can be shown", detail=f"{row:,} paths")
        if row >= PATHS_LIMIT:
            raise Protocol(f"The layer has more than {PATHS_LIMIT:,} paths, which is more than can be shown")
        table.names += name
        table.ends.append(len(table.names))
        table.parents.append(parent)
        table.kinds.append(kind)
        for column in (table.sizes, table.uids, table.gids, table.mtimes, table.checks):
            column.append(0)
        table.modes.append(0o755)
        return row

    def _describe(self, row: int, member: Member, kind: Entry) -> None:
        if not (0 <= member.uid < _UID_LIMIT and 0 <= member.gid < _UID_LIMIT and member.size < _TIME_LIMIT):
            raise Protocol("The layer has an owner or a size that no file can have")
        table = self.table
        table.kinds[row] = kind
        table.sizes[row] = member.size if kind is Entry.FILE else 0
        table.modes[row] = member.mode & 0o7777
        table.uids[row], table.gids[row] = member.uid, member.gid
        table.mtimes[row] = max(-_TIME_LIMIT, min(_TIME_LIMIT, member.mtime_ns // _NS))
        table.links.pop(row, None)
        if kind in (Entry.SYMLINK, Entry.HARD_LINK):
            table.links[row] = member.link[:PATH_LIMIT]


def _of_aufs(parts: list[bytes]) -> bool:
    """What AUFS kept for itself is not part of the image."""
    return any(part.startswith(AUFS) and part != OPAQUE_NAME for part in parts)


__all__ = ["OPAQUE_NAME", "WHITEOUT", "Entry", "LayerTable", "TableWalk"]
