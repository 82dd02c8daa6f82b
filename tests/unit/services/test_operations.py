"""Operations: one at a time for a container, progress in the store, errors as results."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.container import ContainerState
from backends.model.errors import Conflict, NotFound, Refused
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey
from backends.model.plan import Step, StepKind, StepProgress
from backends.model.workload import WorkloadSpec
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.operations import Operations
from backends.services.store import Store
from tests.unit.services.fleet_facts import LONG_AGO, ONE, key, until


@pytest.fixture
def engine() -> DemoEngine:
    demo = DemoEngine(ONE)
    demo.actions.add_image(build(["docker.io/library/box:1"], [BuildStep("ADD", 10)], {"Cmd": ["serve"]}, LONG_AGO))
    return demo


@pytest.fixture
async def fleet(engine: DemoEngine, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet([engine], audit=AuditLog(tmp_path / "audit.jsonl"))
    await fleet.start()
    assert await fleet.ready(10)
    yield fleet
    await fleet.close()


async def _made(engine: DemoEngine, fleet: Fleet, name: str = "web") -> ContainerKey:
    made = ContainerKey(ONE, await engine.create_container(WorkloadSpec(name, "box:1")))
    await until(lambda: made in fleet.store.view.containers)
    return made


async def test_each_operation_does_what_it_says_and_the_row_is_right_when_it_returns(
    engine: DemoEngine, fleet: Fleet
) -> None:
    web = await _made(engine, fleet)
    operations = fleet.operations
    for call, state in (
        (operations.start, ContainerState.RUNNING),
        (operations.pause, ContainerState.PAUSED),
        (operations.unpause, ContainerState.RUNNING),
        (operations.restart, ContainerState.RUNNING),
        (operations.stop, ContainerState.EXITED),
        (operations.start, ContainerState.RUNNING),
        (operations.kill, ContainerState.EXITED),
    ):
        update = await call(web)
        assert (update.phase, update.error) == (Phase.DONE, None)
        assert fleet.store.view.containers[web].state is state
    assert (await operations.rename(web, "site")).result == "web is now site"
    assert fleet.store.view.containers[web].name == "site"
    assert (await operations.remove(web)).phase is Phase.DONE
    assert web not in fleet.store.view.containers


async def test_it_is_pending_while_it_runs_and_a_second_one_is_refused(engine: DemoEngine, fleet: Fleet) -> None:
    web = await _made(engine, fleet)
    engine.faults.act_s = 0.1
    first = asyncio.create_task(fleet.operations.start(web))
    await until(lambda: web in fleet.store.view.operations)
    assert fleet.store.view.operations[web].action == "container.start"
    second = await fleet.operations.stop(web)
    assert (second.phase, type(second.error)) == (Phase.FAILED, Refused)
    assert web in fleet.store.view.operations
    assert (await first).phase is Phase.DONE
    assert web not in fleet.store.view.operations


async def test_a_failure_is_a_result_and_the_container_is_free_again(engine: DemoEngine, fleet: Fleet) -> None:
    web = await _made(engine, fleet)
    finished: list[OperationUpdate] = []
    fleet.operations.subscribe(finished.append)
    engine.faults.fail("start", Conflict("port 80 is in use", engine=ONE), times=1)
    failed = await fleet.operations.start(web)
    assert isinstance(failed.error, Conflict)
    assert (await fleet.operations.start(web)).phase is Phase.DONE
    assert [update.phase for update in finished] == [Phase.FAILED, Phase.DONE]
    assert isinstance((await fleet.operations.start(key(99))).error, NotFound)


async def test_a_cancelled_operation_says_so_and_frees_the_container(engine: DemoEngine, fleet: Fleet) -> None:
    web = await _made(engine, fleet)
    finished: list[OperationUpdate] = []
    end = fleet.operations.subscribe(finished.append)
    engine.faults.hang("stop")
    stopping = asyncio.create_task(fleet.operations.stop(web))
    await until(lambda: web in fleet.store.view.operations)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert [update.phase for update in finished] == [Phase.CANCELLED]
    end()
    assert (await fleet.operations.start(web)).phase is Phase.DONE
    assert len(finished) == 1


async def test_what_was_done_is_written_down(engine: DemoEngine, tmp_path: Path) -> None:
    fleet = Fleet([engine], audit=AuditLog(tmp_path / "a.jsonl"))
    web = ContainerKey(ONE, await engine.create_container(WorkloadSpec("web", "box:1")))
    await fleet.operations.start(web)
    await fleet.close()
    written = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(line["action"], line["outcome"], line["container"]) for line in written] == [
        ("container.start", "done", web.id)
    ]


async def test_read_only_refuses_before_the_engine_hears_of_it(engine: DemoEngine) -> None:
    fleet = Fleet([engine], read_only=True)
    web = ContainerKey(ONE, await engine.create_container(WorkloadSpec("web", "box:1")))
    engine.faults.fail("start", Conflict("it was asked", engine=ONE))
    refused = await fleet.operations.start(web)
    assert isinstance(refused.error, Refused)
    with pytest.raises(Refused):
        fleet.operations.track("container.migrate", web, "web")
    await fleet.close()


def test_a_tracked_operation_says_where_it_is_until_it_ends(engine: DemoEngine) -> None:
    store = Store()
    operations = Operations(store, lambda _id: engine)
    finished: list[OperationUpdate] = []
    operations.subscribe(finished.append)
    tracked = operations.track("container.migrate", key(1), "web")
    step = Step(StepKind.IMAGE, "ship image")
    tracked.update(
        StepProgress(1, 3, step, Phase.PROGRESS, done_bytes=400, total_bytes=1000, bytes_per_s=200.0, eta_s=3.0)
    )
    present = store.view.operations[key(1)]
    assert (present.step, present.step_index) == ("ship image", 1)
    assert (present.done_bytes, present.total_bytes, present.bytes_per_s, present.eta_s) == (400, 1000, 200.0, 3.0)
    with pytest.raises(Refused):
        operations.track("container.migrate", key(1), "web")
    assert tracked.done("moved").result == "moved"
    assert tracked.failed(Conflict("too late")).phase is Phase.DONE
    assert not store.view.operations
    assert [update.phase for update in finished] == [Phase.DONE]
    operations.track("container.migrate", key(1), "web").cancelled()
