"""The demo engine's stores: images, networks, volumes, room. What containers do stands in demo.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

from backends.engine import BuildStream, ByteStream
from backends.engines import demo_images, demo_streams
from backends.engines.demo_actions import DemoActions, env_of
from backends.engines.demo_build import DemoBuild
from backends.engines.demo_faults import DemoFaults
from backends.engines.demo_files import Files, rootfs
from backends.engines.demo_names import full_reference
from backends.engines.demo_shell import NOT_FOUND, NoSuchProgram, Place, run
from backends.engines.demo_volumes import read_tar, write_tar
from backends.engines.demo_world import DemoWorld
from backends.engines.image_config import image_config
from backends.engines.mounted import mounted_in
from backends.model.build import BuildEvent, BuildSpec, ImageBuilt, StepBegun
from backends.model.capabilities import EngineInfo, Room
from backends.model.errors import Conflict, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.image_config import ImageConfig
from backends.model.network import Network, NetworkSpec
from backends.model.workload import Volume, VolumeSpec

_LARGEST_ARCHIVE = 256 * 1024 * 1024
"""Bytes: what is moved into the demo is kept in memory."""


class DemoStores:
    """See Engine for each method. world, faults: for scenarios and tests, which may reach into them."""

    def __init__(
        self, id: EngineId, info: EngineInfo, world: DemoWorld, faults: DemoFaults, actions: DemoActions
    ) -> None:
        self._id = id
        self._info = info
        self.world = world
        self.faults = faults
        self.actions = actions
        self.logged_in: dict[str, str] = {}
        self._steps_done: dict[str, demo_images.DemoImage] = {}

    # -- images ----------------------------------------------------------------------------------
    async def list_images(self, *, nameless: bool = False) -> list[Image]:
        await self._look("list_images")
        used = {container.image_id for container in self.world.containers.values()}
        return [
            demo_images.to_model(image, self._id)
            for image in self.world.images.values()
            if nameless or image.tags or image.id in used
        ]

    async def image_facts(self, reference: str) -> ImageFacts:
        await self._look("image_facts")
        return demo_images.to_facts(self.world.image(reference), self._id)

    async def image_config(self, reference: str) -> ImageConfig:
        await self._look("image_config")
        image = self.world.image(reference)
        facts = demo_images.to_facts(image, self._id)
        return image_config({"Os": facts.os, "Architecture": facts.architecture}, image.settings)

    async def image_layers(self, reference: str) -> LayerReport:
        await self._look("image_layers")
        return demo_images.to_layers(self.world.image(reference), self._id, reference)

    def export_image(self, reference: str) -> ByteStream:
        return self._export_image(reference)

    @asynccontextmanager
    async def _export_image(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._look("export_image")
        image, full = self.world.image(reference), full_reference(reference)
        names = [full] if full in image.tags else []  # by id: no name, as real ones
        archive = await asyncio.to_thread(demo_images.write_archive, image, names)
        async with aclosing(demo_streams.chunks(archive)) as stream:
            yield stream

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        await self._act("import_image")
        content = await self._collected(archive)
        images = await asyncio.to_thread(demo_images.read_archive, content, self._id)
        self.world.check_room(sum(demo_images.shown_bytes(image) for image in images))
        return tuple(self.actions.add_image(image) for image in images)

    async def tag_image(self, reference: str, target: str) -> None:
        await self._act("tag_image")
        self.actions.tag(reference, target)

    async def remove_image(self, reference: str) -> None:
        await self._act("remove_image")
        self.actions.remove_image(reference)

    async def push_image(self, reference: str, destination: str) -> None:
        await self._act("push_image")
        self.world.image(reference)
        raise Unsupported("the demo fleet has no registries", detail=destination, engine=self._id)

    async def pull_image(self, reference: str) -> str:
        await self._act("pull_image")
        raise Unsupported("the demo fleet has no registries", detail=reference, engine=self._id)

    def build_image(self, spec: BuildSpec, context: AsyncIterator[bytes]) -> BuildStream:
        return self._build_image(spec, context)

    @asynccontextmanager
    async def _build_image(
        self, spec: BuildSpec, context: AsyncIterator[bytes]
    ) -> AsyncIterator[AsyncIterator[BuildEvent]]:
        await self._act("build_image")
        content = await self._collected(context)
        async with aclosing(self._built(spec, content)) as events:
            yield events

    async def _built(self, spec: BuildSpec, content: bytes) -> AsyncGenerator[BuildEvent, None]:
        for event in DemoBuild(self.world, spec, content, self._steps_done).steps():
            if isinstance(event, StepBegun):
                await self._act("build_step")
            if isinstance(event, ImageBuilt) and spec.tags:
                self.actions.tag(event.image, spec.tags[0])
            yield event

    async def room(self) -> Room:
        await self._look("room")
        free, spools = self.world.host.free_bytes, self.world.like is EngineKind.PODMAN
        return Room(self._info.graph_root, free, "/var/tmp" if spools else "", free if spools else None)

    # -- networks --------------------------------------------------------------------------------
    async def list_networks(self) -> list[Network]:
        await self._look("list_networks")
        return list(self.world.networks.values())

    async def inspect_network(self, name: str) -> Network:
        await self._look("inspect_network")
        return self.world.network(name)

    async def create_network(self, spec: NetworkSpec) -> None:
        await self._act("create_network")
        self.actions.create_network(spec)

    async def remove_network(self, name: str) -> None:
        await self._act("remove_network")
        self.actions.remove_network(name)

    # -- volumes ---------------------------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        await self._look("list_volumes")
        return [volume.to_model() for volume in self.world.volumes.values()]

    async def inspect_volume(self, name: str) -> Volume:
        await self._look("inspect_volume")
        return self.world.volume(name).to_model()

    async def volume_users(self) -> Mapping[str, tuple[str, ...]]:
        await self._look("volume_users")
        return mounted_in(one.to_model(self._id) for one in self.world.containers.values())

    async def volume_sizes(self) -> Mapping[str, int]:
        await self._look("volume_sizes")
        volumes = self.world.volumes.items()
        return {name: sum(len(entry.content) for entry in one.entries.values()) for name, one in volumes}

    async def create_volume(self, spec: VolumeSpec) -> None:
        await self._act("create_volume")
        self.actions.create_volume(spec)

    async def remove_volume(self, name: str) -> None:
        await self._act("remove_volume")
        self.actions.remove_volume(name)

    def export_volume(self, name: str, *, via_image: str, paths: Sequence[str] = ()) -> ByteStream:
        del paths  # all of it

        def content() -> bytes:
            self.world.image(via_image)
            return write_tar(self.world.volume(name))

        return self._bytes("export_volume", content)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        await self._act("import_volume")
        self.world.image(via_image)
        volume = self.world.volume(name)
        content = await self._collected(archive)
        self.world.check_room(len(content))
        read_tar(volume, content, self._id)

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        def content() -> bytes:
            image, volume = self.world.image(via_image), self.world.volume(name)
            closed = ["/volume"] if read_only else []
            files = Files(self._id, rootfs(image.layers), {}, {"/volume": volume}, read_only=closed)
            try:
                done = run(argv, Place(files, env_of(image), "tranship-helper", "/volume", stdin))
            except NoSuchProgram as unknown:
                raise Unsupported(
                    "the demo's images have no shell for that", detail=f"no {argv[0]} for it", engine=self._id
                ) from unknown
            said = done.stderr.decode("utf-8", "replace").strip()
            if done.exit_code == NOT_FOUND:
                raise Unsupported(f"the image {via_image} lacks a program", detail=said, engine=self._id)
            if done.exit_code:
                raise Conflict(f"{argv[0]} ended with {done.exit_code}", detail=said, engine=self._id)
            return done.stdout

        return self._bytes("run_in_volume", content)

    # -- underneath ------------------------------------------------------------------------------
    @asynccontextmanager
    async def _bytes(self, method: str, content: Callable[[], bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._look(method)
        async with aclosing(demo_streams.chunks(content())) as stream:
            yield stream

    async def _look(self, method: str) -> None:
        await self.faults.passing(method)
        self.world.advance()

    async def _act(self, method: str) -> None:
        await self.faults.passing(method, acts=True)
        self.world.advance()

    async def _collected(self, archive: AsyncIterator[bytes]) -> bytes:
        content = bytearray()
        async for chunk in archive:
            content += chunk
            if len(content) > _LARGEST_ARCHIVE:
                raise Unsupported("too large for the demo engine", detail="it keeps all in memory", engine=self._id)
        return bytes(content)
