"""One engine's supervision, against the demo engine and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.container import Container, ContainerState
from backends.model.errors import Conflict, Denied, Unreachable
from backends.model.events import EngineEvent, EventKind, Link
from backends.model.ids import ContainerKey
from backends.model.workload import WorkloadSpec
from backends.services.store import Store
from backends.services.supervisor import Supervisor, Timing
from tests.unit.services.fleet_facts import LONG_AGO, ONE, until

_FAST = Timing(
    answer_s=2.0, ping_s=0.05, ping_answer_s=0.1, coalesce_s=0.005, backoff_first_s=0.01, backoff_last_s=0.05
)
_PATIENT = Timing(ping_s=30.0, coalesce_s=0.005, backoff_first_s=20.0, backoff_last_s=20.0)


def _engine() -> DemoEngine:
    engine = DemoEngine(ONE)
    engine.actions.add_image(build(["docker.io/library/box:1"], [BuildStep("ADD", 10)], {"Cmd": ["serve"]}, LONG_AGO))
    return engine


class Counting:
    """An engine that counts what it is asked; all else is the engine's own."""

    def __init__(self, engine: DemoEngine) -> None:
        self.engine = engine
        self.asked: list[str] = []
        self.inspecting: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)

    async def list_containers(self) -> list[Container]:
        self.asked.append("list")
        return await self.engine.list_containers()

    async def inspect_container(self, container: str) -> Container:
        assert container not in self.inspecting, "two inspects of one container at a time"
        self.asked.append(container)
        self.inspecting.append(container)
        try:
            return await self.engine.inspect_container(container)
        finally:
            self.inspecting.remove(container)


@asynccontextmanager
async def _supervised(engine: object, timing: Timing = _FAST) -> AsyncIterator[tuple[Store, Supervisor]]:
    store = Store()
    supervisor = Supervisor(cast(Engine, engine), store, timing=timing)
    task = asyncio.create_task(supervisor.run())
    try:
        yield store, supervisor
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _link(store: Store) -> Callable[[], Link]:
    return lambda: store.view.engines[ONE].connection.link


async def test_rows_follow_the_engine_by_its_events() -> None:
    engine = _engine()
    first = await engine.create_container(WorkloadSpec("first", "box:1"))
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        assert store.view.containers[ContainerKey(ONE, first)].state is ContainerState.CREATED
        assert store.view.engines[ONE].info is not None
        second = await engine.create_container(WorkloadSpec("second", "box:1"))
        await engine.start(second)
        await engine.remove(first)
        await until(lambda: ContainerKey(ONE, first) not in store.view.containers)
        await until(lambda: store.view.containers[ContainerKey(ONE, second)].state is ContainerState.RUNNING)
    assert engine.world.subscribers == 0


async def test_running_containers_are_looked_at_once_after_the_list() -> None:
    engine = Counting(_engine())
    ids = [await engine.engine.create_container(WorkloadSpec(f"run{number}", "box:1")) for number in range(20)]
    for id in ids[:-1]:
        await engine.engine.start(id)
    async with _supervised(engine, replace(_PATIENT, detail_s=0.001)):
        await until(lambda: len(engine.asked) == 20)
        await until(lambda: not engine.inspecting)
    assert sorted(engine.asked) == sorted(["list", *ids[:-1]])


async def test_what_happens_while_the_first_list_is_made_is_not_missed() -> None:
    engine = _engine()
    engine.faults.look_s = 0.05
    async with _supervised(engine, _PATIENT) as (store, _):
        await until(lambda: engine.world.subscribers)
        made = engine.actions.create(WorkloadSpec("late", "box:1"))
        engine.actions.start(made.id)
        await until(lambda: ContainerKey(ONE, made.id) in store.view.containers)
        await until(lambda: store.view.containers[ContainerKey(ONE, made.id)].state is ContainerState.RUNNING)


async def test_a_storm_is_one_list_and_a_few_events_are_one_inspect_each() -> None:
    engine = Counting(_engine())
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        engine.asked.clear()
        made = engine.engine.actions.create(WorkloadSpec("busy", "box:1"))
        for _ in range(200):
            engine.engine.world.tell(made, "exec_start")
        await until(lambda: ContainerKey(ONE, made.id) in store.view.containers)
        assert 1 <= engine.asked.count(made.id) <= 3  # the demo's stream hands 200 events over in a few turns
        engine.asked.clear()
        for number in range(51):
            engine.engine.actions.create(WorkloadSpec(f"many{number}", "box:1"))
        await until(lambda: len(store.view.containers) == 52)
        assert "list" in engine.asked


async def test_a_lost_engine_is_tried_again_and_listed_anew() -> None:
    engine = _engine()
    kept = await engine.create_container(WorkloadSpec("kept", "box:1"))
    async with _supervised(engine) as (store, supervisor):
        await supervisor.settled.wait()
        engine.go_down()
        await until(lambda: _link(store)() is Link.LOST)
        view = store.view
        assert ContainerKey(ONE, kept) in view.containers
        assert isinstance(view.engines[ONE].connection.error, Unreachable)
        del engine.world.containers[kept]
        engine.come_back()
        await until(lambda: _link(store)() is Link.CONNECTED)
        assert not store.view.containers


async def test_an_engine_that_never_answered_is_lost_with_the_reason() -> None:
    engine = _engine()
    engine.go_down(Denied("permission denied", engine=ONE))
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        connection = store.view.engines[ONE].connection
        assert (connection.link, type(connection.error)) == (Link.LOST, Denied)
        assert connection.retry_at is not None
        engine.come_back()
        supervisor.retry_now()
        await until(lambda: _link(store)() is Link.CONNECTED)


@pytest.mark.parametrize("method", ["connect", "subscribe", "list_containers"])
async def test_an_engine_that_hangs_is_lost_and_comes_back(method: str) -> None:
    engine = _engine()
    timing = Timing(answer_s=0.05, ping_s=0.02, ping_answer_s=0.05, backoff_first_s=0.01, backoff_last_s=0.02)
    async with _supervised(engine, timing) as (store, supervisor):
        await supervisor.settled.wait()
        engine.faults.hang(method)
        engine.world.break_streams(Unreachable("cut", engine=ONE))
        await until(lambda: _link(store)() is Link.LOST)
        await until(lambda: "does not answer" in str(store.view.engines[ONE].connection.error))
        engine.come_back()
        await until(lambda: _link(store)() is Link.CONNECTED)


async def test_a_daemon_that_falls_silent_is_noticed_without_any_event() -> None:
    engine = _engine()
    async with _supervised(engine) as (store, supervisor):
        await supervisor.settled.wait()
        engine.faults.hang()
        await until(lambda: _link(store)() is Link.LOST)
        assert "does not answer" in str(store.view.engines[ONE].connection.error)


async def test_an_engine_amid_a_change_is_listed_instead() -> None:
    engine = _engine()
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        engine.faults.fail("inspect_container", Conflict("amid removal", engine=ONE))
        made = await engine.create_container(WorkloadSpec("odd", "box:1"))
        await until(lambda: ContainerKey(ONE, made) in store.view.containers)
        assert _link(store)() is Link.CONNECTED


async def test_refresh_returns_with_the_row_up_to_date_or_the_link_lost() -> None:
    engine = _engine()
    made = await engine.create_container(WorkloadSpec("one", "box:1"))
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        engine.world.containers[made].exit_code = 7  # without an event
        await supervisor.refresh(made)
        assert store.view.containers[ContainerKey(ONE, made)].exit_code == 7
        engine.faults.hang("inspect_container")
        waiting = asyncio.create_task(supervisor.refresh(made))
        await asyncio.sleep(0)
        engine.go_down()
        await asyncio.wait_for(waiting, 5)
        await supervisor.refresh(made)


async def test_a_link_goes_through_its_states_in_order() -> None:
    engine = _engine()
    states = list[tuple[Link, bool]]()
    store = Store()

    def note(_view: object) -> None:
        connection = store.view.engines[ONE].connection
        state = (connection.link, connection.retry_at is not None)
        if states[-1:] != [state]:
            states.append(state)

    store.subscribe(note)
    supervisor = Supervisor(engine, store, timing=_FAST)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: states[-1:] == [(Link.CONNECTED, False)])
    engine.go_down()
    await until(lambda: (Link.LOST, False) in states)
    engine.come_back()
    await until(lambda: states[-1:] == [(Link.CONNECTED, False)])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert states[:3] == [(Link.CONNECTING, False), (Link.CONNECTED, False), (Link.LOST, True)]


class Ending(Counting):
    """An engine whose event stream ends when it is told to, however it is told."""

    def __init__(self, engine: DemoEngine) -> None:
        super().__init__(engine)
        self.end = asyncio.Event()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[object]]:
        yield self._events()

    async def _events(self) -> AsyncIterator[object]:
        while not self.end.is_set():
            await self.end.wait()
        for nothing in tuple[object]():
            yield nothing


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancellation_at_the_moment_of_a_loss_is_not_lost(turns: int) -> None:
    """Else the supervisor would wait for its next try, and the program would not end."""
    engine, store = Ending(_engine()), Store()
    supervisor = Supervisor(cast(Engine, engine), store, timing=_PATIENT)
    task = asyncio.create_task(supervisor.run())
    await until(supervisor.settled.is_set)
    engine.end.set()
    for _ in range(turns):  # of the event loop: the loss goes through the stream, its task, the group, the supervisor
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()


class Mumbling(Counting):
    """An engine whose next event cannot be read."""

    def __init__(self, engine: DemoEngine) -> None:
        super().__init__(engine)
        self.mumbled = False

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        async with self.engine.subscribe() as events:
            yield self._told(events)

    async def _told(self, events: AsyncIterator[EngineEvent]) -> AsyncIterator[EngineEvent]:
        async for event in events:
            self.mumbled = True
            yield replace(event, kind=EventKind.OTHER, id="", name="", why="not all read: Actor (TypeError)")


async def test_an_event_that_cannot_be_read_may_have_been_of_any_container_so_all_are_listed() -> None:
    engine = Mumbling(_engine())
    async with _supervised(engine, _PATIENT) as (store, supervisor):
        await supervisor.settled.wait()
        made = await engine.engine.create_container(WorkloadSpec("web", "box:1"))
        await until(lambda: ContainerKey(ONE, made) in store.view.containers)
        assert engine.mumbled
        assert engine.asked.count("list") >= 2
