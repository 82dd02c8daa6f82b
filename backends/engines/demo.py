"""The demo engine: the whole Protocol over a world in memory. Touches no daemon, no file and no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

from backends.engine import ByteStream, EventStream, LogLines, StatsStream
from backends.engines import demo_images, demo_streams
from backends.engines.demo_actions import DemoActions, Role, recipe
from backends.engines.demo_faults import DemoFaults
from backends.engines.demo_names import full_reference
from backends.engines.demo_raw import raw_inspect
from backends.engines.demo_volumes import read_tar, write_tar
from backends.engines.demo_world import DemoHost, DemoWorld, utc_now
from backends.model.capabilities import EngineInfo
from backends.model.container import Container, LogLine, StatsReading
from backends.model.errors import BackendError, Unreachable, Unsupported
from backends.model.events import EngineEvent
from backends.model.ids import EngineId
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.workload import Volume, VolumeSpec, WorkloadSpec

_LARGEST_ARCHIVE = 256 * 1024 * 1024
"""Bytes: what is moved into the demo is kept in memory."""
DEFAULT_INFO = EngineInfo(
    version="demo",
    api_version="demo",
    rootless=False,
    local=False,
    os="Demo Linux",
    arch="amd64",
    kernel="6.12-demo",
    cgroup_version="2",
    cpus=32,
    memory_bytes=256 << 30,
    graph_root="/demo",
    cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"),
)
"""A machine with two GPUs."""


def _plain(_image: str) -> Role:
    return Role()


class DemoEngine:
    """One demo engine. `world` and `faults` are for scenarios and tests, which may reach into them.

    clock: gives aware datetimes. look_s, act_s: latency of questions and actions. host: shared by engines that are
    on one machine (ports). network: name of its default network. role_of: what an image's program does. seed: of logs.
    """

    def __init__(
        self,
        id: EngineId,
        *,
        clock: Callable[[], datetime] = utc_now,
        host: DemoHost | None = None,
        look_s: float = 0.0,
        act_s: float = 0.0,
        info: EngineInfo = DEFAULT_INFO,
        network: str = "bridge",
        role_of: Callable[[str], Role] = _plain,
        seed: int = 0,
    ) -> None:
        self._id = id
        self._info = info
        self.world = DemoWorld(id, clock=clock, host=host)
        self.faults = DemoFaults(look_s, act_s)
        self.actions = DemoActions(
            self.world, network=network, cdi_devices=info.cdi_devices, role_of=role_of, seed=seed
        )

    @property
    def id(self) -> EngineId:
        """See Engine; so for all that follows."""
        return self._id

    @property
    def endpoint(self) -> str:
        return f"demo://{self._id.name}"

    async def connect(self) -> EngineInfo:
        await self._look("connect")
        return self._info

    async def close(self) -> None:
        await asyncio.sleep(0)

    def go_down(self, error: BackendError | None = None) -> None:
        """As a daemon that is killed: streams break off, calls fail, until `come_back`."""
        self.faults.down = error or Unreachable("connection refused", hint="the demo engine is down", engine=self._id)
        self.world.break_streams(self.faults.down)

    def come_back(self) -> None:
        """It answers again."""
        self.faults.clear()

    # -- looking ---------------------------------------------------------------------------------
    async def list_containers(self) -> list[Container]:
        await self._look("list_containers")
        return [container.to_model(self._id) for container in self.world.containers.values()]

    async def inspect_container(self, container: str) -> Container:
        await self._look("inspect_container")
        return self.world.container(container).to_model(self._id)

    async def inspect_raw(self, container: str) -> dict[str, object]:
        await self._look("inspect_raw")
        return raw_inspect(self.world.container(container))

    @asynccontextmanager
    async def _subscribe(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        await self._look("subscribe")
        queue = self.world.subscribe()
        try:
            async with aclosing(demo_streams.events(self.world, queue)) as events:
                yield events
        finally:
            self.world.unsubscribe(queue)

    def subscribe(self) -> EventStream:
        return self._subscribe()

    @asynccontextmanager
    async def _logs(self, container: str, wish: demo_streams.LogWish) -> AsyncIterator[AsyncIterator[LogLine]]:
        await self._look("logs")
        found = self.world.container(container)
        async with aclosing(demo_streams.log_lines(self.world, self.faults, found, wish)) as lines:
            yield lines

    def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False
    ) -> LogLines:
        return self._logs(container, demo_streams.LogWish(follow, tail, timestamps))

    @asynccontextmanager
    async def _stats(
        self, containers: Sequence[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        await self._look("stats")
        batches = demo_streams.readings(self.world, self.faults, containers, interval_s, self._info.memory_bytes)
        async with aclosing(batches) as stream:
            yield stream

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        return self._stats(containers, interval_s)

    # -- acting on containers --------------------------------------------------------------------
    async def create_container(self, spec: WorkloadSpec) -> str:
        await self._act("create_container")
        return self.actions.create(spec).id

    async def start(self, container: str) -> None:
        await self._act("start")
        self.actions.start(container)

    async def stop(self, container: str, *, timeout_s: int | None = None) -> None:  # noqa: ARG002 - nothing here needs to be waited for
        await self._act("stop")
        self.actions.stop(container)

    async def restart(self, container: str) -> None:
        await self._act("restart")
        self.actions.stop(container)
        self.actions.start(container)
        self.world.tell(self.world.container(container), "restart")

    async def pause(self, container: str) -> None:
        await self._act("pause")
        self.actions.pause(container)

    async def unpause(self, container: str) -> None:
        await self._act("unpause")
        self.actions.unpause(container)

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        await self._act("kill")
        self.actions.kill(container, signal)

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        await self._act("remove")
        self.actions.remove(container, force=force, volumes=volumes)

    async def rename(self, container: str, name: str) -> None:
        await self._act("rename")
        self.actions.rename(container, name)

    async def wait_exit(self, container: str) -> int:
        await self._look("wait_exit")
        found = self.world.container(container)
        while found.state.alive and found.id in self.world.containers:
            await asyncio.sleep(0.02)
            self.world.advance()
        return found.exit_code or 0

    async def workload_spec(self, container: str) -> WorkloadSpec:
        await self._look("workload_spec")
        found = self.world.container(container)
        return recipe(found, self.world.image(found.image_id))

    # -- images ----------------------------------------------------------------------------------
    async def list_images(self) -> list[Image]:
        await self._look("list_images")
        return [demo_images.to_model(image, self._id) for image in self.world.images.values()]

    async def image_facts(self, reference: str) -> ImageFacts:
        await self._look("image_facts")
        return demo_images.to_facts(self.world.image(reference), self._id)

    async def image_layers(self, reference: str) -> LayerReport:
        await self._look("image_layers")
        return demo_images.to_layers(self.world.image(reference), self._id, reference)

    @asynccontextmanager
    async def _bytes(self, method: str, content: Callable[[], bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._look(method)
        async with aclosing(demo_streams.chunks(content())) as stream:
            yield stream

    def export_image(self, reference: str) -> ByteStream:
        def content() -> bytes:
            image = self.world.image(reference)
            full = full_reference(reference)
            return demo_images.write_archive(
                image, [full] if full in image.tags else []
            )  # by id: no name, as real ones

        return self._bytes("export_image", content)

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        await self._act("import_image")
        content = await self._collected(archive)
        images = await asyncio.to_thread(demo_images.read_archive, content, self._id)
        return tuple(self.actions.add_image(image) for image in images)

    async def tag_image(self, reference: str, target: str) -> None:
        await self._act("tag_image")
        self.actions.tag(reference, target)

    async def remove_image(self, reference: str) -> None:
        await self._act("remove_image")
        self.actions.remove_image(reference)

    # -- volumes ---------------------------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        await self._look("list_volumes")
        return [volume.to_model() for volume in self.world.volumes.values()]

    async def inspect_volume(self, name: str) -> Volume:
        await self._look("inspect_volume")
        return self.world.volume(name).to_model()

    async def create_volume(self, spec: VolumeSpec) -> None:
        await self._act("create_volume")
        self.actions.create_volume(spec)

    async def remove_volume(self, name: str) -> None:
        await self._act("remove_volume")
        self.actions.remove_volume(name)

    def export_volume(self, name: str, *, via_image: str) -> ByteStream:
        def content() -> bytes:
            self.world.image(via_image)
            return write_tar(self.world.volume(name))

        return self._bytes("export_volume", content)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        await self._act("import_volume")
        self.world.image(via_image)
        volume = self.world.volume(name)
        read_tar(volume, await self._collected(archive), self._id)

    # -- underneath ------------------------------------------------------------------------------
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
