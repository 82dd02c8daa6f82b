"""What goes wrong on the way, or is crashed or called off: both engines are left as they were."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engine import ByteStream
from backends.engines.demo import DemoEngine
from backends.migration import MARK, list_journals, resume, undo
from backends.migration.journal import Journal, Status
from backends.model.container import ContainerState, MountKind
from backends.model.errors import BackendError, Refused, Unreachable, Unsupported
from backends.model.ids import ContainerKey
from backends.model.labels import HELPER_LABEL
from backends.model.plan import MigrationFailed
from backends.model.workload import MountSpec, WorkloadSpec
from tests.migration_scene import OTHER_TAG, SOURCE, TAG, TARGET, Fault, Saboteur, Scene, move, picture, spec
from tests.thorough import thorough


async def count_calls(tmp_path: Path, known_as: str = "", *, paused: bool = False, programs: bool = True) -> list[str]:
    """The calls of a run in which nothing goes wrong."""
    scene = Scene(programs=programs)
    made = await scene.furnish(known_as=known_as)
    if paused:
        await scene.source.pause(made)
    saboteur = Saboteur()
    await move(scene, tmp_path, saboteur=saboteur)
    return saboteur.calls


@pytest.mark.parametrize(
    ("paused", "known_as", "programs"),
    [(False, "", False), (True, "docker.io/demo/same:2", True), *thorough((False, "", True))],
)
@pytest.mark.parametrize("fault", list(Fault))
async def test_a_fault_at_any_call_leaves_all_as_it_was(
    fault: Fault, paused: bool, known_as: str, programs: bool, tmp_path: Path
) -> None:
    calls = await count_calls(tmp_path / "count", known_as, paused=paused, programs=programs)
    assert len(calls) >= 20
    for number, call in enumerate(calls):
        scene = Scene(programs=programs)
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
            assert harmless(fault, saboteur.calls, number, programs=programs), (
                f"{fault} at call {number}, {call} went unnoticed"
            )
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


def harmless(fault: Fault, calls: list[str], number: int, *, programs: bool = True) -> bool:
    """Whether a fault may go unnoticed: the run was over, only the look for a tool, which reads nothing, was cut, or
    the image has no programs, which is said before there is a stream that could be cut.
    """
    cut = fault in {Fault.AFTER, Fault.MIDWAY} and calls[number].endswith(".export_volume")
    if not programs and fault in {Fault.AFTER, Fault.MIDWAY} and calls[number].endswith(".run_in_volume"):
        return True
    return (cut and calls.index(calls[number]) == number) or (fault is Fault.CANCEL_AFTER and number == len(calls) - 1)


CALLED_OFF = {Fault.CANCEL, Fault.CANCEL_AFTER}


class Crash(BaseException):
    """The process dies here: nothing after it runs."""


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_undo_after_a_crash_at_any_call(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = await count_calls(tmp_path / "count")
    monkeypatch.setattr("backends.migration.run.Run.take_back", _die)
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


@pytest.mark.parametrize("programs", [True, *thorough(False)])
@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.MIDWAY])
async def test_resume_after_a_crash_at_any_call_ends_equal(
    fault: Fault, programs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = await count_calls(tmp_path / "count", programs=programs)
    smooth = Scene(programs=programs)
    await smooth.furnish()
    await move(smooth, tmp_path / "smooth")
    monkeypatch.setattr("backends.migration.run.Run.take_back", _die)
    for number, call in enumerate(calls):
        if harmless(fault, calls, number, programs=programs):
            continue
        where = f"{fault} at call {number}, {call}"
        scene = Scene(programs=programs)
        await scene.furnish()
        state_dir = tmp_path / str(number)
        with pytest.raises((Crash, BackendError)):
            await move(scene, state_dir, saboteur=Saboteur(number, fault))
        for record in await list_journals(state_dir):
            engines = {SOURCE.name: scene.source, TARGET.name: scene.target}
            report = await resume(state_dir, record.id, engines, on_update=lambda _u: None, watch_s=0.0)
            assert report.equal, where
            [after] = await list_journals(state_dir)
            assert after.status is Status.DONE, where
            assert end_of(scene.source) == end_of(smooth.source), where
            assert end_of(scene.target) == end_of(smooth.target), where
            undone = await undo(state_dir, record.id, engines, finished=True)
            assert undone.left == (), where


def end_of(seen: DemoEngine) -> dict[str, object]:
    """As `picture`, without what differs from run to run: ids, and the label with the move's own."""
    world = seen.world
    return {
        "containers": sorted((c.spec.name, str(c.state), repr(c.spec.mounts)) for c in world.containers.values()),
        "images": sorted((image.id, sorted(image.tags)) for image in world.images.values()),
        "volumes": {
            name: sorted((path, e.head.mode, e.head.uid, e.head.gid, e.content) for path, e in volume.entries.items())
            for name, volume in world.volumes.items()
        },
    }


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


@pytest.mark.parametrize("busy", [True, False])
async def test_a_helper_that_its_own_process_left_goes_with_the_undo(
    busy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engine was dead, or had no room for that, when it was to be removed. busy: another move may need its own."""
    monkeypatch.setattr("backends.migration.rollback.RETRY_EVERY_S", 0.005)  # the volume is in use at each try
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)

    class LeavesHelper(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.start":
                data = MountSpec(MountKind.VOLUME, "data", "/volume")
                helper = WorkloadSpec("helper", OTHER_TAG, labels={HELPER_LABEL: str(os.getpid())}, mounts=(data,))
                scene.target.actions.create(helper)
                raise Unreachable("the line was cut")
            return super().strikes(name)

    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=LeavesHelper())
    assert [thing for thing in failure.value.undone.left if "volume data" in thing]
    [record] = await list_journals(tmp_path)
    if busy:
        other = replace(record, id="20991231-000000-0000", status=Status.RUNNING, container_id="f" * 64, entries=())
        await Journal.begin(tmp_path, other)
    undone = await undo(tmp_path, record.id, {SOURCE.name: scene.source, TARGET.name: scene.target})
    assert bool(undone.left) == busy
    assert ((picture(scene.source), picture(scene.target)) == before) == (not busy)


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


@pytest.mark.parametrize("programs", [True, False])
async def test_content_that_changes_on_the_way_fails_the_move(programs: bool, tmp_path: Path) -> None:
    scene = Scene(programs=programs)
    reading = "there.run_in_volume" if programs else "there.export_volume"
    made = await scene.furnish()
    before = picture(scene.target)

    class Corrupts(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == reading and "there.import_volume" in self.calls:
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
