"""A sweep on the demo engine: what runs together, what is tried again, what stopping does, and that nothing stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.model.container import ContainerState
from backends.model.errors import Conflict, NotFound, Refused, Unreachable
from backends.model.sweep import SweepRow, SweepRun, SweepState
from backends.model.workload import GpuRequest, WorkloadSpec
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.sweeps import Sweep
from backends.sweep.commands import from_grid, from_lines
from tests.unit.services.fleet_facts import ONE, until
from tests.unit.services.test_images import WEB, put

SPEC = WorkloadSpec("sweep", WEB)


class Scene:
    """One demo engine with the image, and what was told of the runs."""

    def __init__(self, audit: AuditLog | None = None) -> None:
        self.engine = DemoEngine(ONE, look_s=0, act_s=0)
        self.fleet = Fleet([self.engine], audit=audit)
        self.told: list[SweepRow] = []
        self.written: list[SweepRow] = []
        self.given: list[list[tuple[str, ...]]] = []

    def sweep(
        self, runs: Sequence[SweepRun], *, jobs: int = 2, retries: int = 0, gpus: int = 0, each: int = 0
    ) -> Sweep:
        """One that is not begun yet."""
        return Sweep(
            self.fleet,
            ONE,
            SPEC,
            runs,
            jobs=jobs,
            retries=retries,
            pool=[str(at) for at in range(gpus)],
            gpus_each=each,
            with_gpus=lambda spec, devices: replace(spec, gpu=GpuRequest(device_ids=devices)),
            write=self._write,
            on_row=self._tell,
        )

    def _tell(self, row: SweepRow) -> None:
        """Noted with the devices of all containers that run now."""
        self.engine.world.advance()
        running = [one for one in self.engine.world.containers.values() if one.state is ContainerState.RUNNING]
        self.told.append(row)
        self.given.append([one.spec.gpu.device_ids for one in running if one.spec.gpu])

    async def _write(self, row: SweepRow) -> None:
        self.written.append(row)

    @property
    def running(self) -> list[SweepRow]:
        """The newest of each run that runs now."""
        newest = {row.run.number: row for row in self.told}
        return [row for row in newest.values() if row.state is SweepState.RUNNING]

    @property
    def containers(self) -> int:
        """Of the engine."""
        return len(self.engine.world.containers)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    put(made.engine, WEB, top="web")
    await made.fleet.start()
    assert await made.fleet.ready(10)
    yield made
    await made.fleet.close()


async def test_all_are_run_and_what_fails_is_tried_again(scene: Scene) -> None:
    runs = from_lines(WEB, ["sh -c 'exit 0'", "sh -c 'exit 3'", "sh -c 'exit 0'"])
    await scene.sweep(runs, retries=2).run()
    assert {row.run.number: (row.state, row.exit_code, row.attempt) for row in scene.written} == {
        1: (SweepState.DONE, 0, 1),
        2: (SweepState.FAILED, 3, 3),
        3: (SweepState.DONE, 0, 1),
    }
    assert all(row.duration_s is not None for row in scene.written)
    assert scene.containers == 0


async def test_the_trail_has_the_image_the_plan_and_how_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    kept = Scene(AuditLog(path))
    put(kept.engine, WEB, top="web")
    await kept.fleet.start()
    assert await kept.fleet.ready(10)
    await kept.sweep(from_lines(WEB, ["true", "sh -c 'exit 3'"]), retries=1).run()
    facts = await kept.engine.image_facts(WEB)
    await kept.fleet.close()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["action"], last["object"]["image_id"]) == ("container.sweep", facts.key.id)
    assert {key: last["plan"][key] for key in ("runs", "at_a_time", "retries")} == {
        "runs": 2, "at_a_time": 2, "retries": 1,
    }  # fmt: skip
    assert last["result"].endswith("a sweep of 2 runs is over: 1 done, 1 failed")


async def test_each_run_has_gpus_of_its_own_and_gives_them_back(scene: Scene) -> None:
    runs = from_grid(WEB, [("a", tuple("123456"))], ["sleep", "0.05{a}"])
    await scene.sweep(runs, jobs=6, gpus=4, each=2).run()
    held = [row.gpus for row in scene.told if row.state is SweepState.RUNNING]
    assert {len(gpus) for gpus in held} == {2}
    # What runs at any moment has devices of its own: no more than two runs, with nothing in common.
    assert all(len(together) <= 2 for together in scene.given)
    assert any(len(together) == 2 for together in scene.given)
    assert all(len(set().union(*together)) == 2 * len(together) for together in scene.given)
    assert len(scene.written) == 6


async def test_stopping_lets_those_that_run_end(scene: Scene) -> None:
    sweep = scene.sweep(from_grid(WEB, [("a", tuple("1234"))], ["sleep", "0.{a}"]))
    task = asyncio.create_task(sweep.run())
    await until(lambda: len(scene.running) == 2)
    sweep.stop()
    await task
    assert [row.state for row in scene.written] == [SweepState.DONE] * 2
    assert scene.containers == 0


async def test_killing_ends_those_that_run(scene: Scene) -> None:
    sweep = scene.sweep(from_grid(WEB, [("a", tuple("1234"))], ["sleep", "99{a}"]))
    task = asyncio.create_task(sweep.run())
    await until(lambda: len(scene.running) == 2)
    await sweep.kill()
    await task
    assert [row.state for row in scene.written] == [SweepState.KILLED] * 2
    assert scene.containers == 0


@pytest.mark.parametrize("method", ["", "start", "wait_exit"])
async def test_what_is_called_off_is_removed(scene: Scene, method: str) -> None:
    """Wherever it is then: between calls, or in one that does not return."""
    if method:
        scene.engine.faults.hang(method)
    sweep = scene.sweep(from_grid(WEB, [("a", tuple("1234"))], ["sleep", "99{a}"]))
    task = asyncio.create_task(sweep.run())
    await until(lambda: scene.containers == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scene.containers == 0
    assert scene.written == [], "they are run again by the next one"


async def test_what_cannot_be_created_fails_alone_and_a_lost_engine_ends_all(scene: Scene) -> None:
    runs = from_lines(WEB, ["true", "true", "true"])
    scene.engine.faults.fail("create_container", Conflict("no room", engine=ONE), times=1)
    await scene.sweep(runs, jobs=1).run()
    assert [row.error for row in scene.written] == ["one: no room", "", ""]
    scene.engine.faults.fail("start", Unreachable("gone", engine=ONE))
    with pytest.raises(Unreachable):
        await scene.sweep(runs).run()
    assert scene.containers == 0


async def test_what_cannot_begin_is_said(scene: Scene) -> None:
    with pytest.raises(Refused, match="3 GPUs"):
        scene.sweep([], gpus=2, each=3)
    sweep = Sweep(
        scene.fleet, ONE, replace(SPEC, image="nowhere:1"), [], jobs=1, write=scene._write, on_row=scene.told.append
    )
    with pytest.raises(NotFound) as said:
        await sweep.run()
    assert said.value.hint == "tranship pull nowhere:1 -e one"
