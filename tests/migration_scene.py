"""Two demo engines with a container worth moving, and an engine that fails or is cancelled at a chosen call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.demo_world import DemoHost
from backends.migration import plan_migration, run_migration
from backends.model.container import MountKind, Port
from backends.model.errors import BackendError, Unreachable
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, MigrationReport, StepProgress
from backends.model.workload import MountSpec, RestartName, RestartPolicy, VolumeSpec, WorkloadSpec
from tests.volume_programs import WorkingDemo

TAG = "docker.io/demo/train:1"
OTHER_TAG = "docker.io/demo/other:1"
SOURCE = EngineId(EngineKind.DOCKER, "here")
TARGET = EngineId(EngineKind.PODMAN, "there")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def engine(who: EngineId, host: DemoHost, *, programs: bool) -> DemoEngine:
    """An empty engine. programs: its images can list volumes, so that volumes are copied before the stop."""
    return WorkingDemo(who, host=host) if programs else DemoEngine(who, host=host)


def spec(**changes: Any) -> WorkloadSpec:
    """A container with a bit of everything."""
    values: dict[str, Any] = {
        "name": "train",
        "image": TAG,
        "command": ("sleep", "infinity"),
        "env": {"EPOCHS": "3", "API_TOKEN": "hunter2"},
        "labels": {"team": "vision"},
        "user": "1000:1000",
        "workdir": "/work",
        "ports": (Port(80, "tcp", "", 8080),),
        "mounts": (
            MountSpec(MountKind.VOLUME, "data", "/data"),
            MountSpec(MountKind.BIND, "/srv/models", "/models", read_only=True),
            MountSpec(MountKind.VOLUME, "more", "/more", read_only=True),
        ),
        "restart": RestartPolicy(RestartName.ON_FAILURE, 3),
        "memory_bytes": 512 * 2**20,
        "cpus_nano": 1_500_000_000,
    }
    return WorkloadSpec(**{**values, **changes})


@dataclass
class Scene:
    """A source with the container `train`, and a target that has something of its own."""

    programs: bool = True
    source: DemoEngine = field(init=False)
    target: DemoEngine = field(init=False)

    def __post_init__(self) -> None:
        host = DemoHost()
        self.source = engine(SOURCE, host, programs=self.programs)
        self.target = engine(TARGET, host, programs=self.programs)

    async def furnish(self, recipe: WorkloadSpec | None = None, *, start: bool = True, known_as: str = "") -> str:
        """Make the container; returns its id. known_as: the image's name on the target, "" = it is not there."""
        steps = [BuildStep("FROM scratch", 2000), BuildStep("COPY . /", 3000)]
        self.source.actions.add_image(build([TAG], steps, {"Env": ["PATH=/bin"]}, EPOCH))
        if known_as:
            self.target.actions.add_image(build([known_as], steps, {"Env": ["PATH=/bin"]}, EPOCH))
        self.target.actions.add_image(build([OTHER_TAG], [BuildStep("RUN other", 500)], {}, EPOCH))
        for name in ("data", "more"):
            await self.source.create_volume(VolumeSpec(name, {"keep": "yes"}))
            volume = self.source.world.volumes[name]
            for number in range(20):
                volume.put(f"dir/file {number}", b"x" * number * 100, mode=0o640, uid=1000 + number, gid=7, mtime=99)
        await self.target.create_volume(VolumeSpec("precious"))
        self.target.world.volumes["precious"].put("a", b"b")
        await self.target.create_container(WorkloadSpec("neighbour", OTHER_TAG, command=("sleep", "infinity")))
        made = await self.source.create_container(recipe or spec())
        if start:
            await self.source.start(made)
        return made


def picture(seen: DemoEngine) -> dict[str, object]:
    """All that an engine has, for comparing before and after. Times and ids of events are left out."""
    world = seen.world
    return {
        "containers": {c.id: (c.spec, c.state) for c in world.containers.values()},
        "images": {image.id: sorted(image.tags) for image in world.images.values()},
        "volumes": {
            name: (
                dict(volume.labels),
                {path: (e.head.mode, e.head.uid, e.head.gid, e.content) for path, e in volume.entries.items()},
            )
            for name, volume in world.volumes.items()
        },
    }


class Fault(StrEnum):
    """What goes wrong at the chosen call."""

    BEFORE = "the call fails and has done nothing"
    AFTER = "the call has done its work, but its answer is lost"
    CANCEL = "the run is cancelled while the call is under way"
    CANCEL_AFTER = "the run is cancelled when the call has done its work"
    MIDWAY = "the stream breaks in the middle"


_STREAMS = frozenset({"export_image", "export_volume", "run_in_volume", "read_files"})
_PLAIN = frozenset({"id", "endpoint"})


class Saboteur:
    """Counts the calls of engines, and lets one of them go wrong. at: its number, from 0; None = only count."""

    def __init__(self, at: int | None = None, fault: Fault = Fault.BEFORE) -> None:
        self.at = at
        self.fault = fault
        self.calls: list[str] = []
        self.cancel: Callable[[], object] = lambda: None
        self.error: BackendError = Unreachable("the line was cut")

    def wrap(self, inner: Engine) -> Engine:
        """The engine, watched."""
        return cast(Engine, _Watched(inner, self))

    def strikes(self, name: str) -> bool:
        """Note a call; whether it is the chosen one."""
        self.calls.append(name)
        return len(self.calls) - 1 == self.at


class _Watched:
    def __init__(self, inner: Engine, saboteur: Saboteur) -> None:
        self._inner = inner
        self._saboteur = saboteur

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name in _PLAIN:
            return real
        return self._stream(name, real) if name in _STREAMS else self._call(name, real)

    def _call(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            struck = self._saboteur.strikes(f"{self._inner.id}.{name}")
            fault = self._saboteur.fault
            if struck and fault in {Fault.BEFORE, Fault.MIDWAY}:
                raise self._saboteur.error
            if struck and fault is Fault.CANCEL:
                self._saboteur.cancel()
                await asyncio.sleep(0)
            try:
                result = await real(*args, **kwargs)
            except BackendError as error:
                if struck and fault is Fault.AFTER:
                    raise self._saboteur.error from error
                if struck and fault is Fault.CANCEL_AFTER:
                    self._saboteur.cancel()
                raise
            if struck and fault is Fault.AFTER:
                raise self._saboteur.error
            if struck and fault is Fault.CANCEL_AFTER:
                self._saboteur.cancel()
                await asyncio.sleep(0)
            return result

        return call

    def _stream(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @asynccontextmanager
        async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[AsyncIterator[bytes]]:
            struck = self._saboteur.strikes(f"{self._inner.id}.{name}")
            fault = self._saboteur.fault
            if struck and fault is Fault.BEFORE:
                raise self._saboteur.error
            if struck and fault in {Fault.CANCEL, Fault.CANCEL_AFTER}:
                self._saboteur.cancel()
            async with real(*args, **kwargs) as chunks:
                yield self._cut(chunks) if struck and fault in {Fault.MIDWAY, Fault.AFTER} else chunks

        return stream

    async def _cut(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The first part of the first chunk (or all but its end), then the line breaks."""
        whole = b"".join([chunk async for chunk in chunks])
        yield whole[: len(whole) // 2 if self._saboteur.fault is Fault.MIDWAY else len(whole)]
        raise self._saboteur.error


async def move(
    scene: Scene,
    state_dir: Path,
    *,
    choices: Choices = Choices(),
    saboteur: Saboteur | None = None,
    updates: list[StepProgress] | None = None,
) -> MigrationReport:
    """Plan with the real engines, run with the watched ones."""
    plan = await plan_migration(scene.source, "train", scene.target, choices=choices)
    seen: list[StepProgress] = [] if updates is None else updates
    watcher = saboteur or Saboteur()
    return await run_migration(
        plan,
        watcher.wrap(scene.source),
        watcher.wrap(scene.target),
        on_update=seen.append,
        state_dir=state_dir,
        watch_s=0.0,
    )
