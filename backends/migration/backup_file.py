"""The file of a backup: a tar whose members all stand in a manifest with size and hash. Knows no engine; blocks.

Each member has one header of 512 bytes that follows from its name and size alone, and nothing but zeros as padding.
`manifest.json` is the last member but one and lists those before it; `manifest.json.sha256`, the last one, has its
hash. So there is no byte of the file that could change unseen.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.errors import Protocol
from backends.new_file import disk, hidden, refuse_existing, settle

MANIFEST = "manifest.json"
SEAL = "manifest.json.sha256"
CHUNK = 1 << 20
"""Bytes that are read or hashed at once."""
MAX_TEXT = 64 << 20
"""Longest member that is read into memory, in bytes: the lists of names and settings."""
_BLOCK = tarfile.BLOCKSIZE
_WHAT = "the backup"
_END = bytes(2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: size in bytes, sha256 as hex."""

    name: str
    size: int
    sha256: str


def header(name: str, size: int) -> bytes:
    """The only header that a member of this name and size may have. Raises ValueError for a name over 100 bytes."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    block = entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")
    if len(block) != _BLOCK:
        raise ValueError(f"{name} is too long for a member of a backup")
    return block


class BackupWriter:
    """Writes members one after the other into a hidden file beside `path`, which appears only when it is complete.

    Headers are written when their member has ended: sizes need not be known before. Every method may block.
    Raises Conflict where `path` exists, Denied where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        refuse_existing(self._path)
        self.members: list[Member] = []
        self._part = hidden(path)
        with disk(path, _WHAT):
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b", buffering=0)
        self._start: int | None = None
        self._end = 0
        self._digest = hashlib.sha256()

    @property
    def size(self) -> int:
        """Bytes of the content of the member under way."""
        assert self._start is not None
        return self._end - self._start - _BLOCK

    def begin(self) -> None:
        """A new member."""
        assert self._start is None
        self._start = self._end
        self._digest = hashlib.sha256()
        self._put(bytes(_BLOCK))

    def write(self, content: bytes) -> None:
        """More of the member under way."""
        self._digest.update(content)
        self._put(content)

    @property
    def sha256(self) -> str:
        """Of what has been written of the member under way, as hex."""
        return self._digest.hexdigest()

    def end(self, name: str) -> Member:
        """The member is complete, and has this name."""
        assert self._start is not None
        member = Member(name, self.size, self.sha256)
        self._put(bytes(-member.size % _BLOCK))
        with disk(self._path, _WHAT):
            os.pwrite(self._file.fileno(), header(name, member.size), self._start)
        self._start = None
        self.members.append(member)
        return member

    def drop(self) -> None:
        """The member under way is not wanted."""
        assert self._start is not None
        with disk(self._path, _WHAT):
            os.ftruncate(self._file.fileno(), self._start)
        self._end, self._start = self._start, None

    def add(self, name: str, content: bytes) -> Member:
        """A whole member."""
        self.begin()
        self.write(content)
        return self.end(name)

    def read(self, offset_in_content: int, count: int) -> bytes:
        """Of the member under way."""
        assert self._start is not None
        return os.pread(self._file.fileno(), count, self._start + _BLOCK + offset_in_content)

    def _put(self, content: bytes) -> None:
        with disk(self._path, _WHAT):
            view = memoryview(content)
            while view:
                written = os.pwrite(self._file.fileno(), view[:CHUNK], self._end)
                self._end += written
                view = view[written:]

    def finish(self, manifest: bytes, stopped: Callable[[], bool]) -> int:
        """Close the archive with its manifest, read it back, give it its name; returns its size in bytes.

        stopped: gives up with InterruptedError where true.
        """
        listed = self.add(MANIFEST, manifest)
        self.add(SEAL, seal(listed.sha256))
        self._put(_END)
        with disk(self._path, _WHAT):
            os.fsync(self._file.fileno())
        read_members(self._file.fileno(), stopped)
        with disk(self._path, _WHAT):
            settle(self._part, self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return self._end

    def close(self) -> None:
        """Leave nothing behind but the finished file; safe to call twice."""
        self._file.close()
        with suppress(FileNotFoundError):
            self._part.unlink()


def seal(digest: str) -> bytes:
    """What the last member has to say, in the form of `sha256sum`."""
    return f"{digest}  {MANIFEST}\n".encode()


@dataclass(slots=True)
class Found:
    """A member as it was found. offset: of its content in the file."""

    member: Member
    offset: int


@dataclass(slots=True)
class Members:
    """All members of a file whose every byte was looked at; manifest: the text of the list."""

    found: dict[str, Found] = field(default_factory=dict)
    manifest: str = ""


def damaged(detail: str) -> Protocol:
    """The refusal of a file that is not as it was written."""
    return Protocol(
        "the backup is damaged or cut short", detail=detail, hint="nothing was created; use another copy of the file"
    )


def read_members(descriptor: int, stopped: Callable[[], bool]) -> Members:
    """Read the whole file once: every header, every content, all padding, the end.

    stopped: asked for each MiB; where true the reading is given up with InterruptedError. Raises Protocol where a byte
    is not as `BackupWriter` writes it. What the manifest says of the other members is compared by `backup_contents`.
    """
    size = os.fstat(descriptor).st_size
    if size < 2 * _BLOCK + len(_END) or size % _BLOCK:
        raise damaged(f"{size} bytes are no whole archive")
    members, at = Members(), 0
    while at < size - len(_END):
        found = _member(descriptor, at, size - len(_END), stopped)
        name = found.member.name
        if name in members.found:
            raise damaged(f"{name} is there twice")
        members.found[name] = found
        at = found.offset + found.member.size + -found.member.size % _BLOCK
    if read_exactly(descriptor, at, len(_END)) != _END:
        raise damaged("its end is missing")
    names = list(members.found)
    if names[-2:] != [MANIFEST, SEAL]:
        raise damaged("its list of contents is missing")
    listed, sealed = (members.found[name] for name in names[-2:])
    if sealed.member.size > _BLOCK or read_text(descriptor, sealed).encode() != seal(listed.member.sha256):
        raise damaged("its list of contents has another hash than it should")
    members.manifest = read_text(descriptor, listed)
    return members


def _member(descriptor: int, at: int, limit: int, stopped: Callable[[], bool]) -> Found:
    block = read_exactly(descriptor, at, _BLOCK)
    try:
        entry = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        same = header(entry.name, entry.size) == block
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise damaged(f"no header at byte {at}: {error}") from error
    offset = at + _BLOCK
    if not same or entry.size < 0 or offset + entry.size > limit:
        raise damaged(f"the header at byte {at} is garbled")
    digest, read = hashlib.sha256(), 0
    while read < entry.size:
        if stopped():
            raise InterruptedError
        chunk = read_exactly(descriptor, offset + read, min(CHUNK, entry.size - read))
        digest.update(chunk)
        read += len(chunk)
    if any(read_exactly(descriptor, offset + entry.size, -entry.size % _BLOCK)):
        raise damaged(f"what follows {entry.name} is not empty")
    return Found(Member(entry.name, entry.size, digest.hexdigest()), offset)


def read_exactly(descriptor: int, offset: int, count: int) -> bytes:
    """`count` bytes of the file. Raises Protocol where it ends before, or cannot be read."""
    parts, left = [], count
    while left:
        try:
            part = os.pread(descriptor, left, offset + count - left)
        except OSError as error:
            raise damaged(f"it cannot be read: {error}") from error
        if not part:
            raise damaged(f"it ends within {count} bytes at {offset}")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def read_text(descriptor: int, found: Found) -> str:
    """A small member as text."""
    if found.member.size > MAX_TEXT:
        raise damaged(f"{found.member.name} has {found.member.size} bytes")
    try:
        return read_exactly(descriptor, found.offset, found.member.size).decode()
    except UnicodeDecodeError as error:
        raise damaged(f"{found.member.name} is no text: {error}") from error
