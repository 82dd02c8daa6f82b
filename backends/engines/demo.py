"""The demo engine: the whole Protocol over a world in memory. Touches no daemon, no file and no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime

from backends.engine import ByteStream, EventStream, LogLines, Session, SessionContext, StatsStream
from backends.engines import demo_streams
from backends.engines.demo_actions import DemoActions, Role, env_of, recipe
from backends.engines.demo_container import DemoContainer
from backends.engines.demo_faults import DemoFaults
from backends.engines.demo_files import Files, ReadOnly, changes, rootfs
from backends.engines.demo_raw import raw_inspect
from backends.engines.demo_shell import NoSuchProgram, Place, run
from backends.engines.demo_talk import DemoSession, listening, session_of
from backends.engines.demo_transfers import DemoTransfers
from backends.engines.demo_world import DemoHost, DemoWorld, utc_now
from backends.engines.no_cluster import NoCluster
from backends.model.capabilities import EngineInfo, EnginePolicy
from backends.model.container import (
    ChangedPath,
    Container,
    ContainerState,
    ExecResult,
    Health,
    LogLine,
    StatsReading,
)
from backends.model.errors import BackendError, Conflict, Unreachable, Unsupported
from backends.model.events import EngineEvent
from backends.model.ids import EngineId, EngineKind
from backends.model.process import ContainerProcess
from backends.model.rights import PODMAN_CAPS
from backends.model.session import ExecSpec, TerminalSize
from backends.model.workload import RestartPolicy, WorkloadSpec

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
    host="demo",
    cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"),
)
"""A machine with two GPUs."""
_DOCKER_POLICY = EnginePolicy(
    userns_remap=False, live_restore=False, no_new_privileges=False, swarm=False, search_registries=("docker.io",)
)
_PODMAN_POLICY = EnginePolicy(default_caps=tuple(sorted(PODMAN_CAPS)), search_registries=("docker.io", "quay.io"))
_LONGEST_SAYING = 1 << 20
"""Bytes, see ExecResult."""


def _plain(_image: str) -> Role:
    return Role()


class DemoEngine(DemoTransfers, NoCluster):
    """One demo engine. `world` and `faults` are for scenarios and tests, which may reach into them.

    clock: gives aware datetimes. look_s, act_s: latency of questions and actions. host: shared by engines that are
    on one machine (ports, disk). like: whose networks and defaults it has, None = its id's kind says it, else Docker's.
    role_of: what an image's program does. seed: of logs.
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
        like: EngineKind | None = None,
        role_of: Callable[[str], Role] = _plain,
        seed: int = 0,
    ) -> None:
        model = like or (EngineKind.PODMAN if id.kind is EngineKind.PODMAN else EngineKind.DOCKER)
        world = DemoWorld(id, clock=clock, host=host, like=model)
        actions = DemoActions(world, cdi_devices=info.cdi_devices, role_of=role_of, seed=seed)
        if info.policy == EnginePolicy():
            info = replace(info, policy=_PODMAN_POLICY if model is EngineKind.PODMAN else _DOCKER_POLICY)
        super().__init__(id, info, world, DemoFaults(look_s, act_s), actions)

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
        return raw_inspect(self.world.container(container), self.world.like)

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
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        timestamps: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> LogLines:
        return self._logs(container, demo_streams.LogWish(follow, tail, timestamps, since, until))

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
        self.actions.restart(container)

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

    async def set_restart(self, container: str, policy: RestartPolicy) -> None:
        await self._act("set_restart")
        self.actions.set_restart(container, policy)

    async def execute(self, container: str, argv: Sequence[str]) -> ExecResult:
        await self._act("execute")
        found = self._running(container)
        place = self._place(found)
        try:
            done = run(argv, place)
        except NoSuchProgram as unknown:
            raise Unsupported(f"{found.spec.name} has no program {unknown}", engine=self._id) from unknown
        return ExecResult(done.exit_code, done.stdout[:_LONGEST_SAYING], done.stderr[:_LONGEST_SAYING])

    def _running(self, container: str) -> DemoContainer:
        found = self.world.container(container)
        if found.state is not ContainerState.RUNNING:
            raise Conflict(f"{found.spec.name} is not running", hint="Start it first.", engine=self._id)
        return found

    def _place(self, found: DemoContainer) -> Place:
        env = {**env_of(self.world.image(found.image_id)), **found.spec.env}
        return Place(self._files(found.id), env, found.spec.hostname or found.id[:12], found.spec.workdir or "/")

    def open_exec(self, container: str, spec: ExecSpec) -> SessionContext:
        return self._open_exec(container, spec)

    @asynccontextmanager
    async def _open_exec(self, container: str, spec: ExecSpec) -> AsyncIterator[Session]:
        await self._act("open_exec")
        place = self._place(self._running(container))
        env = dict(pair.partition("=")[::2] for pair in spec.env)
        yield session_of(spec, replace(place, env={**place.env, **env}, folder=spec.workdir or place.folder))

    def open_attach(self, container: str, *, stdin: bool = True, size: TerminalSize | None = None) -> SessionContext:
        del stdin  # its workloads read none
        return self._open_attach(container, size)

    @asynccontextmanager
    async def _open_attach(self, container: str, size: TerminalSize | None) -> AsyncIterator[Session]:
        await self._act("open_attach")
        found = self._running(container)
        session = DemoSession(tty=found.spec.tty, size=size)
        lines = demo_streams.log_lines(self.world, self.faults, found, demo_streams.LogWish(True, 0, False))
        listener = asyncio.create_task(listening(session, lines, lambda: found.exit_code or 0), name="demo attach")
        try:
            yield session
        finally:
            listener.cancel()
            await asyncio.wait([listener])

    async def processes(self, container: str) -> tuple[ContainerProcess, ...]:
        await self._look("processes")
        found = self.world.container(container)
        if not found.state.alive:
            raise Conflict(f"{found.spec.name} is not running", engine=self._id)
        return demo_streams.processes(found, self.world.clock())

    async def check_health(self, container: str) -> Health:
        await self._look("check_health")
        return self.world.container(container).health

    async def workload_spec(self, container: str) -> WorkloadSpec:
        await self._look("workload_spec")
        found = self.world.container(container)
        return recipe(found, self.world.image(found.image_id))

    # -- its files -------------------------------------------------------------------------------
    async def changed_paths(self, container: str) -> tuple[ChangedPath, ...]:
        await self._look("changed_paths")
        found = self.world.container(container)
        return changes(rootfs(self.world.image(found.image_id).layers), found.layer)

    def read_files(self, container: str, path: str) -> ByteStream:
        return self._bytes("read_files", lambda: self._files(container).pack(path))

    async def write_files(self, container: str, path: str, archive: AsyncIterator[bytes]) -> None:
        await self._act("write_files")
        files = self._files(container)
        files.need(path)
        content = await self._collected(archive)
        try:
            files.unpack(path, content)
        except ReadOnly as place:
            raise Conflict(f"{place} is read-only in {container}", engine=self._id) from place

    async def commit_container(self, container: str, reference: str) -> str:
        await self._act("commit_container")
        return self.actions.commit(container, reference).id

    def _files(self, container: str) -> Files:
        found = self.world.container(container)
        mounts = found.spec.mounts
        return Files(
            self._id,
            rootfs(self.world.image(found.image_id).layers),
            found.layer,
            {one.destination: self.world.volumes.get(one.source) for one in mounts},
            read_only=[one.destination for one in mounts if one.read_only]
            + (["/"] if found.spec.security.read_only_rootfs else []),
        )
