"""The blobs of one move, on disk: files 0600 in a folder 0700 that goes when the move ends. Knows no HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""The only algorithm that Docker and Podman use for blobs; source: OCI image spec, descriptor.md, "Digests"."""

PIECE_BYTES = 1 << 20
"""What is hashed and written in one go, in a thread: about a millisecond, and all that is held of a blob."""


class Damaged(ValueError):
    """A blob that is not what its digest says."""


def digest_of(data: bytes) -> str:
    """The digest of these bytes, "sha256:…"."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Upload:
    """A blob that is coming in; one writer at a time. size: bytes written so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self._waiting = bytearray()

    async def write(self, chunk: bytes) -> None:
        """Take more of it. Raises OSError where the disk is full."""
        self._waiting += chunk
        self.size += len(chunk)
        if len(self._waiting) >= PIECE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        piece, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self._put, piece)

    def _put(self, piece: bytearray) -> None:
        self._hash.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    async def finish(self) -> str:
        """Everything is on disk; returns its digest."""
        await self._flush()
        self._file.close()
        return f"sha256:{self._hash.hexdigest()}"

    def drop(self) -> None:
        """Forget it."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob on disk. size: bytes."""

    path: Path
    size: int


class Depot:
    """Blobs by digest, and uploads by id."""

    def __init__(self, folder: Path) -> None:
        """folder: where it makes its own, which `close` removes with all in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="registry-", dir=folder))  # made 0700
        self.blobs: dict[str, Blob] = {}
        self.uploads: dict[str, Upload] = {}
        self.received_bytes = 0

    def begin(self) -> str:
        """A new upload; returns its id."""
        name = uuid.uuid4().hex
        self.uploads[name] = Upload(self.folder / f"upload-{name}")
        return name

    async def commit(self, name: str, digest: str) -> None:
        """The upload is complete. Raises Damaged, and forgets it, where it has another digest."""
        upload = self.uploads.pop(name)
        found = await upload.finish()
        if found != digest:
            upload.drop()
            raise Damaged(f"a blob of {upload.size} bytes came as {digest} and is {found}")
        path = self.folder / digest.removeprefix("sha256:")
        upload.path.rename(path)
        self.blobs[digest] = Blob(path, upload.size)

    def drop(self, name: str) -> None:
        """Forget an upload."""
        self.uploads.pop(name).drop()

    async def read(self, digest: str) -> bytes:
        """A small blob, whole (a config). Raises KeyError where it is not here."""
        return await asyncio.to_thread(self.blobs[digest].path.read_bytes)

    async def pieces(self, digest: str) -> AsyncIterator[bytes]:
        """A blob, piece by piece. Raises KeyError where it is not here."""
        with await asyncio.to_thread(self.blobs[digest].path.open, "rb", 0) as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece

    @property
    def held_bytes(self) -> int:
        """What lies on disk now."""
        return sum(blob.size for blob in self.blobs.values()) + sum(one.size for one in self.uploads.values())

    def close(self) -> None:
        """Remove everything; safe to call twice."""
        for upload in self.uploads.values():
            upload.drop()
        self.uploads.clear()
        self.blobs.clear()
        if self.folder.exists():
            shutil.rmtree(self.folder)
