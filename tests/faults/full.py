"""An engine without a byte of room: what it must refuse by that name, and do again once there is room. No test."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from backends.engine import Engine
from backends.migration import plan_migration, run_migration
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict
from backends.model.plan import MigrationFailed
from backends.model.settings import NetworkingSpec
from tests import real
from tests.contract.lab import BUSYBOX
from tests.fake_registry import FakeRegistry
from tests.faults.scene import Scene
from tests.faults.services import Small

Wish = Callable[[Scene], Awaitable[object]]
COMMITTED = "docker.io/test/of-a-full-disk:1"
LAYER_BYTES = 1 << 20


@asynccontextmanager
async def no_room(scene: Scene) -> AsyncIterator[None]:
    """Another program takes the last byte of the disk that holds the engine's store, and gives it back."""
    assert isinstance(scene.private, Small)
    await asyncio.to_thread(scene.private.fill, 0)
    try:
        yield
    finally:
        await asyncio.to_thread(scene.private.empty)


async def _run(scene: Scene) -> None:
    made = await scene.direct.run()
    await scene.direct.engine.remove(made, force=True)


async def _commit(scene: Scene) -> None:
    engine = scene.direct.engine
    await engine.commit_container(scene.model, COMMITTED)
    await engine.remove_image(COMMITTED)


async def _load(scene: Scene) -> None:
    engine = scene.direct.engine
    async with scene.other.engine.export_image(BUSYBOX) as archive:
        await engine.import_image(archive)


async def _pull(scene: Scene) -> None:
    assert isinstance(scene.private, Small)
    engine = scene.direct.engine
    async with FakeRegistry(layers=2, layer_bytes=LAYER_BYTES).served(real.bring_up(), pid=scene.private.pid) as door:
        name = f"{door.address}/box/box:1"
        async with engine.pull(name, insecure=scene.struck.kind.value == "podman") as events:
            _ = [event async for event in events]
    await engine.remove_image(name)


async def _move(scene: Scene) -> None:
    """A container of the other engine, here and away again: what is not moved runs on there."""
    source: Engine = scene.other.engine
    name = scene.other.name()
    there = await scene.other.run(spec=replace(scene.other.spec(name=name), network=NetworkingSpec("none")))
    try:
        plan = await plan_migration(source, name, scene.direct.engine)
        assert not plan.blocked, plan.findings
        with tempfile.TemporaryDirectory() as folder:
            await run_migration(
                plan, source, scene.direct.engine, on_update=lambda _: None, state_dir=Path(folder), watch_s=0.0
            )
        await scene.direct.engine.remove(name, force=True)
    except MigrationFailed:
        assert (await source.inspect_container(there)).state is ContainerState.RUNNING
        raise
    finally:
        await source.remove(there, force=True)


WISHES: Mapping[str, Wish] = {"run": _run, "pull": _pull, "load": _load, "commit": _commit, "move": _move}


async def refuses(scene: Scene) -> float:
    """Each wish is refused, in words that say why and what to do; returns how long the slowest took."""
    slowest_s = 0.0
    for name, wish in WISHES.items():
        began = time.monotonic()
        try:
            await wish(scene)
        except BackendError as error:
            told = error
        else:
            raise AssertionError(f"{name}: done, without a byte of room")
        slowest_s = max(slowest_s, time.monotonic() - began)
        if isinstance(told, MigrationFailed):
            assert f"{scene.struck} has no space left" in told.title, repr(told)
            assert told.undone.left == (), told.undone
        else:
            assert (type(told), told.title) == (Conflict, "The engine's disk is full"), f"{name}: {told!r}"
        assert told.hint, name
        assert told.engine == scene.struck, name
    return slowest_s


async def goes_on(scene: Scene) -> None:
    """Each wish is done."""
    for wish in WISHES.values():
        await wish(scene)


__all__ = ["goes_on", "no_room", "refuses"]
