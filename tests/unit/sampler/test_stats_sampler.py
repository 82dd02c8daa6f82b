"""Which way each engine is read, and that a hung engine delays nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from backends.cgroups.sweep import NO_CGROUP, Sweep, missing_reading
from backends.engine import Engine
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Container, ContainerState, StatsReading
from backends.model.errors import BackendError, Unreachable, Unsupported
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from backends.services.changes import ContainerGone, ContainerSeen, ContainersListed, EngineAdded, LinkChanged
from backends.services.sampler import OFF_SCREEN, StatsSampler
from backends.services.stats_history import StatsHistory
from backends.services.stats_routes import ROOTLESS_V1
from backends.services.store import Store

DEADLINE_S = 10.0
FAST_S = 0.005
DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman")
LOCAL = EngineInfo("1", "1", rootless=False, local=True, cgroup_version="1")
REMOTE = replace(LOCAL, local=False)


class FakeSweep:
    """Finds all but `nowhere`; notes what it was asked and by which thread."""

    def __init__(self, nowhere: Collection[ContainerKey] = ()) -> None:
        self.nowhere = frozenset(nowhere)
        self.unfound: frozenset[ContainerKey] = frozenset()
        self.asked: list[frozenset[ContainerKey]] = []
        self.threads: set[str] = set()
        self.closed = threading.Event()

    def sweep(self, keys: Collection[ContainerKey]) -> Mapping[ContainerKey, StatsReading]:
        self.asked.append(frozenset(keys))
        self.threads.add(threading.current_thread().name)
        self.unfound = frozenset(keys) & self.nowhere
        number = float(len(self.asked))
        return {
            key: missing_reading(key, number, NO_CGROUP) if key in self.unfound else StatsReading(key, number, number)
            for key in keys
        }

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed.set()


class FakeEngine:
    """Only the stats stream of an engine. hang: it never answers. fail: what opening it raises."""

    def __init__(self, id: EngineId, *, hang: bool = False, fail: BackendError | None = None) -> None:
        self.id = id
        self.hang = hang
        self.fail = fail
        self.opened: list[tuple[str, ...]] = []
        self.open_now = 0

    @asynccontextmanager
    async def stats(self, containers: Sequence[str], *, interval_s: float) -> AsyncIterator[AsyncIterator[object]]:
        self.opened.append(tuple(containers))
        if self.fail is not None:
            raise self.fail
        if self.hang:
            await asyncio.Event().wait()
        self.open_now += 1
        try:
            yield self._batches(containers, interval_s)
        finally:
            self.open_now -= 1

    async def _batches(self, containers: Sequence[str], interval_s: float) -> AsyncIterator[Sequence[StatsReading]]:
        number = 0.0
        while True:
            number += 1
            yield [StatsReading(ContainerKey(self.id, one), number, number) for one in (*containers, "f" * 64)]
            await asyncio.sleep(interval_s)


class Stage:
    """A store with engines and a sampler that runs."""

    def __init__(self, *engines: tuple[FakeEngine, EngineInfo], sweep: FakeSweep | None = None) -> None:
        self.store = Store()
        self.history = StatsHistory()
        self.sweep = sweep or FakeSweep()
        self.engines = {engine.id: engine for engine, _ in engines}
        for engine, info in engines:
            self.store.apply(EngineAdded(EngineView(engine.id, ConnectionState(Link.CONNECTED), info)))
        self.sampler = StatsSampler(
            self.store,
            lambda id: cast(Engine, self.engines[id]),
            sweep=lambda: cast(Sweep, self.sweep),
            interval_s=FAST_S,
            history=self.history,
        )

    def container(self, engine: EngineId, number: int, state: ContainerState = ContainerState.RUNNING) -> ContainerKey:
        key = ContainerKey(engine, f"{number:064x}")
        at = datetime(2026, 1, 1, tzinfo=UTC)
        self.store.apply(ContainerSeen(Container(key, f"c{number}", "i:1", "0" * 64, state, at)))
        return key

    def cpu(self, key: ContainerKey) -> float | Missing | None:
        reading = self.store.view.stats.get(key)
        return None if reading is None else reading.cpu_percent

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.sampler.run())
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - what is waited for is a state of many parts
            await asyncio.sleep(0.002)


def number(value: float | Missing | None) -> bool:
    return isinstance(value, float)


async def test_local_engines_share_one_sweep_in_a_thread_of_its_own() -> None:
    stage = Stage((FakeEngine(DOCKER), LOCAL), (FakeEngine(PODMAN), LOCAL))
    running, paused = stage.container(DOCKER, 1), stage.container(PODMAN, 2, ContainerState.PAUSED)
    stopped = stage.container(DOCKER, 3, ContainerState.EXITED)
    async with stage.running():
        await until(lambda: number(stage.cpu(running)) and number(stage.cpu(paused)))
    assert stage.sweep.asked[0] == {running, paused}
    assert stage.cpu(stopped) is None
    assert not any(engine.opened for engine in stage.engines.values())
    await until(stage.sweep.closed.is_set)
    assert len(stage.sweep.threads) == 1
    assert "tranship-sweep" in stage.sweep.threads.pop()


async def test_a_container_that_stops_is_not_swept_again() -> None:
    stage = Stage((FakeEngine(DOCKER), LOCAL))
    first, second = stage.container(DOCKER, 1), stage.container(DOCKER, 2)
    async with stage.running():
        await until(lambda: number(stage.cpu(first)))
        stage.store.apply(ContainerGone(first))
        await until(lambda: stage.sweep.asked[-1] == {second})
    assert stage.cpu(first) is None


async def test_engines_elsewhere_stream_over_their_api_podman_all_docker_what_is_on_screen() -> None:
    docker, podman = FakeEngine(DOCKER), FakeEngine(PODMAN)
    stage = Stage((docker, REMOTE), (podman, REMOTE))
    seen, unseen = stage.container(DOCKER, 1), stage.container(DOCKER, 2)
    one, two = stage.container(PODMAN, 3), stage.container(PODMAN, 4)
    stage.sampler.watch([seen])
    async with stage.running():
        await until(lambda: all(number(stage.cpu(key)) for key in (seen, one, two)))
        assert stage.cpu(unseen) == OFF_SCREEN
        assert docker.opened == [(seen.id,)]
        assert podman.opened == [(one.id, two.id)]
        stage.sampler.watch([unseen])
        await until(lambda: number(stage.cpu(unseen)))
        await until(lambda: docker.open_now == 1)
        assert docker.opened == [(seen.id,), (unseen.id,)]
    assert stage.sweep.asked == []
    assert (docker.open_now, podman.open_now) == (0, 0)


async def test_until_somebody_says_what_is_on_screen_docker_streams_nothing_and_no_row_is_called_off_screen() -> None:
    docker, podman = FakeEngine(DOCKER), FakeEngine(PODMAN)
    stage = Stage((docker, REMOTE), (podman, REMOTE))
    key, other = stage.container(DOCKER, 1), stage.container(PODMAN, 2)
    async with stage.running():
        await until(lambda: number(stage.cpu(other)))
        assert docker.opened == []
        assert stage.cpu(key) is None
        stage.sampler.watch([key])
        await until(lambda: number(stage.cpu(key)))


async def test_a_stream_is_kept_where_it_still_holds_all_and_not_far_more() -> None:
    podman = FakeEngine(PODMAN)
    stage = Stage((podman, REMOTE))
    keys = [stage.container(PODMAN, number) for number in range(4)]
    async with stage.running():
        await until(lambda: number(stage.cpu(keys[0])))
        stage.store.apply(ContainerGone(keys[3]))
        stage.store.apply(ContainerGone(keys[2]))
        before = stage.store.view.stats[keys[0]].sampled_at
        await until(lambda: stage.store.view.stats[keys[0]].sampled_at > before + 3)
        assert len(podman.opened) == 1
        stage.store.apply(ContainerGone(keys[1]))
        await until(lambda: podman.opened[1:] == [(keys[0].id,)])
        new = stage.container(PODMAN, 9)
        await until(lambda: number(stage.cpu(new)))
    assert set(stage.store.view.stats) == {keys[0], new}


class _SameSweep(FakeSweep):
    """Nothing goes on in any container."""

    def sweep(self, keys: Collection[ContainerKey]) -> Mapping[ContainerKey, StatsReading]:
        self.asked.append(frozenset(keys))
        return {key: self.kept.setdefault(key, StatsReading(key, 1.0, 0.0)) for key in keys}

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[ContainerKey, StatsReading] = {}


async def test_readings_that_tell_nothing_new_make_no_view_and_are_drawn_in_plots() -> None:
    sweep = _SameSweep()
    stage = Stage((FakeEngine(DOCKER), LOCAL), sweep=sweep)
    key = stage.container(DOCKER, 1)
    async with stage.running():
        await until(lambda: number(stage.cpu(key)))
        view, before = stage.store.view, len(sweep.asked)
        await until(lambda: len(sweep.asked) > before + 3)
        assert stage.store.view is view
        await until(lambda: len(stage.history.series(key)["cpu_percent"]) > 3)


async def test_readings_of_containers_not_asked_for_are_left_out() -> None:
    stage = Stage((FakeEngine(PODMAN), REMOTE))
    one, other = stage.container(PODMAN, 1), stage.container(PODMAN, 2, ContainerState.EXITED)
    async with stage.running():
        await until(lambda: number(stage.cpu(one)))
    assert set(stage.store.view.stats) == {one}
    assert stage.cpu(other) is None


async def test_a_hung_engine_delays_neither_the_sweep_nor_another_engine() -> None:
    podman = EngineId(EngineKind.PODMAN, "podman-far")
    hung = FakeEngine(PODMAN, hang=True)
    stage = Stage((FakeEngine(DOCKER), LOCAL), (hung, REMOTE), (FakeEngine(podman), REMOTE))
    local, stuck, other = stage.container(DOCKER, 1), stage.container(PODMAN, 2), stage.container(podman, 3)
    async with stage.running():
        await until(lambda: len(stage.sweep.asked) >= 5 and number(stage.cpu(other)))
        assert hung.opened
        assert stage.cpu(stuck) is None
        assert number(stage.cpu(local))


async def test_rootless_on_cgroup_v1_says_why_once() -> None:
    rootless = replace(LOCAL, rootless=True)
    stage = Stage((FakeEngine(PODMAN), rootless), (FakeEngine(DOCKER), LOCAL))
    key, local = stage.container(PODMAN, 1), stage.container(DOCKER, 2)
    async with stage.running():
        await until(lambda: stage.cpu(key) == ROOTLESS_V1)
        first = stage.store.view.stats[key]
        count = len(stage.sweep.asked)
        await until(lambda: len(stage.sweep.asked) > count + 3)
        assert stage.store.view.stats[key] is first
    assert all(asked == {local} for asked in stage.sweep.asked)


async def test_rootless_on_cgroup_v2_is_swept_like_any_other() -> None:
    stage = Stage((FakeEngine(PODMAN), replace(LOCAL, rootless=True, cgroup_version="2")))
    key = stage.container(PODMAN, 1)
    async with stage.running():
        await until(lambda: number(stage.cpu(key)))


async def test_an_engine_without_stats_says_why() -> None:
    lacking = Capabilities({Capability.STATS_API: "this host has no stats"})
    engine = FakeEngine(PODMAN)
    stage = Stage((engine, replace(REMOTE, capabilities=lacking)))
    key = stage.container(PODMAN, 1)
    async with stage.running():
        await until(lambda: stage.cpu(key) == Missing("this host has no stats"))
    assert engine.opened == []


async def test_a_stream_that_is_refused_says_why_and_is_not_asked_again() -> None:
    engine = FakeEngine(PODMAN, fail=Unsupported("no stats on this engine"))
    stage = Stage((engine, REMOTE), (FakeEngine(DOCKER), LOCAL))
    key = stage.container(PODMAN, 1)
    stage.container(DOCKER, 2)
    async with stage.running():
        await until(lambda: stage.cpu(key) == Missing("no stats on this engine"))
        count = len(stage.sweep.asked)
        await until(lambda: len(stage.sweep.asked) > count + 3)
    assert len(engine.opened) == 1


async def test_a_stream_that_breaks_says_why_and_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.services.stats_feed._RETRY_FIRST_S", FAST_S)
    engine = FakeEngine(PODMAN, fail=Unreachable("connection lost"))
    stage = Stage((engine, REMOTE))
    key = stage.container(PODMAN, 1)
    async with stage.running():
        await until(lambda: stage.cpu(key) == Missing("connection lost"))
        engine.fail = None
        await until(lambda: number(stage.cpu(key)))


async def test_a_lost_engine_is_neither_swept_nor_streamed() -> None:
    engine = FakeEngine(PODMAN)
    stage = Stage((engine, REMOTE), (FakeEngine(DOCKER), LOCAL))
    remote, local = stage.container(PODMAN, 1), stage.container(DOCKER, 2)
    async with stage.running():
        await until(lambda: number(stage.cpu(remote)) and number(stage.cpu(local)))
        for id in (PODMAN, DOCKER):
            stage.store.apply(LinkChanged(id, ConnectionState(Link.LOST, Unreachable("gone", engine=id))))
        await until(lambda: engine.open_now == 0)
        count = len(stage.sweep.asked)
        stage.store.apply(LinkChanged(PODMAN, ConnectionState(Link.CONNECTED)))
        await until(lambda: engine.open_now == 1)
    assert len(stage.sweep.asked) <= count + 1
    assert len(engine.opened) == 2


async def test_an_engine_whose_containers_are_not_on_this_machine_is_read_over_its_api() -> None:
    """Docker Desktop runs them in a virtual machine; a local socket may be forwarded by SSH."""
    engine = FakeEngine(PODMAN)
    nowhere = ContainerKey(PODMAN, f"{1:064x}")
    stage = Stage((engine, LOCAL), sweep=FakeSweep([nowhere]))
    assert stage.container(PODMAN, 1) == nowhere
    async with stage.running():
        await until(lambda: number(stage.cpu(nowhere)))
    assert len(stage.sweep.asked) == 3


async def test_one_container_without_a_cgroup_does_not_send_the_others_to_the_api() -> None:
    engine = FakeEngine(PODMAN)
    lost = ContainerKey(PODMAN, f"{1:064x}")
    stage = Stage((engine, LOCAL), sweep=FakeSweep([lost]))
    stage.container(PODMAN, 1)
    other = stage.container(PODMAN, 2)
    async with stage.running():
        await until(lambda: len(stage.sweep.asked) >= 8)
    assert (stage.cpu(lost), number(stage.cpu(other)), engine.opened) == (NO_CGROUP, True, [])


async def test_a_container_that_waits_to_be_restarted_does_not_either() -> None:
    engine = FakeEngine(PODMAN)
    waiting = ContainerKey(PODMAN, f"{1:064x}")
    stage = Stage((engine, LOCAL), sweep=FakeSweep([waiting]))
    stage.container(PODMAN, 1, ContainerState.RESTARTING)
    async with stage.running():
        await until(lambda: len(stage.sweep.asked) >= 8)
    assert engine.opened == []


async def test_an_empty_fleet_costs_no_sweep_and_wakes_up() -> None:
    stage = Stage((FakeEngine(DOCKER), LOCAL))
    stage.store.apply(ContainersListed(DOCKER, ()))
    async with stage.running():
        for _ in range(10):
            await asyncio.sleep(0)
        assert stage.sweep.asked == []
        key = stage.container(DOCKER, 1)
        await until(lambda: number(stage.cpu(key)))
