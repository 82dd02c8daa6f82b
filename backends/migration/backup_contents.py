"""What a backup says of itself, and the check that a file holds all of it. Asks no engine; opens blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from backends.migration.backup_file import MANIFEST, SEAL, Found, Member, damaged, read_members, read_text
from backends.migration.manifest import Manifest
from backends.migration.oci import StoredImage, stored_image
from backends.model.capabilities import EngineInfo
from backends.model.codec import from_json
from backends.model.container import ChangedPath, Container, MountKind
from backends.model.errors import Denied, NotFound, Protocol
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.network import NetworkSpec
from backends.model.workload import Volume, WorkloadSpec

FORMAT = 1
SPEC = "spec.json"
VOLUMES = "volumes/"
CHANGES = "changes/"
_LINES = 10_000
"""Files whose facts are written at once: about 4 MB of text."""


@dataclass(frozen=True, slots=True)
class StoredVolume:
    """A volume in the file. member: its tar; listing: the facts of its files, one JSON object a line.

    entries, content_bytes, digest: of its manifest, for people and for comparing two backups.
    """

    volume: Volume
    member: str
    listing: str
    entries: int
    content_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """A changed file or folder of the container's own layer. member: a tar as `Engine.read_files` gives it."""

    path: ChangedPath
    member: str


@dataclass(frozen=True, slots=True)
class Contents:
    """manifest.json of a backup.

    version: of Tranship. engine, info, container: where it was, and as it was seen before anything was stopped.
    image, reference, digests: what it ran (or what was made of it), its full name or "", its registry's digests.
    networks: how those that it joined were made. live: it ran on while its volumes were read.
    committed: the image has the container's own changes in it. changes: they are kept beside it.
    members: all other members, in their order.
    """

    format: int
    version: str
    created_at: datetime
    engine: EngineId
    info: EngineInfo
    container: Container
    image: ImageFacts
    reference: str
    digests: tuple[str, ...]
    volumes: tuple[StoredVolume, ...]
    networks: tuple[NetworkSpec, ...]
    live: bool
    committed: bool
    changes: tuple[StoredFiles, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that was read whole and found right; it stays open until `close`. size_bytes: of the file."""

    path: Path
    descriptor: int
    size_bytes: int
    contents: Contents
    spec: WorkloadSpec
    image: StoredImage
    found: dict[str, Found]

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def listing(manifest: Manifest) -> Iterator[bytes]:
    """The facts of a volume's files as JSON lines, in the order of their paths, some thousand at once."""
    lines: list[str] = []
    for path in sorted(manifest.files):
        lines.append(json.dumps({"path": path} | msgspec.to_builtins(manifest.files[path]), separators=(",", ":")))
        if len(lines) >= _LINES:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    yield "".join(f"{line}\n" for line in lines).encode()


def open_backup(path: Path, stopped: Callable[[], bool] = lambda: False) -> Backup:
    """Read the whole file and check every byte, hash, size and reference; nothing is created.

    stopped: asked for each MiB; gives up with InterruptedError where true. Raises NotFound or Denied where it cannot be
    opened, Protocol where it is no backup, is damaged or cut short, or was written by a newer Tranship.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}") from error
    except OSError as error:
        raise Denied(f"{path} cannot be read", detail=str(error)) from error
    try:
        if not os.path.isfile(path):
            raise Denied(f"{path} is no file", hint="a backup is one file")
        return _checked(path, descriptor, stopped)
    except BaseException:
        os.close(descriptor)
        raise


def _checked(path: Path, descriptor: int, stopped: Callable[[], bool]) -> Backup:
    members = read_members(descriptor, stopped)
    contents = from_json(Contents, members.manifest)
    if contents.format != FORMAT:
        raise Protocol(f"a backup of format {contents.format}", detail=f"format {FORMAT} can be read")
    found = members.found
    listed = list(contents.members)
    if listed != [entry.member for name, entry in found.items() if name not in {MANIFEST, SEAL}]:
        raise damaged("its list of contents is not what is in it")
    wanted = [SPEC, *(stored.member for stored in contents.changes)]
    wanted += [name for volume in contents.volumes for name in (volume.member, volume.listing)]
    for name in wanted:
        if name not in found:
            raise damaged(f"{name} is missing")
    spec = from_json(WorkloadSpec, read_text(descriptor, found[SPEC]))
    volumes = {stored.volume.name for stored in contents.volumes}
    lacking = {mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME} - volumes
    if lacking:
        raise damaged(f"volume {min(lacking)} is missing")
    image = stored_image(descriptor, found, contents.image)
    return Backup(path, descriptor, os.fstat(descriptor).st_size, contents, spec, image, found)
