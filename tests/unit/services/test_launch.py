"""A container that is started: what its start comes to, also where it goes wrong twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.container import Container
from backends.model.errors import Conflict, NotFound
from backends.model.events import OperationUpdate, Phase
from backends.model.workload import WorkloadSpec
from backends.services.creating import Stays
from backends.services.fleet import Fleet
from backends.services.launch import exit_within, launch
from tests.unit.services.fleet_facts import LONG_AGO, ONE


class Gone:
    """An engine whose container goes on until nobody waits for it any more, and is gone then (--rm)."""

    async def wait_exit(self, _container: str) -> int:
        await asyncio.Event().wait()
        raise AssertionError

    async def inspect_container(self, container: str) -> Container:
        raise NotFound(f"there is no {container}")


async def test_one_that_is_gone_after_the_wait_has_not_failed() -> None:
    assert await exit_within(cast(Engine, cast(Any, Gone())), "x", 0.001) == ""


class Waiting(DemoEngine):
    """An engine that waits in one of its calls until it is told; `firm`: it removes nothing."""

    def __init__(self, at: str, *, firm: bool = False) -> None:
        super().__init__(ONE)
        steps = [BuildStep("ADD", 10)]
        self.actions.add_image(build(["docker.io/library/box:1"], steps, {"Cmd": ["serve"]}, LONG_AGO))
        self.at, self.firm = at, firm
        self.reached, self.may_end = asyncio.Event(), asyncio.Event()

    async def _wait(self, at: str) -> None:
        if at == self.at:
            self.reached.set()
            await self.may_end.wait()

    async def create_container(self, spec: WorkloadSpec) -> str:
        await self._wait("create")
        return await super().create_container(spec)

    async def start(self, container: str) -> None:
        await self._wait("start")
        await super().start(container)

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        if self.firm:
            raise Conflict("it is held", engine=self.id)
        await super().remove(container, force=force, volumes=volumes)


@asynccontextmanager
async def _launching(engine: Waiting, *, keep: bool = False) -> AsyncIterator[tuple[asyncio.Task[Any], Fleet]]:
    """A launch that has come to where the engine waits."""
    fleet = Fleet([engine])
    await fleet.start()
    try:
        task = asyncio.create_task(launch(fleet, ONE, WorkloadSpec("web", "box:1"), keep=keep))
        async with asyncio.timeout(10):
            await engine.reached.wait()
            yield task, fleet
    finally:
        await fleet.close()


@pytest.mark.parametrize("at", ["create", "start"])
async def test_one_that_is_called_off_leaves_nothing(at: str) -> None:
    engine = Waiting(at)
    async with _launching(engine) as (task, _):
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        engine.may_end.set()
        await asyncio.wait({task})
        assert task.cancelled()
        assert await engine.list_containers() == []


@pytest.mark.parametrize(("at", "keep"), [("create", False), ("start", False), ("start", True)])
async def test_one_that_is_called_off_and_stays_is_named(at: str, keep: bool) -> None:
    engine = Waiting(at, firm=not keep)
    told: list[OperationUpdate] = []
    async with _launching(engine, keep=keep) as (task, fleet):
        fleet.operations.subscribe(told.append)
        task.cancel()
        engine.may_end.set()
        with pytest.raises(Stays) as raised:
            await task
    (last,) = told
    assert last.phase is Phase.FAILED
    assert last.error is raised.value.error
    assert "web was called off, and stays" in str(last.error)
    assert last.error.hint == "tranship rm web removes it"
    assert [row.name for row in await engine.list_containers()] == ["web"]
