"""A trial on a fleet of demo engines: what it measures, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_world import DemoHost
from backends.model.container import MountKind, Port
from backends.model.errors import BackendError, Conflict, NotFound, Refused, TimedOut
from backends.model.ids import ContainerKey
from backends.model.labels import TRIAL_LABEL
from backends.model.trial import ReadyBy, TrialProgress, TrialReport, TrialRequest
from backends.model.workload import MountSpec, VolumeSpec, WorkloadSpec
from backends.services import owned
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.trials import run_trial
from backends.trial.report import markdown
from tests.unit.services.fleet_facts import ONE, TWO
from tests.unit.services.test_images import WEB, put


class Scene:
    """Two demo engines on one machine; a web server with a volume runs on the first, its image is only there."""

    def __init__(self, audit: AuditLog | None = None) -> None:
        host = DemoHost()
        self.one, self.two = (DemoEngine(id, host=host, look_s=0, act_s=0) for id in (ONE, TWO))
        self.fleet = Fleet([self.one, self.two], audit=audit)
        self.phases: list[TrialProgress] = []

    async def begin(self) -> ContainerKey:
        """Put the original on the stage, and connect."""
        put(self.one, WEB, top="web")
        await self.one.create_volume(VolumeSpec("data"))
        self.one.world.volume("data").put("model.bin", b"weights", uid=0, gid=0, mtime=1)
        mounts = (MountSpec(MountKind.VOLUME, "data", "/data"),)
        ports = (Port(80, "tcp", "", 8080),)
        made = await self.one.create_container(
            WorkloadSpec("web", WEB, command=("sleep", "1000"), mounts=mounts, ports=ports)
        )
        await self.one.start(made)
        await self.fleet.start()
        assert await self.fleet.ready(10)
        return ContainerKey(ONE, made)

    async def trial(self, subject: ContainerKey | str, request: TrialRequest) -> TrialReport:
        """Run one."""
        return await run_trial(self.fleet, subject, "web", request, self.phases.append)

    async def left(self) -> tuple[list[str], list[str], int]:
        """All containers and volumes of both engines, and the images of the second."""
        containers = [c.name for e in (self.one, self.two) for c in await e.list_containers()]
        volumes = [v.name for e in (self.one, self.two) for v in await e.list_volumes()]
        return containers, volumes, len(await self.two.list_images(nameless=True))


CLEAN = (["web"], ["data"], 0)
REQUEST = TrialRequest((ONE, TWO), rounds=4)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.fleet.close()


async def test_a_container_is_measured_on_both_engines_and_nothing_stays(scene: Scene) -> None:
    original = await scene.begin()
    report = await scene.trial(original, replace(REQUEST, command=("cat", "/data/model.bin"), runs=2, density=3))
    assert [(one.number, one.engine.name) for one in report.rounds][:4] == [
        (1, "one"),
        (1, "two"),
        (2, "two"),
        (2, "one"),
    ]
    assert {"create_s", "ready_s", "stop_s", "remove_s", "exec_s", "exec_per_s"} <= set(report.spreads[TWO])
    assert report.missing[ONE]["container_bytes"] == "the engine does not run on this machine"
    assert [one.copies for one in report.densities] == [3, 3]
    assert any("brought to two" in note for note in report.notes)
    assert await scene.left() == CLEAN
    assert (await scene.one.inspect_container(original.id)).state.alive
    assert {one.engine.name for one in scene.phases if one.engine and one.phase == "start"} == {"one", "two"}
    text = markdown(report)
    assert "| create | " in text
    assert "`cat /data/model.bin`, 2 times" in text


async def test_an_image_is_measured_where_no_container_is(scene: Scene) -> None:
    await scene.begin()
    report = await scene.trial(WEB, replace(REQUEST, engines=(TWO,), rounds=1))
    assert report.verdict == ()
    assert report.image == WEB
    assert await scene.left() == CLEAN


async def test_a_command_that_fails_ends_the_trial_and_nothing_stays(scene: Scene) -> None:
    original = await scene.begin()
    with pytest.raises(Conflict, match="exit code 1"):
        await scene.trial(original, replace(REQUEST, command=("false",)))
    assert await scene.left() == CLEAN


@pytest.mark.parametrize("phase", ["copy volumes", "create", "start", "command", "stop"])
async def test_what_is_called_off_is_cleared_up(scene: Scene, phase: str) -> None:
    original = await scene.begin()
    reached = asyncio.Event()

    def follow(progress: TrialProgress) -> None:
        if progress.engine == TWO and progress.phase == phase:
            reached.set()

    request = replace(REQUEST, command=("true",))
    task = asyncio.create_task(run_trial(scene.fleet, original, "web", request, follow))
    waits = asyncio.create_task(reached.wait())
    await asyncio.wait({task, waits}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert waits.done(), "the phase was reached"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await scene.left() == CLEAN


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (TrialRequest((ONE, ONE)), Refused),
        (TrialRequest(()), Refused),
        (replace(REQUEST, rounds=0), Refused),
        (replace(REQUEST, ready_by=ReadyBy.LOG, ready_pattern="never said", ready_limit_s=0.1), TimedOut),
    ],
)
async def test_what_cannot_be_done_is_said(scene: Scene, request_: TrialRequest, kind: type[BackendError]) -> None:
    original = await scene.begin()
    with pytest.raises(kind) as said:
        await scene.trial(original, request_)
    assert said.value.hint
    assert await scene.left() == CLEAN


async def test_an_unknown_name_says_how_to_get_it(scene: Scene) -> None:
    await scene.begin()
    with pytest.raises(NotFound) as said:
        await scene.trial("nowhere:1", REQUEST)
    assert said.value.hint == "tranship pull nowhere:1"


async def test_what_a_dead_process_left_is_removed_and_what_lives_is_not(scene: Scene) -> None:
    await scene.begin()
    mine = owned.mark()
    _, _, namespace = mine[TRIAL_LABEL].partition("-")
    dead = {TRIAL_LABEL: f"{_unused_pid()}-{namespace}"}
    began = {TRIAL_LABEL: f"{os.getpid()}-{namespace.partition('-')[0]}-1"}  # of one whose number is ours now
    elsewhere = {TRIAL_LABEL: f"{_unused_pid()}-1"}
    for name, labels in (("mine", mine), ("dead", dead), ("began", began), ("elsewhere", elsewhere)):
        await scene.one.create_container(WorkloadSpec(name, WEB, labels=labels))
        await scene.one.create_volume(VolumeSpec(f"{name}-v", labels=labels))
    assert await owned.sweep_nobodys(scene.one) == ("dead", "began", "dead-v", "began-v")
    names = {one.name for one in await scene.one.list_containers()}
    assert names == {"web", "mine", "elsewhere"}


def _unused_pid() -> int:
    """A number that no process has: one that has ended and was waited for."""
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    return child


async def test_the_trail_has_the_image_on_each_engine_and_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    kept = Scene(AuditLog(path))
    key = await kept.begin()
    await kept.trial(key, TrialRequest((ONE, TWO), rounds=1, command=("true",), runs=1))
    await kept.fleet.close()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["action"], last["outcome"], last["object"]["name"]) == ("container.trial", "done", "web")
    assert set(last["object"]["images"]) == {ONE.name, TWO.name}
    assert all(last["object"]["images"].values())
    assert last["plan"] == {"engines": [ONE.name, TWO.name], "rounds": 1, "command": "true", "density": 0}
