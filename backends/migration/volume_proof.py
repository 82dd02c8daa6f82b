"""Compares the two sides of a volume's copy, path by path, from listings and digests. Pure; runs in a thread."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from backends.migration.listing import DIRECTORY, FILE, SYMLINK, Listing, kind_of, row_of
from backends.migration.manifest import FileFacts, Manifest, differences
from backends.model.plan import Check

SHOWN_DIFFERENCES = 5
_SLICE = 200
"""Paths between two pauses in which other threads run: about 2 ms."""


@dataclass(slots=True)
class Side:
    """What is known of one side. contents: by path, as `content_facts` makes them."""

    listing: Listing
    contents: dict[str, bytes]

    def share(self, other: Side) -> None:
        """Keep contents that are equal to the other's once."""
        for path, content in self.contents.items():
            known = other.contents.get(path)
            if known == content and known is not None:
                self.contents[path] = known


def facts_of(side: Side, path: str, groups: dict[str, str]) -> FileFacts | None:
    """All that is compared of a path; None where it is not there, or its content was never read whole."""
    raw, content = side.listing.rows.get(path), side.contents.get(path)
    if raw is None or content is None:
        return None
    row = row_of(raw)
    return FileFacts(
        kind=row.kind,
        mode=0o777 if row.kind == SYMLINK else row.mode,
        uid=row.uid,
        gid=row.gid,
        size=row.size,
        mtime_s=row.mtime_ns // 1_000_000_000 if row.kind == FILE or (row.kind == DIRECTORY and path) else 0,
        link=content[49:].decode("utf-8", "surrogateescape"),
        device=row.device,
        sha256=content[1:33] if row.kind == FILE else b"",
        extra=content[33:49] if any(content[33:49]) else b"",
        group=groups.get(path, ""),
    )


class _Told(NamedTuple):
    """What is compared of a path, as quickly made as may be: equal where `facts_of` gives equal facts.

    mode: with its file type. rest: what the content tells, of which the link's target is the end.
    """

    mode: int
    uid: int
    gid: int
    size: int
    mtime_s: int
    device: tuple[int, ...]
    rest: bytes
    group: str


def _told(side: Side, path: str, groups: dict[str, str]) -> _Told | None:
    raw, content = side.listing.rows.get(path), side.contents.get(path)
    if raw is None or content is None:
        return None
    kind = kind_of(raw)
    mode, uid, gid, size, major, minor, _, _, mtime, _, _, _ = raw.split(b"|")
    return _Told(
        0o120777 if kind == SYMLINK else int(mode, 16),
        int(uid),
        int(gid),
        int(size) if kind == FILE else 0,
        int(mtime) if kind == FILE or (kind == DIRECTORY and path) else 0,
        (int(major, 16), int(minor, 16)) if kind in ("3", "4") else (),
        content[1:] if kind == FILE else content[33:],
        groups.get(path, ""),
    )


def _weigh(path: str, told: _Told) -> int:
    text = repr((path, *told)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


class _Sum:
    """A sum over all paths that does not depend on their order, so that it can follow changes."""

    def __init__(self) -> None:
        self.weight = 0
        self.count = 0
        self.size = 0

    def add(self, path: str, told: _Told | None, sign: int = 1) -> None:
        if told is None:
            return
        self.weight = (self.weight + sign * _weigh(path, told)) % (1 << 64)
        self.count += sign
        self.size += sign * (told.size if told.group in ("", path) else 0)

    def __str__(self) -> str:
        return f"{self.count} entries, {self.size} bytes, digest {self.weight:016x}"


class Ledger:
    """Keeps the sums of both sides and what is unequal, so that after a small change little has to be compared."""

    def __init__(self) -> None:
        self._sums = (_Sum(), _Sum())
        self._unequal: set[str] = set()

    def enter(self, source: Side, target: Side) -> None:
        """Compare all of both sides."""
        ours, theirs = source.listing.groups(), target.listing.groups()
        self._unequal = set()
        for path in _slowly(source.listing.rows.keys() | target.listing.rows.keys()):
            sent, got = _told(source, path, ours), _told(target, path, theirs)
            self._sums[0].add(path, sent)
            self._sums[1].add(path, got)
            if sent is None or sent != got:
                self._unequal.add(path)

    def check(self, name: str, old: tuple[Side, Side] | None, source: Side, target: Side) -> Check:
        """Compare what is not as it was when `old` was entered; returns what holds for the whole volume."""
        affected = set(self._unequal)
        befores = old or (Side(Listing(), {}), Side(Listing(), {}))
        for total, before, now in zip(self._sums, befores, (source, target), strict=True):
            groups, old_groups = now.listing.groups(), before.listing.groups()
            moved = _moved(before, now)
            moved |= {path for path in groups.keys() | old_groups.keys() if groups.get(path) != old_groups.get(path)}
            for path in _slowly(moved):
                total.add(path, _told(before, path, old_groups), -1)
                total.add(path, _told(now, path, groups))
            affected |= moved
        unequal = sorted(_differing((source, target), affected))
        texts = [str(total) for total in self._sums]
        if not unequal:
            return Check(f"volume {name}", texts[0] == texts[1], *texts)
        shown = unequal[:SHOWN_DIFFERENCES]
        sides = []
        for side in (source, target):
            groups = side.listing.groups()
            sides.append(Manifest({path: facts for path in shown if (facts := facts_of(side, path, groups))}))
        lines = differences(*sides) or [f"./{path!r} could not be read" for path in shown]
        more = f"; and {len(unequal) - len(shown)} more" if len(unequal) > len(shown) else ""
        return Check(f"volume {name}", False, texts[0], "; ".join(lines) + more)


def _differing(sides: tuple[Side, Side], paths: Iterable[str]) -> set[str]:
    groups = [side.listing.groups() for side in sides]
    unequal = set()
    for path in _slowly(paths):
        told = [_told(side, path, found) for side, found in zip(sides, groups, strict=True)]
        there = any(path in side.listing.rows for side in sides)
        if told[0] != told[1] or (told[0] is None and there):
            unequal.add(path)
    return unequal


def _moved(before: Side, now: Side) -> set[str]:
    """Paths of which something is not as it was."""
    rows, old = now.listing.rows, before.listing.rows
    moved = {path for path in old if path not in rows}
    for path in _slowly(rows):
        if old.get(path) != rows[path] or before.contents.get(path) != now.contents.get(path):
            moved.add(path)
    return moved


def _slowly(paths: Iterable[str]) -> Iterator[str]:
    for number, path in enumerate(paths):
        if number % _SLICE == _SLICE - 1:
            time.sleep(0)  # gives the interpreter to the event loop
        yield path
