"""A run on two demo engines: what it moves, and that a failure at any call leaves everything as it was."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engine import ByteStream
from backends.engines.demo_volumes import DemoVolume
from backends.migration import MARK, list_journals, plan_migration, run_migration, undo
from backends.migration.journal import Status
from backends.model.container import ContainerState, MountKind
from backends.model.errors import BackendError, Refused, Unsupported
from backends.model.events import Phase
from backends.model.ids import ContainerKey
from backends.model.plan import MigrationFailed, MigrationReport, StepKind, StepProgress
from backends.model.workload import MountSpec
from tests.migration_scene import OTHER_TAG, SOURCE, TAG, TARGET, Fault, Saboteur, Scene, picture, spec


async def move(
    scene: Scene,
    state_dir: Path,
    *,
    name: str | None = None,
    saboteur: Saboteur | None = None,
    updates: list[StepProgress] | None = None,
) -> MigrationReport:
    """Plan with the real engines, run with the watched ones."""
    plan = await plan_migration(scene.source, "train", scene.target, name=name)
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


def contents(volume: DemoVolume) -> dict[str, bytes]:
    """The files of a volume."""
    return {path: entry.content for path, entry in volume.entries.items()}


async def test_a_move_makes_an_equal_copy_and_leaves_the_source_stopped(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish()
    updates: list[StepProgress] = []
    report = await move(scene, tmp_path, updates=updates)

    assert report.equal
    assert {check.subject for check in report.checks} >= {"volume data", "volume more", "env", "ports", "state"}
    copy = await scene.target.workload_spec("train")
    original = await scene.source.workload_spec("train")
    for name in (
        "env",
        "labels",
        "ports",
        "mounts",
        "command",
        "user",
        "workdir",
        "restart",
        "memory_bytes",
        "cpus_nano",
    ):
        assert getattr(copy, name) == getattr(original, name), name
    assert (await scene.target.inspect_container("train")).state is ContainerState.RUNNING
    assert (await scene.source.inspect_container(made)).state is ContainerState.EXITED
    assert (await scene.target.image_facts(TAG)).diff_ids == (await scene.source.image_facts(TAG)).diff_ids
    there, here = scene.target.world.volumes["data"], scene.source.world.volumes["data"]
    assert {path: e.content for path, e in there.entries.items()} == {
        path: e.content for path, e in here.entries.items()
    }
    assert there.labels["keep"] == "yes"
    assert there.labels[MARK] == report.journal
    assert report.moved_bytes > 0
    assert report.downtime_s is not None
    assert report.downtime_s <= report.duration_s
    assert "never removed" in report.notes[0]


async def test_progress_names_each_step_and_counts_bytes(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    updates: list[StepProgress] = []
    await move(scene, tmp_path, updates=updates)
    started = [update.step.kind for update in updates if update.phase is Phase.STARTED]
    assert started == [
        StepKind.IMAGE,
        StepKind.STOP_SOURCE,
        StepKind.VOLUME,
        StepKind.VOLUME,
        StepKind.CREATE,
        StepKind.START,
        StepKind.VERIFY,
    ]
    assert [update.index for update in updates] == sorted(update.index for update in updates)
    assert {update.count for update in updates} == {7}
    assert any(update.done_bytes for update in updates if update.step.kind is StepKind.IMAGE)
    assert any(update.done_bytes for update in updates if update.step.kind is StepKind.VOLUME)
    assert not any(update.undoing for update in updates)


async def test_there_and_back_under_another_name_is_equal(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = await scene.source.workload_spec("train")
    await move(scene, tmp_path)
    plan = await plan_migration(scene.target, "train", scene.source, name="again")
    assert not plan.blocked, plan.findings
    report = await run_migration(
        plan, scene.target, scene.source, on_update=lambda _u: None, state_dir=tmp_path, watch_s=0.0
    )
    assert report.equal
    after = await scene.source.workload_spec("again")
    assert (after.env, after.labels, after.ports, after.command) == (
        before.env,
        before.labels,
        before.ports,
        before.command,
    )
    names = {mount.destination: mount.source for mount in after.mounts}
    assert names == {"/data": "data-again", "/more": "more-again", "/models": "/srv/models"}
    first, back = (scene.source.world.volumes[name] for name in ("data", "data-again"))
    assert contents(first) == contents(back)
    assert scene.source.world.images[after.image_id].tags == [TAG]
    assert report.plan.steps[0].skip


async def test_a_stopped_source_makes_a_copy_that_is_not_started(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(start=False)
    report = await move(scene, tmp_path)
    assert report.equal
    assert report.downtime_s is None
    assert (await scene.target.inspect_container("train")).state is ContainerState.CREATED
    assert (await scene.source.inspect_container("train")).state is ContainerState.CREATED


async def test_anonymous_volumes_are_carried_under_a_readable_name(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(spec(mounts=(MountSpec(MountKind.VOLUME, "", "/var/cache", anonymous=True),)))
    name = (await scene.source.workload_spec("train")).mounts[0].source
    scene.source.world.volumes[name].put("precious", b"data")
    report = await move(scene, tmp_path)
    assert report.equal
    assert (await scene.target.workload_spec("train")).mounts[0].source == "train-var-cache"
    assert scene.target.world.volumes["train-var-cache"].entries["precious"].content == b"data"


async def test_a_blocked_plan_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(spec(name="neighbour"))
    before = picture(scene.source), picture(scene.target)
    plan = await plan_migration(scene.source, "neighbour", scene.target)
    assert plan.blocked
    with pytest.raises(Refused, match="already has a container named neighbour"):
        await run_migration(plan, scene.source, scene.target, on_update=lambda _u: None, state_dir=tmp_path)
    assert (picture(scene.source), picture(scene.target)) == before
    assert await list_journals(tmp_path) == []


async def test_a_plan_out_of_date_is_refused(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    plan = await plan_migration(scene.source, "train", scene.target)
    await scene.source.stop("train")
    with pytest.raises(Refused, match="changed since the plan"):
        await run_migration(plan, scene.source, scene.target, on_update=lambda _u: None, state_dir=tmp_path)


async def test_a_copy_that_ends_at_once_is_taken_back(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)

    class Ends(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.workload_spec":
                scene.target.actions.stop("train")
            return super().strikes(name)

    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=Ends())
    assert failure.value.step.kind is StepKind.VERIFY
    assert "exit code" in failure.value.detail
    assert (picture(scene.source), picture(scene.target)) == before


async def test_the_journal_is_private_and_says_what_was_made(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    report = await move(scene, tmp_path)
    [record] = await list_journals(tmp_path)
    assert record.status is Status.DONE
    assert record.id == report.journal
    assert [str(entry.effect) for entry in record.entries] == [
        "image", "tag", "stop-source", "volume", "volume", "container",
    ]  # fmt: skip
    assert all(entry.made for entry in record.entries)
    path = tmp_path / "migrations" / f"{record.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "hunter2" not in path.read_text()


async def count_calls(tmp_path: Path, known_as: str = "", *, paused: bool = False) -> list[str]:
    """The calls of a run in which nothing goes wrong."""
    scene = Scene()
    made = await scene.furnish(known_as=known_as)
    if paused:
        await scene.source.pause(made)
    saboteur = Saboteur()
    await move(scene, tmp_path, saboteur=saboteur)
    return saboteur.calls


@pytest.mark.parametrize(("paused", "known_as"), [(False, ""), (True, "docker.io/demo/same:2")])
@pytest.mark.parametrize("fault", list(Fault))
async def test_a_fault_at_any_call_leaves_all_as_it_was(
    fault: Fault, paused: bool, known_as: str, tmp_path: Path
) -> None:
    calls = await count_calls(tmp_path / "count", known_as, paused=paused)
    assert len(calls) >= 20
    for number, call in enumerate(calls):
        scene = Scene()
        made = await scene.furnish(known_as=known_as)
        if paused:
            await scene.source.pause(made)
        before = picture(scene.source), picture(scene.target)
        saboteur = Saboteur(number, fault)
        task = asyncio.create_task(move(scene, tmp_path / str(number), saboteur=saboteur))
        saboteur.cancel = task.cancel
        try:
            await task
        except (BackendError, asyncio.CancelledError) as error:
            failure = error
        else:
            assert harmless(fault, saboteur.calls, number), f"{fault} at call {number}, {call} went unnoticed"
            continue
        where = f"{fault} at call {number}, {call}"
        assert picture(scene.target) == before[1], where
        assert picture(scene.source) == before[0], where
        assert isinstance(failure, asyncio.CancelledError) == (fault in CALLED_OFF), where
        records = await list_journals(tmp_path / str(number))
        assert all(record.status is Status.UNDONE for record in records), where
        if isinstance(failure, MigrationFailed):
            assert failure.undone.left == (), where
            assert failure.__cause__ is not None
        else:
            assert not isinstance(failure, Refused)
            assert fault in CALLED_OFF or not records, where


def harmless(fault: Fault, calls: list[str], number: int) -> bool:
    """Whether a fault may go unnoticed: the run was over, or only the look for a tool, which reads nothing, was cut."""
    cut = fault in {Fault.AFTER, Fault.MIDWAY} and calls[number].endswith("export_volume")
    return (cut and calls.index(calls[number]) == number) or (fault is Fault.CANCEL_AFTER and number == len(calls) - 1)


CALLED_OFF = {Fault.CANCEL, Fault.CANCEL_AFTER}


class Crash(BaseException):
    """The process dies here: nothing after it runs."""


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_undo_after_a_crash_at_any_call(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = await count_calls(tmp_path / "count")
    monkeypatch.setattr("backends.migration.run._Run.take_back", _die)
    for number, call in enumerate(calls):
        scene = Scene()
        await scene.furnish()
        before = picture(scene.source), picture(scene.target)
        state_dir = tmp_path / str(number)
        if harmless(fault, calls, number):
            continue
        with pytest.raises((Crash, BackendError)):
            await move(scene, state_dir, saboteur=Saboteur(number, fault))
        for record in await list_journals(state_dir):
            assert record.status is Status.RUNNING
            undone = await undo(state_dir, record.id, {SOURCE.name: scene.source, TARGET.name: scene.target})
            assert undone.left == ()
        where = f"{fault} at call {number}, {call}"
        assert picture(scene.target) == before[1], where
        assert picture(scene.source) == before[0], where


async def _die(_run: object) -> None:
    raise Crash


async def test_undo_of_a_finished_move_must_be_asked_for(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)
    report = await move(scene, tmp_path)
    engines = {SOURCE.name: scene.source, TARGET.name: scene.target}
    with pytest.raises(Refused, match="completed"):
        await undo(tmp_path, report.journal, engines)
    undone = await undo(tmp_path, report.journal, engines, finished=True)
    assert undone.left == ()
    assert (picture(scene.source), picture(scene.target)) == before
    with pytest.raises(Refused, match="undone already"):
        await undo(tmp_path, report.journal, engines)


async def test_undo_leaves_a_volume_that_is_not_ours(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    report = await move(scene, tmp_path)
    await scene.target.remove("train", force=True)
    volume = scene.target.world.volumes["data"]
    volume.labels = {MARK: "another move"}
    await undo(tmp_path, report.journal, {SOURCE.name: scene.source, TARGET.name: scene.target}, finished=True)
    assert "data" in scene.target.world.volumes
    assert "more" not in scene.target.world.volumes


async def test_a_target_that_stays_down_is_told_and_can_be_undone_later(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)

    class DiesAtStart(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.start":
                scene.target.go_down()
            return super().strikes(name)

    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=DiesAtStart())
    assert failure.value.undone.left
    assert (await scene.source.inspect_container("train")).state is ContainerState.RUNNING
    [record] = await list_journals(tmp_path)
    assert record.status is Status.PARTLY_UNDONE
    scene.target.come_back()
    undone = await undo(tmp_path, record.id, {SOURCE.name: scene.source, TARGET.name: scene.target})
    assert undone.left == ()
    assert (picture(scene.source), picture(scene.target)) == before


async def test_what_another_makes_under_our_names_meanwhile_is_not_removed(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    here, there = picture(scene.source), picture(scene.target)

    class Rival(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.create_container":
                scene.target.actions.create(spec(mounts=()))
            return super().strikes(name)

    with pytest.raises(MigrationFailed, match="in use"):
        await move(scene, tmp_path, saboteur=Rival())
    assert picture(scene.source) == here
    rivals = [c for c in scene.target.world.containers.values() if c.spec.name == "train"]
    assert len(rivals) == 1, "it is of the very image and has never run, and is not ours all the same"
    assert picture(scene.target)["volumes"] == there["volumes"]


async def test_an_image_that_arrives_as_another_fails_the_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    await scene.furnish()
    real = scene.target.import_image

    async def garbled(archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        await real(archive)
        scene.target.actions.remove_image((await scene.source.image_facts(TAG)).key.id)
        return (OTHER_TAG,)

    monkeypatch.setattr(scene.target, "import_image", garbled)
    before = picture(scene.source), picture(scene.target)
    with pytest.raises(MigrationFailed, match="not the one that was sent"):
        await move(scene, tmp_path)
    assert (picture(scene.source), picture(scene.target)) == before


async def lacking_tar(scene: Scene, monkeypatch: pytest.MonkeyPatch, *, everywhere: bool) -> None:
    """The container's own image (or every image) is none by which the target could read a volume."""
    own = (await scene.source.image_facts(TAG)).key.id
    real = scene.target.export_volume

    def refuse(name: str, *, via_image: str) -> ByteStream:
        if everywhere or via_image == own:
            raise Unsupported("the image has no tar", engine=TARGET)
        return real(name, via_image=via_image)

    monkeypatch.setattr(scene.target, "export_volume", refuse)


async def test_an_image_without_tar_is_moved_by_another_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    await scene.furnish()
    await lacking_tar(scene, monkeypatch, everywhere=False)
    assert (await move(scene, tmp_path)).equal


async def test_where_no_image_has_tar_the_move_fails_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)
    await lacking_tar(scene, monkeypatch, everywhere=True)
    with pytest.raises(MigrationFailed, match="no tar") as failure:
        await move(scene, tmp_path)
    assert "busybox" in failure.value.hint
    assert (picture(scene.source), picture(scene.target)) == before


async def test_content_that_changes_on_the_way_fails_the_move(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish()
    before = picture(scene.target)

    class Corrupts(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.export_volume" and "there.import_volume" in self.calls:
                scene.target.world.volumes["data"].put("dir/file 3", b"y" * 300, mode=0o640, uid=1003, gid=7, mtime=99)
            return super().strikes(name)

    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=Corrupts())
    [check] = [check for check in failure.value.checks if not check.equal]
    assert check.subject == "volume data"
    assert "dir/file 3" in check.target
    assert "content" in check.target
    assert picture(scene.target) == before
    key = ContainerKey(SOURCE, made)
    assert (await scene.source.inspect_container(key.id)).state is ContainerState.RUNNING
