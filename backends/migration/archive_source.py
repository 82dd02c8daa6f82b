"""A checked backup as an engine that can only be read, so that a move can be made from it. Changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import NoReturn, cast

from backends.engine import ByteStream, Engine
from backends.migration.backup_contents import Backup
from backends.migration.backup_file import Found, damaged, read_text
from backends.migration.oci import content_of, docker_archive
from backends.model.capabilities import EngineInfo, Room
from backends.model.container import ChangedPath, Container, ContainerState
from backends.model.errors import NotFound, Unsupported
from backends.model.ids import ContainerKey, EngineId, ImageKey
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.network import Network
from backends.model.workload import Volume, WorkloadSpec
from backends.streams import read_ahead


def _hashed(backup: Backup, found: Found) -> Generator[bytes, None, None]:
    """A member's content; raises Protocol at its end where the file was changed since it was checked."""
    digest = hashlib.sha256()
    for piece in content_of(backup.descriptor, found):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != found.member.sha256:
        raise damaged(f"{found.member.name} has been changed since the file was checked")


@asynccontextmanager
async def _stream(pieces: Generator[bytes, None, None]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Each piece is read in a thread: disks may be slow. No thread reads any more when this is left."""
    async with aclosing(read_ahead(pieces)) as stream:
        yield stream


class _Refusal:
    """The answer of a method that a file does not have, be it a call or a stream."""

    def __init__(self, error: Unsupported) -> None:
        self._error = error

    def __await__(self) -> NoReturn:
        raise self._error

    async def __aenter__(self) -> NoReturn:
        raise self._error

    async def __aexit__(self, *_: object) -> None:
        """Never entered."""


class ArchiveSource:
    """The reading half of an engine, from a file. Of the origin's kind, so that a plan knows whose defaults hold.

    Its container is running where it ran when the backup was made, so that the copy is started; nothing stops it.
    What is not here raises Unsupported.
    """

    def __init__(self, backup: Backup) -> None:
        self._backup = backup
        self._contents = backup.contents
        self.id = EngineId(backup.contents.engine.kind, str(backup.path))
        self.endpoint = f"file://{backup.path}"

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name.startswith("_") or not hasattr(Engine, name):
            raise AttributeError(name)

        error = Unsupported(f"a backup has no {name.replace('_', ' ')}", engine=self.id)
        return lambda *_args, **_named: _Refusal(error)

    async def connect(self) -> EngineInfo:
        """What the origin said of itself; its host is not this one, as far as anybody knows."""
        return replace(self._contents.info, local=False)

    async def close(self) -> None:
        """Nothing: whoever opened the file closes it."""

    # -- the container ---------------------------------------------------------------------------
    async def list_containers(self) -> list[Container]:
        """The one."""
        seen = self._contents.container
        state = ContainerState.RUNNING if seen.state.alive else ContainerState.EXITED
        return [
            replace(seen, key=ContainerKey(self.id, seen.key.id), image_id=self._contents.image.key.id, state=state)
        ]

    async def inspect_container(self, container: str) -> Container:
        """The one, by id or name."""
        (seen,) = await self.list_containers()
        if container not in {seen.key.id, seen.name}:
            raise NotFound(f"{container} is not in the backup", engine=self.id)
        return seen

    async def workload_spec(self, container: str) -> WorkloadSpec:
        """Its recipe."""
        await self.inspect_container(container)
        return replace(self._backup.spec, image_id=self._contents.image.key.id)

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """What of the engine's own inspect JSON is kept: as whom it runs, the image's word included."""
        await self.inspect_container(container)
        text = await asyncio.to_thread(read_text, self._backup.descriptor, self._backup.image.config)
        try:
            of_image = (json.loads(text).get("config") or {}).get("User")
        except (ValueError, AttributeError, RecursionError) as error:
            raise damaged(f"the image's configuration: {error}") from error
        return {"Config": {"User": self._backup.spec.user or of_image or ""}}

    async def changed_paths(self, container: str) -> tuple[ChangedPath, ...]:
        """What is in the file of what it had changed."""
        await self.inspect_container(container)
        return tuple(stored.path for stored in self._contents.changes)

    def read_files(self, container: str, path: str) -> ByteStream:
        """A path of `changed_paths`."""
        if container not in {self._contents.container.key.id, self._contents.container.name}:
            raise NotFound(f"{container} is not in the backup", engine=self.id)
        for stored in self._contents.changes:
            if stored.path.path == path:
                return _stream(_hashed(self._backup, self._backup.found[stored.member]))
        raise NotFound(f"{path} is not in the backup", engine=self.id)

    # -- its image -------------------------------------------------------------------------------
    async def image_facts(self, reference: str) -> ImageFacts:
        """The one, by its name or id."""
        facts = self._contents.image
        names = {self._contents.reference, self._backup.spec.image, facts.key.id, f"sha256:{facts.key.id}"} - {""}
        if reference not in names:
            raise NotFound(f"{reference} is not in the backup", engine=self.id)
        tags = (self._contents.reference,) if self._contents.reference else ()
        return replace(facts, key=ImageKey(self.id, facts.key.id), tags=tags)

    async def image_layers(self, reference: str) -> LayerReport:
        """Nothing of them: how large they are unpacked does not stand in the file."""
        facts = await self.image_facts(reference)
        return LayerReport(facts.key, reference, ())

    async def list_images(self, *, nameless: bool = False) -> list[Image]:  # noqa: ARG002 - a file holds no others
        """The one."""
        facts = await self.image_facts(self._contents.image.key.id)
        return [Image(facts.key, facts.tags, facts.size_bytes, None, self._contents.digests)]

    @asynccontextmanager
    async def export_image(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """As docker-archive, made from the OCI layout."""
        await self.image_facts(reference)
        async with _stream(docker_archive(self._backup.image, lambda found: _hashed(self._backup, found))) as stream:
            yield stream

    # -- its volumes and networks ----------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        """All."""
        return [stored.volume for stored in self._contents.volumes]

    async def inspect_volume(self, name: str) -> Volume:
        """One."""
        for volume in await self.list_volumes():
            if volume.name == name:
                return volume
        raise NotFound(f"volume {name} is not in the backup", engine=self.id)

    @asynccontextmanager
    async def export_volume(
        self, name: str, *, via_image: str, paths: Sequence[str] = ()
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its tar as it was written, all of it; no image is needed."""
        del via_image, paths
        for stored in self._contents.volumes:
            if stored.volume.name == name:
                async with _stream(_hashed(self._backup, self._backup.found[stored.member])) as stream:
                    yield stream
                return
        raise NotFound(f"volume {name} is not in the backup", engine=self.id)

    async def list_networks(self) -> list[Network]:
        """Those that it joined."""
        return [Network(spec.name, spec) for spec in self._contents.networks]

    async def inspect_network(self, name: str) -> Network:
        """One."""
        for network in await self.list_networks():
            if network.spec.name == name:
                return network
        raise NotFound(f"network {name} is not in the backup", engine=self.id)

    async def room(self) -> Room:
        """Nothing is written here."""
        return Room()


def archive_source(backup: Backup) -> Engine:
    """The backup as the source of a move."""
    return cast(Engine, ArchiveSource(backup))
