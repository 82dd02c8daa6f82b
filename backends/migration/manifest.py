"""A volume's manifest: what is in it, by which two copies are compared. Keeps about 300 bytes per file, no content."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace

from backends.migration.tarstream import TarEntry, TarReader, clean_path, xattr_digest

BATCH_BYTES = 512 * 1024
"""Bytes that go to a thread at once: hashing them takes about 1 ms, handing them over about 0.1 ms."""

_HARD_LINK, _DIRECTORY, _SYMLINK = "1", "5", "2"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is compared of one member; sha256 of the content, mtime_s only of files and directories below the root.

    group: the first path (in order of the alphabet) of those that are one file by hard links, "" where there are none.
    extra: a digest of the extended attributes, b"" where there are none.
    """

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime_s: int
    link: str
    device: tuple[int, int]
    sha256: bytes
    extra: bytes
    group: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All members by path ("" is the root)."""

    files: Mapping[str, FileFacts] = field(default_factory=dict)

    @property
    def content_bytes(self) -> int:
        """Bytes of all files, hard-linked ones once."""
        return sum(facts.size for path, facts in self.files.items() if facts.group in {"", path})

    def digest(self) -> str:
        """One short digest of everything, for people."""
        whole = hashlib.sha256()
        for path in sorted(self.files):
            whole.update(repr((path, self.files[path])).encode("utf-8", "surrogateescape"))
        return whole.hexdigest()[:16]

    def __str__(self) -> str:
        entries = "1 entry" if len(self.files) == 1 else f"{len(self.files)} entries"
        return f"{entries}, {self.content_bytes} bytes, sha256 {self.digest()}"


def _facts(entry: TarEntry) -> FileFacts:
    return FileFacts(
        kind=entry.kind,
        mode=0o777 if entry.kind == _SYMLINK else entry.mode,  # a link's own mode means nothing on Linux
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
        mtime_s=entry.mtime_s if entry.kind == "0" or (entry.kind == _DIRECTORY and entry.path) else 0,
        link=entry.link,
        device=entry.device,
        sha256=entry.sha256,
        extra=xattr_digest(entry.xattrs) if entry.xattrs else b"",
    )


class ManifestBuilder:
    """Takes members in any order and resolves hard links at the end."""

    def __init__(self) -> None:
        self._files: dict[str, FileFacts] = {}
        self._links: dict[str, str] = {}

    def add(self, entries: Iterable[TarEntry]) -> None:
        """More members."""
        for entry in entries:
            if entry.kind == _HARD_LINK:
                self._links[entry.path] = clean_path(entry.link)
            self._files[entry.path] = _facts(entry)

    def build(self) -> Manifest:
        """The manifest: every member of a group of hard links has the facts of the one that carries the content."""
        groups: dict[str, list[str]] = {}
        for path in self._links:
            carrier, seen = path, {path}
            while (following := self._links.get(carrier)) is not None and following not in seen:
                carrier = following
                seen.add(carrier)
            groups.setdefault(carrier, [carrier]).append(path)
        for carrier, members in groups.items():
            facts = self._files.get(carrier)
            if facts is None:  # a link to nothing in this tar: it stays as it is written
                continue
            first = min(members)
            for member in members:
                self._files[member] = replace(facts, group=first)
        return Manifest(self._files)


def differences(one: Manifest, other: Manifest) -> list[str]:
    """What differs, for people, one line per path; empty where they are equal."""
    lines = []
    for path in sorted(one.files.keys() | other.files.keys()):
        left, right = one.files.get(path), other.files.get(path)
        name = repr(f"./{path}")
        if left is None or right is None:
            lines.append(f"{name} is {'not on the source' if left is None else 'missing'}")
        elif left != right:
            what = [
                f"{label} {shown(getattr(left, attribute))} became {shown(getattr(right, attribute))}"
                for label, attribute, shown in _SHOWN
                if getattr(left, attribute) != getattr(right, attribute)
            ]
            lines.append(f"{name}: {', '.join(what)}")
    return lines


_SHOWN = (
    ("kind", "kind", str),
    ("mode", "mode", oct),
    ("owner", "uid", str),
    ("group", "gid", str),
    ("size", "size", str),
    ("time", "mtime_s", str),
    ("link", "link", repr),
    ("device", "device", str),
    ("content", "sha256", lambda digest: digest.hex()[:12]),
    ("attributes", "extra", lambda digest: digest.hex()[:12] or "none"),
    ("hard links", "group", repr),
)


class ManifestTap:
    """Makes the manifest of a tar that passes by. Hashing runs in a thread, one batch behind the stream.

    Bounded: at most two batches and one chunk are held. Use as an async context manager.
    """

    def __init__(self) -> None:
        self._reader = TarReader()
        self._builder = ManifestBuilder()
        self._pending = bytearray()
        self._job: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ManifestTap:
        return self

    async def __aexit__(self, *_: object) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    def _digest(self, batch: bytes) -> None:
        self._builder.add(self._reader.read(batch))

    async def _settle(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            await job

    async def feed(self, chunk: bytes) -> None:
        """More of the tar. Raises Protocol where it is none."""
        self._pending += chunk
        if len(self._pending) >= BATCH_BYTES:
            batch, self._pending = bytes(self._pending), bytearray()
            await self._settle()
            self._job = asyncio.create_task(asyncio.to_thread(self._digest, batch), name="manifest")

    async def finish(self) -> Manifest:
        """The manifest of all that passed. Raises Protocol where the tar is cut short."""
        await self._settle()
        await asyncio.to_thread(self._digest, bytes(self._pending))
        self._pending.clear()
        self._reader.close()
        return await asyncio.to_thread(self._builder.build)


async def read_manifest(chunks: AsyncIterator[bytes]) -> Manifest:
    """The manifest of a tar stream. Raises Protocol where it is no tar or is cut short."""
    async with ManifestTap() as tap:
        async for chunk in chunks:
            await tap.feed(chunk)
        return await tap.finish()
