"""Appends lines to the files of the audit trail, for several processes at once. Never changes a line; blocks.

`audit.jsonl` is written to. At its size bound it becomes `audit-000001.jsonl` and so on; none is ever deleted. The head
(`audit.head`) is also what writers lock. What is found amiss is not mended: it is written down as a line of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.private_folder import private_folder
from backends.services.audit_chain import START, Head, chained, head_bytes, head_of, old_entries, parsed, read_head

MAX_BYTES = 8 << 20
"""A file that would grow beyond it is closed, and the next begun."""
MAX_LINE_BYTES = 1 << 20
"""How far back the end of a file is read for its last lines."""
_UNSEALED = 8
"""So many lines may follow the head: a writer that was cut off had written them in one go."""
_ATTEMPTS = 50
LOCK_TIMEOUT_S = 10.0
_LOOK_S = 0.002
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


def head_path(path: Path) -> Path:
    """The head of the log at `path`."""
    return path.with_suffix(".head")


def numbered(path: Path, number: int) -> Path:
    """The closed file of this number."""
    return path.with_name(f"{path.stem}-{number:06d}{path.suffix}")


def closed_files(path: Path) -> list[tuple[int, Path]]:
    """The closed files, oldest first, with their numbers."""
    pattern = re.compile(rf"{re.escape(path.stem)}-(\d{{6}}){re.escape(path.suffix)}")
    try:
        names = os.listdir(path.parent)
    except FileNotFoundError:
        return []
    found = [(int(match[1]), path.with_name(name)) for name in names if (match := pattern.fullmatch(name))]
    return sorted(found)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[int]:
    """Hold the head's file open and locked; gives its descriptor. Makes it where it is to be written."""
    flags = _READ if shared else os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    head = head_path(path)
    for _ in range(_ATTEMPTS):
        descriptor = os.open(head, flags, 0o600)
        try:
            _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            try:
                current = os.path.samestat(os.fstat(descriptor), head.stat())
            except FileNotFoundError:  # somebody removed it while we waited
                current = False
            if current:
                yield descriptor
                return
        finally:
            os.close(descriptor)
    raise OSError(f"{head} is replaced again and again")


def _lock(descriptor: int, how: int) -> None:
    """Raises TimeoutError where somebody holds it for long (a process that was stopped): nobody waits for that."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another Tranship holds the audit trail locked") from None
            time.sleep(_LOOK_S)
        else:
            return


@dataclass(slots=True)
class _Tail:
    """The end of the trail. entries: its last lines, as far as they are right; whole: it ends with a line's end."""

    file: Path | None = None
    size: int = 0
    entries: tuple[dict[str, Any], ...] = ()
    whole: bool = True

    @property
    def head(self) -> Head | None:
        """Of the last line, None where there is none that is right."""
        return head_of(self.entries[-1]) if self.entries else None


class AuditFiles:
    """The files of one trail. path: of the one that is written to. max_bytes: see MAX_BYTES."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def append(self, entry: Mapping[str, Any]) -> list[str]:
        """Add one entry, on disk when this returns; returns what was found amiss, in words. Raises OSError."""
        private_folder(self._path.parent)
        with locked(self._path) as descriptor:
            return self._append(descriptor, entry)

    def _append(self, lock: int, entry: Mapping[str, Any]) -> list[str]:
        about = {key: entry[key] for key in ("at", "who", "host", "pid") if key in entry}
        said: list[str] = []
        first: list[dict[str, Any]] = []

        def remark(action: str, sentence: str, **facts: object) -> None:
            first.append({**about, "action": action, "outcome": "done", "result": sentence, **facts})
            said.append(sentence)

        for file, mode in [(head_path(self._path), _tightened(lock)), (self._path, self._tightened())]:
            if mode is not None:
                sentence = f"{file.name} could be read by others (mode {mode:04o}): it is for its owner alone again"
                remark("audit.mode", sentence, file=file.name, mode=f"{mode:04o}")
        content = os.pread(lock, 4096, 0)
        head = read_head(content)
        if not content and (old := self._put_old_aside()):
            name, sha256 = old
            remark("audit.begin", f"the log of before is kept as {name}", file=name, sha256=sha256)
        tail = self._tail()
        before = self._continued(head, tail, empty=not content)
        if before is None:
            before = head or tail.head or START
            remark("audit.break", _broken(head, tail), head=_plain(head), found=_plain(tail.head))
        if tail.file == self._path and (not tail.whole or tail.size >= self._max_bytes):
            name = self._close_file()
            remark("audit.rotate", f"{name} is closed, the trail goes on here", file=name, last=before.hash)
            said.pop()
        lines = b""
        for one in (*first, entry):
            line, before = chained(one, before)
            lines += line
        self._write(lines)
        os.pwrite(lock, head_bytes(before), 0)
        os.ftruncate(lock, len(head_bytes(before)))
        os.fsync(lock)
        return said

    def _continued(self, head: Head | None, tail: _Tail, *, empty: bool) -> Head | None:
        """What the next line follows; None where head and lines do not fit together."""
        if not tail.whole:
            return None
        if head is None:
            return START if empty and tail.file is None else None
        if tail.file is None:
            return head if head == START else None
        heads = [head_of(one) for one in tail.entries]
        if head not in heads:
            return None
        after = tail.entries[heads.index(head) :]
        return heads[-1] if len(after) <= _UNSEALED + 1 else None

    def _tail(self) -> _Tail:
        for file in (self._path, *(path for _, path in reversed(closed_files(self._path)))):
            try:
                descriptor = os.open(file, _READ)
            except FileNotFoundError:
                continue
            try:
                size = os.fstat(descriptor).st_size
                if size:
                    begin = max(0, size - MAX_LINE_BYTES)
                    content = os.pread(descriptor, size - begin, begin)
                    return _tail_of(file, size, content)
            finally:
                os.close(descriptor)
        return _Tail()

    def _put_old_aside(self) -> tuple[str, str] | None:
        """A log of before the chain gets another name; returns that and its hash, None where there is none."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        if not old_entries(content):
            return None
        number = 1
        while (aside := self._path.with_name(f"{self._path.stem}-old-{number}{self._path.suffix}")).exists():
            number += 1
        self._path.rename(aside)
        return aside.name, hashlib.sha256(content).hexdigest()

    def _close_file(self) -> str:
        numbers = [number for number, _ in closed_files(self._path)]
        target = numbered(self._path, max(numbers, default=0) + 1)
        self._path.rename(target)
        return target.name

    def _tightened(self) -> int | None:
        try:
            descriptor = os.open(self._path, _READ)
        except FileNotFoundError:
            return None
        try:
            return _tightened(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, lines: bytes) -> None:
        """All of it or nothing: where the disk is full, what was half written is taken away again."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            try:
                written = 0
                while written < len(lines):
                    written += os.write(descriptor, lines[written:])
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)


def _tightened(descriptor: int) -> int | None:
    """Take it away from others; returns the mode that it had, None where it was for its owner alone."""
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if not mode & 0o077:
        return None
    os.fchmod(descriptor, 0o600)
    return mode


def _tail_of(file: Path, size: int, content: bytes) -> _Tail:
    whole = content.endswith(b"\n")
    entries: list[dict[str, Any]] = []
    for line in reversed(content.splitlines()[-(_UNSEALED + 2) :]):
        try:
            entry = parsed(line)
        except ValueError:
            break
        if entries and head_of(entry) != Head(entries[0]["seq"] - 1, entries[0]["prev"]):
            break
        entries.insert(0, entry)
    return _Tail(file, size, tuple(entries), whole)


def _plain(head: Head | None) -> dict[str, object] | None:
    return None if head is None else {"seq": head.seq, "hash": head.hash}


def _broken(head: Head | None, tail: _Tail) -> str:
    if head is None:
        return "the head of the trail was missing or unreadable: lines may be missing before this one"
    if not tail.whole:
        return "the last line before this one was cut off"
    if tail.head is None:
        return f"the trail should end with line {head.seq} before this one, and its end is missing or changed"
    return f"the trail should end with line {head.seq} before this one, and ended with {tail.head.seq}"


__all__ = ["MAX_BYTES", "AuditFiles", "closed_files", "head_path", "locked", "numbered"]
