"""Reads the audit trail and proves its chain: each line, their order, their end. Writes nothing; blocks."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from backends.model.errors import Denied
from backends.services.audit_chain import START, Head, head_of, old_entries, parsed, read_head
from backends.services.audit_file import closed_files, head_path, locked

MOST_FLAWS = 100
"""Further ones are only counted."""

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong. file: its name; line: from 1, 0 where it is about the file as a whole."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


@dataclass(slots=True)
class Verified:
    """What the proof came to. lines, files: read; last: number and hash of the last line, None where there is none.

    notes: what should be known and is not wrong.
    """

    lines: int = 0
    files: int = 0
    last: Head | None = None
    flaws: list[Flaw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.flaws

    def wrong(self, file: str, line: int, what: str) -> None:
        """One more flaw."""
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(Flaw(file, line, what))
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    file: BinaryIO
    size: int


class Trail:
    """The trail as it was when this was made; what is appended meanwhile is left out. `verified` after `entries`.

    Raises Denied where a file cannot be read. Use it as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = ExitStack()
        self._open: list[_Open] = []
        self._head: bytes | None = None
        self.verified = Verified()
        try:
            try:
                with locked(path, shared=True) as descriptor:
                    self._head = os.pread(descriptor, 4096, 0)
                    self._take()
            except FileNotFoundError:  # no head, and so nothing to lock
                self._take()
        except OSError as error:
            self._files.close()
            hint = "look at who owns it: it is for the user alone who acted"
            raise Denied("the audit trail cannot be read", detail=str(error), hint=hint) from error

    def __enter__(self) -> Trail:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def _take(self) -> None:
        for path in (*(path for _, path in closed_files(self._path)), self._path):
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
                file = self._files.enter_context(os.fdopen(descriptor, "rb"))
                status = os.fstat(descriptor)
                self._open.append(_Open(path.name, file, status.st_size))
                if status.st_mode & 0o077:
                    mode = stat.S_IMODE(status.st_mode)
                    self.verified.notes.append(f"{path.name} may be read by others (mode {mode:04o})")

    def entries(self) -> Iterator[Entry]:
        """Each line that is right by itself, oldest first; flaws are noted on the way."""
        expected = START
        head = read_head(self._head) if self._head is not None else None
        seen = head is None or head == START
        if self._head is None and (before := self._before_the_chain()):
            self.verified.notes.append("it is a log of before the chain: the next thing done begins one")
            yield from before
            return
        for opened in self._open:
            self.verified.files += 1
            for number, line in _lines(opened):
                self.verified.lines += 1
                entry, expected = self._checked(opened.name, number, line, expected)
                if entry is None:
                    continue
                if head is not None and expected.seq == head.seq:
                    seen = True
                    if expected != head:
                        self.verified.wrong(opened.name, number, "the head has another hash for this line")
                self.verified.last = expected
                yield entry
        self._end(head, seen=seen)

    def _before_the_chain(self) -> list[Entry]:
        if [opened.name for opened in self._open] != [self._path.name]:
            return []
        with open(self._path, "rb") as file:
            entries = old_entries(file.read(self._open[0].size))
        self.verified.files, self.verified.lines = 1, len(entries)
        return entries

    def _checked(self, name: str, number: int, line: bytes, expected: Head) -> tuple[Entry | None, Head]:
        wrong = self.verified.wrong
        if not line.endswith(b"\n"):
            wrong(name, number, "it is cut off")
            return None, expected
        try:
            entry = parsed(line[:-1])
        except ValueError as error:
            wrong(name, number, str(error))
            return None, expected
        own = head_of(entry)
        if own.seq != expected.seq + 1:
            wrong(name, number, _order(own.seq, expected.seq))
        elif entry["prev"] != expected.hash:
            wrong(name, number, "the line before it is another than it was when this one was written")
        if entry.get("action") == "audit.break":
            wrong(name, number, f"written down then: {entry.get('result')}")
        if entry.get("action") == "audit.begin":
            self._check_old(name, number, entry)
        return entry, own

    def _check_old(self, name: str, number: int, entry: Entry) -> None:
        old = os.path.basename(str(entry.get("file")))
        try:
            content = self._path.with_name(old).read_bytes()
        except OSError as error:
            self.verified.wrong(name, number, f"{old}, the log of before the chain, cannot be read: {error.strerror}")
            return
        if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
            self.verified.wrong(old, 0, "the log of before the chain is another than it was when the chain began")

    def _end(self, head: Head | None, *, seen: bool) -> None:
        verified, name = self.verified, head_path(self._path).name
        if self._head is None:
            if self._open:
                verified.wrong(name, 0, "the head is missing: lines may be missing at the end")
            return
        if head is None:
            if self._head or self._open:
                verified.wrong(name, 0, "the head is unreadable: lines may be missing at the end")
            return
        last = verified.last or START
        if not seen or last.seq < head.seq:
            verified.wrong(name, 0, f"the trail should end with line {head.seq}, and ends with {last.seq}: it was cut")
        elif last.seq > head.seq:
            count = last.seq - head.seq
            verified.notes.append(f"the last {count} lines are not in the head: their writer was cut off")


def _lines(opened: _Open) -> Iterator[tuple[int, bytes]]:
    left, number = opened.size, 0
    while left > 0:
        line = opened.file.readline(left)
        if not line:
            return
        left -= len(line)
        number += 1
        yield number, line


def _order(seq: int, before: int) -> str:
    if seq > before + 1:
        missing = f"line {before + 1} is" if seq == before + 2 else f"lines {before + 1} to {seq - 1} are"
        return f"it is line {seq} of the trail, and {missing} missing before it"
    return f"it is line {seq} of the trail, and stands after line {before}: doubled or out of order"


def verify(path: Path) -> Verified:
    """Prove the trail at `path`. Raises Denied where it cannot be read."""
    with Trail(path) as trail:
        deque(trail.entries(), maxlen=0)
        return trail.verified


def read(
    path: Path, wanted: Callable[[Entry], bool] = lambda _entry: True, *, most: int | None = None
) -> tuple[list[Entry], Verified]:
    """The wanted entries, oldest first, and the proof. most: only so many, the newest. Raises Denied."""
    with Trail(path) as trail:
        kept = deque((entry for entry in trail.entries() if wanted(entry)), maxlen=most)
        return list(kept), trail.verified


__all__ = ["Entry", "Flaw", "Trail", "Verified", "read", "verify"]
