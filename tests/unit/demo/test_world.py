"""The demo engine's own behaviour: time, exits, restarts, health, ports, faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_actions import Role
from backends.engines.demo_container import HealthCheck
from backends.engines.demo_images import BuildStep, build
from backends.engines.demo_world import DemoHost
from backends.model.container import ContainerState, Health, Port
from backends.model.errors import Conflict, NotFound, Unreachable, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import GpuRequest, RestartName, RestartPolicy, WorkloadSpec

_ID = EngineId(EngineKind.DEMO, "demo")
_AGAIN, _RUNS, _ENDED = ContainerState.RESTARTING, ContainerState.RUNNING, ContainerState.EXITED
_BOX = "docker.io/library/box:1"


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def _engine(
    clock: Hand, *, host: DemoHost | None = None, name: str = "demo", check: HealthCheck | None = None
) -> DemoEngine:
    engine = DemoEngine(
        EngineId(EngineKind.DEMO, name), clock=clock, host=host, role_of=lambda _: Role("quiet", "web", 10.0, check)
    )
    engine.actions.add_image(build([_BOX], [BuildStep("ADD", 10)], {"Cmd": ["serve"]}, clock()))
    return engine


async def _started(engine: DemoEngine, spec: WorkloadSpec) -> str:
    made = await engine.create_container(spec)
    await engine.start(made)
    return made


def test_it_is_an_engine() -> None:
    engine: Engine = DemoEngine(_ID)
    assert engine.endpoint == "demo://demo"


async def test_a_container_ends_when_its_time_has_come_and_not_before() -> None:
    clock = Hand()
    engine = _engine(clock)
    made = await _started(engine, WorkloadSpec("job", "box:1", command=("sh", "-c", "sleep 60; exit 4")))
    clock.move(59)
    assert (await engine.inspect_container(made)).state is ContainerState.RUNNING
    clock.move(3600)
    row = await engine.inspect_container(made)
    assert (row.state, row.exit_code) == (ContainerState.EXITED, 4)
    assert row.finished_at is not None
    assert row.started_at is not None
    assert 60 <= (row.finished_at - row.started_at).total_seconds() < 61
    assert await engine.wait_exit(made) == 4


async def test_a_pause_is_no_running_time() -> None:
    clock = Hand()
    engine = _engine(clock)
    made = await _started(engine, WorkloadSpec("job", "box:1", command=("sleep", "60")))
    clock.move(30)
    await engine.pause(made)
    clock.move(1000)
    await engine.unpause(made)
    clock.move(29)
    assert (await engine.inspect_container(made)).state is ContainerState.RUNNING
    clock.move(2)
    assert (await engine.inspect_container(made)).state is ContainerState.EXITED


@pytest.mark.parametrize(
    ("policy", "code", "states"),
    [
        (RestartPolicy(), 1, [_ENDED] * 3),
        (
            RestartPolicy(RestartName.ALWAYS),
            0,
            [_AGAIN, _RUNS, _RUNS],
        ),
        (RestartPolicy(RestartName.ON_FAILURE), 0, [_ENDED] * 3),
        (
            RestartPolicy(RestartName.ON_FAILURE, 1),
            1,
            [_AGAIN, _RUNS, _ENDED],
        ),
    ],
)
async def test_restart_policies(policy: RestartPolicy, code: int, states: list[ContainerState]) -> None:
    clock = Hand()
    engine = _engine(clock)
    spec = WorkloadSpec("job", "box:1", command=("sh", "-c", f"sleep 10; exit {code}"), restart=policy)
    made = await _started(engine, spec)
    seen = []
    for wait_s in (10.5, 1.0, 10.5 if policy.max_retries else 5.0):
        clock.move(wait_s)
        seen.append((await engine.inspect_container(made)).state)
    assert seen == states
    await engine.stop(made)
    clock.move(100)
    assert (await engine.inspect_container(made)).state is ContainerState.EXITED


async def test_health_takes_its_course_and_says_so() -> None:
    clock = Hand()
    engine = _engine(clock, check=HealthCheck(first_s=5, turns_s=60))
    heard: list[str] = []
    async with engine.subscribe() as events:
        made = await _started(engine, WorkloadSpec("web", "box:1"))
        course = []
        for wait_s in (0, 6, 60, 60):
            clock.move(wait_s)
            course.append((await engine.inspect_container(made)).health)
        assert course == [Health.STARTING, Health.HEALTHY, Health.UNHEALTHY, Health.HEALTHY]
        async for event in events:
            heard.append(event.action)
            if heard.count("health_status: healthy") == 2:
                break
    assert heard == [
        "create",
        "start",
        "health_status: healthy",
        "health_status: unhealthy",
        "health_status: healthy",
    ]
    assert engine.world.subscribers == 0


async def test_engines_on_one_machine_share_its_ports() -> None:
    clock, host = Hand(), DemoHost()
    one, two = _engine(clock, host=host, name="one"), _engine(clock, host=host, name="two")
    spec = WorkloadSpec("web", "box:1", ports=(Port(80, "tcp", "", 8080),))
    first = await _started(one, spec)
    second = await two.create_container(spec)
    with pytest.raises(Conflict, match="8080"):
        await two.start(second)
    await one.stop(first)
    await two.start(second)
    free = await _started(one, replace(spec, name="any", ports=(Port(80, "tcp", "", 0),)))
    (port,) = (await one.inspect_container(free)).ports
    assert port.host_port


async def test_a_device_that_nobody_has_is_refused() -> None:
    engine = _engine(Hand())
    with pytest.raises(NotFound, match=r"nvidia\.com/gpu=7"):
        await engine.create_container(WorkloadSpec("gpu", "box:1", gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=7",))))
    assert await engine.list_containers() == []


async def test_faults_come_so_often_as_they_are_to() -> None:
    engine = _engine(Hand())
    engine.faults.fail("list_containers", Conflict("no"), times=2)
    for _ in range(2):
        with pytest.raises(Conflict):
            await engine.list_containers()
    assert await engine.list_containers() == []
    engine.go_down()
    with pytest.raises(Unreachable):
        await engine.connect()
    engine.come_back()
    assert (await engine.connect()).version == "demo"


async def test_a_log_that_is_followed_grows_with_the_time() -> None:
    clock = Hand()
    engine = _engine(clock)
    made = await _started(engine, WorkloadSpec("web", "box:1"))
    clock.move(35)
    seen: list[str] = []
    async with engine.logs(made, follow=True) as lines, asyncio.timeout(10):
        async for line in lines:
            seen.append(line.text)
            if len(seen) == 3:
                clock.move(10)
            if len(seen) == 4:
                await engine.stop(made)
    assert [text.split(" (")[0] for text in seen] == ["tick 1", "tick 2", "tick 3", "tick 4"]


async def test_a_subscriber_that_never_reads_does_not_fill_the_memory() -> None:
    clock = Hand()
    engine = _engine(clock)
    made = await engine.create_container(WorkloadSpec("web", "box:1"))
    async with engine.subscribe() as events:
        for _ in range(6000):
            engine.world.tell(engine.world.container(made), "exec_start")
        assert engine.world.subscribers == 0
        count = 0
        with pytest.raises(Conflict, match="not read"):
            count = await _drain(events)
    assert count == 0


async def _drain(events: AsyncIterator[object]) -> int:
    return len([event async for event in events])


async def test_an_archive_that_is_too_large_for_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.engines.demo_stores._LARGEST_ARCHIVE", 1000)

    async def large() -> AsyncIterator[bytes]:
        while True:
            yield b"\0" * 600

    with pytest.raises(Unsupported):
        await _engine(Hand()).import_image(large())
