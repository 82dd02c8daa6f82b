"""The blobs of one move, on disk: files 0600 in a folder 0700 that goes when the move ends. Knows no HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backends.private_folder import private_folder

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
    """A blob that is coming in; one writer at a time. said: its digest, "" = computed as it comes."""

    def __init__(self, path: Path, said: str = "") -> None:
        self.path = path
        self._written = 0
        self._said = said
        self._hash = hashlib.sha256()
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self._waiting = bytearray()

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._written + len(self._waiting)

    async def write(self, chunk: bytes) -> None:
        """Take more of it. Raises OSError where the disk is full."""
        self._waiting += chunk
        if len(self._waiting) >= PIECE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Everything that was taken is on disk."""
        piece, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self.put, piece)

    def put(self, piece: bytes | bytearray) -> None:
        """Write more of it at once; blocks. Raises OSError where the disk is full."""
        if not self._said:
            self._hash.update(piece)
        self._written += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self) -> str:
        """No more comes; returns its digest."""
        self._file.close()
        return self._said or f"sha256:{self._hash.hexdigest()}"

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
    """Blobs by digest, and uploads by id. received_bytes: of all uploads that were completed."""

    def __init__(self, folder: Path) -> None:
        """folder: where it makes its own, which `close` removes with all in it."""
        self.folder = Path(tempfile.mkdtemp(prefix="registry-", dir=private_folder(folder)))  # made 0700
        self.blobs: dict[str, Blob] = {}
        self.uploads: dict[str, Upload] = {}
        self.received_bytes = 0

    def begin(self, said: str = "") -> str:
        """A new upload; returns its id. said: a digest that is not checked here, since whoever pulls it checks it."""
        name = uuid.uuid4().hex
        self.uploads[name] = Upload(self.folder / f"upload-{name}", said)
        return name

    async def commit(self, name: str, digest: str) -> None:
        """The upload is complete. Raises Damaged, and forgets it, where it has another digest."""
        await self.uploads[name].flush()
        size = self.uploads[name].size
        found = self.keep(name, (digest,))
        if found != digest:
            raise Damaged(f"a blob of {size} bytes came as {digest} and is {found}")

    def keep(self, name: str, wanted: Collection[str]) -> str:
        """The upload is complete, and is a blob where its digest is one of these, else forgotten; returns its digest.

        All of it has been written by `put`.
        """
        upload = self.uploads.pop(name)
        digest = upload.finish()
        self.received_bytes += upload.size
        if digest in wanted:
            path = self.folder / digest.removeprefix("sha256:")
            upload.path.rename(path)
            self.blobs[digest] = Blob(path, upload.size)
        else:
            upload.drop()
        return digest

    def drop(self, name: str) -> None:
        """Forget an upload."""
        self.uploads.pop(name).drop()

    async def read(self, digest: str) -> bytes:
        """A small blob, whole (a config). Raises KeyError where it is not here."""
        return await asyncio.to_thread(self.blobs[digest].path.read_bytes)

    async def pieces(self, digest: str) -> AsyncGenerator[bytes, None]:
        """A blob, piece by piece. Raises KeyError where it is not here."""
        with await asyncio.to_thread(self.blobs[digest].path.open, "rb", 0) as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece

    def close(self) -> None:
        """Remove everything; safe to call twice."""
        for upload in self.uploads.values():
            upload.drop()
        self.uploads.clear()
        self.blobs.clear()
        if self.folder.exists():
            shutil.rmtree(self.folder)
