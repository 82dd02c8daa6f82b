"""What stands in a volume, told by an image's own find and stat. Changes nothing; reads no file's content.

One row for each path. Two rows of one path that are equal byte for byte mean that the file has not changed between the
two listings, by the rule of git's index: a file whose ctime lies within the second of the first listing may have been
written after it without a trace, and counts as changed (`Listing.told`).
Source: git, Documentation/technical/racy-git.txt. A write by a shared mapping moves the ctime when a clean page is
first touched, so the source is synced before the first listing; file systems not known to do so are not trusted.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from backends.engine import Engine
from backends.migration.holes import hole_bytes
from backends.model.errors import Conflict, Unsupported

SOCKET = "s"
DIRECTORY = "5"
SYMLINK = "2"
FILE = "0"
BATCH_BYTES = 256 * 1024

_KINDS = {0o14: SOCKET, 0o12: SYMLINK, 0o10: FILE, 0o6: "4", 0o4: DIRECTORY, 0o2: "3", 0o1: "6"}
"""S_IFMT >> 12 → tar's type flag. Source: inode(7)."""

_KIND_OF = {b"%x" % number: kind for number, kind in _KINDS.items()}

_EXACT = frozenset({"ef53", "58465342", "9123683e", "f2f52010", "2fc12fc1"})
"""ext4, XFS, Btrfs, F2FS, ZFS, by their magic numbers. Source: statfs(2); OpenZFS, module/os/linux/zfs/zfs_vfsops.c."""

_SCRIPT = r"""
s=1; [ -z "$2" ] || { sync -f . 2>/dev/null || sync || s=0; }
command -v xargs >/dev/null && command -v find >/dev/null && command -v stat >/dev/null || exit 127
g=0; case "$(tar --version 2>&1)" in *"GNU tar"*) g=1;; esac
d=0; case "$(fallocate --help 2>&1)" in *--dig-holes*) d=1;; esac
printf '%s|%s|%s|%s|%s|%s\n' "$1" "$(date +%s)" "$(stat -f -c %t .)" "$s" "$g" "$d" || exit
r=0; find . -exec stat -c "$1|%b|%f|%u|%g|%s|%t|%T|%h|%i|%Y|%Z|%y|%z|%n" {} + || r=$?
printf '%s!%s\n' "$1" "$r"
"""
_COLUMNS, _CTIME = 13, 9


class Row(NamedTuple):
    """One row, taken apart. mtime_ns: since 1970, below zero before it. device: (0, 0) of what is none."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    device: tuple[int, int]
    links: int
    inode: int
    mtime_ns: int
    ctime_s: int


@dataclass(slots=True)
class Listing:
    """A volume's rows by path ("" is the root), a directory before what is in it; sockets apart.

    clock_s: when it began, by the clock of its machine. exact: its file system's ctime tells every change. gnu_tar: the
    image's tar is GNU's. digs: the image can make holes in files. holes: bytes of holes in sparse files, by path; not
    part of a row, since a file system may still settle them after a write. complete: find and stat met no error (files
    that vanish meanwhile are one).
    """

    rows: dict[str, bytes] = field(default_factory=dict)
    sockets: list[str] = field(default_factory=list)
    clock_s: int = 0
    exact: bool = False
    gnu_tar: bool = False
    digs: bool = False
    holes: dict[str, int] = field(default_factory=dict)
    complete: bool = False
    _groups: dict[str, str] | None = field(default=None, init=False, repr=False, compare=False)

    def told(self, path: str) -> bool:
        """Whether a later change of this path would be seen by its row."""
        raw = self.rows[path]
        ctime_s = int(raw.split(b"|", _CTIME + 1)[_CTIME])
        return ctime_s < self.clock_s - 1 and (self.exact or kind_of(raw) != FILE)

    def groups(self) -> dict[str, str]:
        """Path → first of the paths that are the same file by hard links; others are not in it. For whole listings."""
        if self._groups is None:
            self._groups = self._grouped()
        return self._groups

    def share(self, other: Listing) -> None:
        """Keep rows that are equal to the other's once: two listings of the same files are nearly all equal."""
        for path, raw in self.rows.items():
            known = other.rows.get(path)
            if known == raw and known is not None:
                self.rows[path] = known

    def _grouped(self) -> dict[str, str]:
        firsts: dict[int, str] = {}
        found: dict[str, str] = {}
        for path, raw in self.rows.items():
            if raw.split(b"|", 7)[6] == b"1":
                continue
            row = row_of(raw)
            if row.kind != DIRECTORY:
                found[path] = firsts[row.inode] = min(path, firsts.get(row.inode, path))
        return {path: firsts[row_of(self.rows[path]).inode] for path in found}

    def owners(self) -> frozenset[tuple[int, int]]:
        """Every pair of owner and group."""
        pairs = {tuple(raw.split(b"|", 3)[1:3]) for raw in self.rows.values()}
        return frozenset((int(uid), int(gid)) for uid, gid in pairs)


class Head(NamedTuple):
    """The part of a row that a tar's header says."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int


def kind_of(raw: bytes) -> str:
    """A row's kind alone: quicker than `row_of`, which costs about 5 µs."""
    return _KIND_OF.get(raw[: raw.find(b"|") - 3], "?")


def head_of(raw: bytes) -> Head:
    """What a tar's header says, quicker than `row_of`."""
    mode, uid, gid, _, _, _, _, _, mtime, _, words, _ = raw.split(b"|")
    fraction = words.partition(b".")[2][:9]
    nanoseconds = int(fraction.ljust(9, b"0")) if fraction.isdigit() else 0
    return Head(kind_of(raw), int(mode, 16) & 0o7777, int(uid), int(gid), int(mtime) * 1_000_000_000 + nanoseconds)


def row_of(raw: bytes) -> Row:
    """Take a row apart."""
    mode, uid, gid, size, major, minor, links, inode, mtime, ctime, words, _ = raw.split(b"|")
    number = int(mode, 16)
    kind = _KINDS.get(number >> 12, "?")
    fraction = words.partition(b".")[2][:9]
    return Row(
        kind,
        number & 0o7777,
        int(uid),
        int(gid),
        int(size) if kind == FILE else 0,
        (int(major, 16), int(minor, 16)) if kind in {"3", "4"} else (0, 0),
        int(links),
        int(inode),
        int(mtime) * 1_000_000_000 + (int(fraction.ljust(9, b"0")) if fraction.isdigit() else 0),
        int(ctime),
    )


class _Parser:
    """Fed with the script's output in pieces. A mark that nobody can know divides rows: names may have any bytes."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._rest = b"\n"
        self._begun = False
        self.listing = Listing()

    def feed(self, data: bytes) -> None:
        *parts, self._rest = (self._rest + data).split(b"\n" + self._mark)
        for part in parts:
            self._take(part)

    def end(self) -> bool:
        """Whether the output was whole."""
        if not self._rest.startswith(b"!"):
            return False
        self.listing.complete = self._rest[1:].strip() == b"0"
        return self._begun

    def _take(self, part: bytes) -> None:
        if not self._begun:
            if not part:
                return
            clock, magic, synced, gnu, digs = part[1:].split(b"|")
            self.listing.clock_s = int(clock)
            self.listing.exact = magic.decode("ascii", "replace") in _EXACT and synced == b"1"
            self.listing.gnu_tar = gnu == b"1"
            self.listing.digs = digs == b"1"
            self._begun = True
            return
        blocks, *columns, name = part[1:].split(b"|", _COLUMNS)
        path = sys.intern(name[2:].decode("utf-8", "surrogateescape"))  # the other listings have the same paths
        raw = b"|".join(columns)
        mode = int(columns[0], 16)
        if mode >> 12 == 0o14:
            self.listing.sockets.append(path)
            return
        self.listing.rows[path] = raw
        if mode >> 12 == 0o10 and (found := hole_bytes(int(columns[3]), int(blocks), mode)):
            self.listing.holes[path] = found


async def list_volume(engine: Engine, name: str, image: str, *, sync: bool = False) -> Listing:
    """List a volume by an image's programs. sync: write to disk first what programs have written.

    Raises Unsupported where the image has no sh, find, stat, date or xargs that can do this.
    """
    mark = uuid.uuid4().hex
    parser = _Parser(mark.encode())
    argv = ["sh", "-c", _SCRIPT, "sh", mark, "sync" if sync else ""]
    pending = bytearray()
    try:
        async with engine.run_in_volume(name, argv, via_image=image) as chunks:
            async for chunk in chunks:
                pending += chunk
                if len(pending) >= BATCH_BYTES:
                    batch, pending = bytes(pending), bytearray()
                    await asyncio.to_thread(parser.feed, batch)
        await asyncio.to_thread(parser.feed, bytes(pending))
    except (Conflict, ValueError) as error:
        raise _unable(engine, image, str(error)) from error
    if not parser.end():
        raise _unable(engine, image, "what it wrote is no listing")
    return parser.listing


def _unable(engine: Engine, image: str, detail: str) -> Unsupported:
    return Unsupported(f"the programs of {image} cannot list a volume", detail=detail, engine=engine.id)


def changed_between(before: Listing, after: Listing, known: Iterable[str]) -> set[str]:
    """The paths of `after` that are not surely as they were in `before`. known: those whose content was read since."""
    have = set(known)
    changed = {
        path
        for path, raw in after.rows.items()
        if path not in have or before.rows.get(path) != raw or not before.told(path)
    }
    groups = after.groups()
    split = {groups[path] for path in changed & groups.keys()}
    return changed | {path for path, first in groups.items() if first in split}


def parents(paths: Iterable[str]) -> Iterator[str]:
    """The directories above these paths, without the root; some more than once."""
    for path in paths:
        while "/" in path:
            path = path.rpartition("/")[0]
            yield path
