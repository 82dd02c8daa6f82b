"""The fleet: engines, absent ones, tasks, and that none of them takes the others with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.model.container import Container
from backends.model.errors import NotFound, Protocol, Unreachable
from backends.model.events import Link
from backends.model.ids import EngineId, EngineKind
from backends.services.fleet import Fleet
from backends.services.supervisor import Timing
from tests.unit.services.fleet_facts import ONE, TWO, until

_ABSENT = EngineId(EngineKind.PODMAN, "podman")


@dataclass(frozen=True)
class Found:
    """As discovery says it."""

    id: EngineId
    absent: str
    hint: str
    source: str = ""


class Broken:
    """An engine with a bug in it."""

    id = TWO
    endpoint = "demo://two"

    async def connect(self) -> object:
        raise ZeroDivisionError("a bug")

    async def close(self) -> None:
        """Nothing to close."""


async def test_engines_are_found_by_id_and_absent_ones_say_why() -> None:
    one = DemoEngine(ONE)
    fleet = Fleet([one], absent=[Found(_ABSENT, "podman is not installed", "apt install podman")])
    assert fleet.engine(ONE) is one
    assert fleet.engines == (one,)
    with pytest.raises(Unreachable, match="not installed") as absent:
        fleet.engine(_ABSENT)
    assert absent.value.hint == "apt install podman"
    with pytest.raises(NotFound) as unknown:
        fleet.engine(TWO)
    assert "one" in unknown.value.hint
    view = fleet.store.view
    assert view.engines[_ABSENT].connection.link is Link.ABSENT
    assert view.engines[ONE].connection.link is Link.CONNECTING
    await fleet.close()


async def test_ready_waits_for_a_list_or_a_failure_of_each() -> None:
    up, down = DemoEngine(ONE), DemoEngine(TWO)
    down.go_down()
    fleet = Fleet([up, down])
    await fleet.start()
    assert await fleet.ready(10)
    links = {id: engine.connection.link for id, engine in fleet.store.view.engines.items()}
    assert links == {ONE: Link.CONNECTED, TWO: Link.LOST}
    down.come_back()
    fleet.retry_now(TWO)
    await until(lambda: fleet.store.view.engines[TWO].connection.link is Link.CONNECTED)
    await fleet.close()
    await fleet.close()


async def test_ready_says_when_one_is_too_late_and_a_hung_engine_slows_no_other() -> None:
    up, hung = DemoEngine(ONE), DemoEngine(TWO)
    hung.faults.hang()
    fleet = Fleet([up, hung], timing=Timing(answer_s=30.0))
    await fleet.start()
    assert not await fleet.ready(0.1)
    assert fleet.store.view.engines[ONE].connection.link is Link.CONNECTED
    assert fleet.store.view.engines[TWO].connection.link is Link.CONNECTING
    await fleet.close()


async def test_a_bug_in_one_supervision_is_said_and_kills_no_other(caplog: pytest.LogCaptureFixture) -> None:
    up = DemoEngine(ONE)
    fleet = Fleet([up, cast(Engine, Broken())])
    await fleet.start()
    assert await fleet.ready(10)
    await until(lambda: fleet.store.view.engines[ONE].connection.link is Link.CONNECTED)
    broken = fleet.store.view.engines[TWO].connection
    assert (broken.link, type(broken.error)) == (Link.LOST, Protocol)
    assert "supervisor of two ended" in caplog.text
    await fleet.close()


async def test_background_tasks_run_as_long_as_the_fleet(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def sampler(fleet: Fleet) -> None:
        try:
            seen.append(fleet.store.view.engines[ONE].id.name)
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("ended")

    async def broken(_fleet: Fleet) -> None:
        raise ZeroDivisionError("a bug in a sampler")

    fleet = Fleet([DemoEngine(ONE)], background={"stats": sampler, "gpus": broken})
    await fleet.start()
    await fleet.ready(10)
    await until(lambda: "gpus ended" in caplog.text)
    assert seen == ["one"]
    await fleet.close()
    assert seen == ["one", "ended"]


async def test_an_empty_fleet_is_ready() -> None:
    fleet = Fleet([])
    await fleet.start()
    assert await fleet.ready(1)
    await fleet.close()


async def test_no_task_outlives_the_fleet() -> None:
    before = asyncio.all_tasks()
    fleet = Fleet([DemoEngine(ONE), DemoEngine(TWO)])
    await fleet.start()
    await fleet.ready(10)
    await fleet.close()
    assert asyncio.all_tasks() == before
    rows: list[Container] = list(fleet.store.view.containers.values())
    assert rows == []
