"""A container into one file and back on demo engines: equal, and nothing lost or left where a step fails."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.engine import Engine
from backends.migration import list_journals, undo
from backends.migration.archive_source import archive_source
from backends.migration.backup import BackupReport, back_up
from backends.migration.backup_contents import open_backup
from backends.migration.backup_source import carried_changes
from backends.migration.journal import Status
from backends.migration.restore import opened, plan_restore, run_restore
from backends.model.codec import from_json
from backends.model.container import ChangedPath, ChangeKind, ContainerState
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, Refused, Unsupported
from backends.model.plan import Choices, MigrationFailed, MigrationReport, Severity, StepKind
from backends.model.settings import ProcessSpec
from backends.model.wish import these
from backends.model.workload import GpuRequest, WorkloadSpec
from tests.migration_scene import TAG, Fault, Saboteur, Scene, picture, spec


def quiet() -> WorkloadSpec:
    """A recipe without ports: the source runs on, and both engines are on one host."""
    return spec(ports=())


async def write(scene: Scene, folder: Path, engine: Engine | None = None, **options: Any) -> BackupReport:
    """A backup of the scene's container."""
    path, state = folder / "train.backup", folder / "state"
    return await back_up(engine or scene.source, "train", path, version="1.2.3", state_dir=state, **options)


async def read(scene: Scene, folder: Path, **choices: Any) -> MigrationReport:
    """That backup on the scene's target."""
    async with opened(folder / "train.backup") as backup:
        plan = await plan_restore(backup, scene.target, choices=Choices(**choices))
        return await run_restore(
            plan, backup, scene.target, on_update=lambda _: None, state_dir=folder / "state", watch_s=0.0
        )


def left_over(folder: Path) -> list[str]:
    """Files beside the backup."""
    return sorted(path.name for path in folder.iterdir() if path.name not in {"train.backup", "state"})


async def test_what_comes_back_is_equal_and_the_source_runs_on(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish(quiet())
    before = picture(scene.source)
    written = await write(scene, tmp_path)

    path = tmp_path / "train.backup"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert written.size_bytes == path.stat().st_size
    assert written.downtime_s is not None
    assert left_over(tmp_path) == []
    assert picture(scene.source) == before
    assert (await scene.source.inspect_container(made)).state is ContainerState.RUNNING

    report = await read(scene, tmp_path)
    assert report.equal
    assert {check.subject for check in report.checks} >= {"volume data", "volume more", "env", "state"}
    copy, original = await scene.target.workload_spec("train"), await scene.source.workload_spec("train")
    for name in ("env", "labels", "command", "user", "workdir", "restart", "memory_bytes", "cpus_nano"):
        assert getattr(copy, name) == getattr(original, name), name
    there, here = (engine.world.volumes["data"].entries for engine in (scene.target, scene.source))
    assert {path: (e.content, e.head.mode, e.head.uid, e.head.gid) for path, e in there.items()} == {
        path: (e.content, e.head.mode, e.head.uid, e.head.gid) for path, e in here.items()
    }
    assert (await scene.target.inspect_container("train")).state is ContainerState.RUNNING
    assert await _identity(scene.target) == await _identity(scene.source)
    assert picture(scene.source) == before, "a restore does nothing to where the backup came from"


async def test_a_copy_gets_the_gpus_that_are_chosen_for_it(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    await write(scene, tmp_path)
    report = await read(scene, tmp_path, gpus=these(["1"]))
    assert report.equal
    copy = await scene.target.workload_spec("train")
    assert copy.gpu == GpuRequest(cdi_devices=("nvidia.com/gpu=1",))


async def _identity(engine: Engine) -> tuple[str, tuple[str, ...]]:
    facts = await engine.image_facts(TAG)
    return facts.config_digest, facts.diff_ids


async def test_the_file_is_a_tar_with_an_oci_layout_a_recipe_and_volumes(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    await write(scene, tmp_path)
    with tarfile.open(tmp_path / "train.backup") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for name, content in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == TAG
    manifest = json.loads(files[f"blobs/sha256/{entry['digest'][7:]}"])
    facts = await scene.source.image_facts(TAG)
    assert manifest["config"]["digest"] == facts.config_digest
    assert tuple(layer["digest"] for layer in manifest["layers"]) == facts.diff_ids
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.oci.image.layer.v1.tar"}

    assert from_json(WorkloadSpec, files["spec.json"].decode()).env["API_TOKEN"] == "hunter2"
    lines = [json.loads(line) for line in files["volumes/data.files.jsonl"].splitlines()]
    assert {line["path"] for line in lines} == {"", "dir", *(f"dir/file {number}" for number in range(20))}
    assert files["manifest.json.sha256"].split()[0].decode() == hashlib.sha256(files["manifest.json"]).hexdigest()
    said = json.loads(files["manifest.json"])["value"]
    assert (said["version"], said["engine"]["kind"], said["info"]["rootless"]) == ("1.2.3", "docker", False)
    listed = {member["name"]: (member["size"], member["sha256"]) for member in said["members"]}
    assert listed == {
        name: (len(content), hashlib.sha256(content).hexdigest())
        for name, content in files.items()
        if not name.startswith("manifest.json")
    }


@pytest.mark.parametrize("state", ["exited", "paused", "live"])
async def test_the_source_is_afterwards_as_before(state: str, tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish(quiet(), start=state != "exited")
    if state == "paused":
        await scene.source.pause(made)
    before = (await scene.source.inspect_container(made)).state
    started_at = (await scene.source.inspect_container(made)).started_at
    written = await write(scene, tmp_path, live=state == "live")
    seen = await scene.source.inspect_container(made)
    assert seen.state is before
    if state == "live":
        assert seen.started_at == started_at
        assert "may be half in it" in written.notes[0]
    assert (written.downtime_s is None) == (state != "paused")
    assert (await read(scene, tmp_path)).equal
    copy = (await scene.target.inspect_container("train")).state
    assert copy.alive == (state != "exited")


async def test_a_backup_that_was_taken_live_says_so_in_the_plan(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    await write(scene, tmp_path, live=True)
    async with opened(tmp_path / "train.backup") as backup:
        plan = await plan_restore(backup, scene.target)
    assert any("ran while the backup" in f.title for f in plan.findings if f.severity is Severity.WARN)
    assert next(step for step in plan.steps if step.kind is StepKind.STOP_SOURCE).skip == "a backup is a file"


async def test_another_name_goes_beside_what_is_there(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    await write(scene, tmp_path)
    await read(scene, tmp_path)
    with pytest.raises(Refused, match="already has a container named train"):
        await read(scene, tmp_path)
    assert (await read(scene, tmp_path, name="second")).equal
    assert {"train", "second"} <= {container.name for container in await scene.target.list_containers()}


async def _count(tmp_path: Path) -> int:
    scene, saboteur = Scene(), Saboteur()
    await scene.furnish(quiet())
    await write(scene, tmp_path, saboteur.wrap(scene.source))
    return len(saboteur.calls)


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_backup_that_fails_at_any_call_leaves_no_file_and_the_source_as_it_was(
    fault: Fault, tmp_path: Path
) -> None:
    counted = tmp_path / "count"
    counted.mkdir()
    calls = await _count(counted)
    assert calls > 10
    still: list[str] = []
    for at in range(calls):
        scene, saboteur, folder = Scene(), Saboteur(at, fault), tmp_path / str(at)
        folder.mkdir()
        await scene.furnish(quiet())
        before = picture(scene.source)
        task = asyncio.ensure_future(write(scene, folder, saboteur.wrap(scene.source)))
        saboteur.cancel = task.cancel
        with suppress(BackendError, asyncio.CancelledError):
            await task
        call = saboteur.calls[at].partition(".")[2]
        assert left_over(folder) == [], call
        if (folder / "train.backup").exists():  # an answer was lost that nobody waits for
            open_backup(folder / "train.backup").close()
        if picture(scene.source) == before:
            continue
        # Only where the start itself could not be made is it left to the journal.
        still.append(call)
        (record,) = [r for r in await list_journals(folder / "state") if r.status is Status.PARTLY_UNDONE]
        await undo(folder / "state", record.id, {"here": scene.source})
        assert picture(scene.source) == before, call
    assert set(still) <= {"inspect_container", "start"}
    if fault in {Fault.BEFORE, Fault.MIDWAY}:
        assert "start" in still


async def test_a_backup_that_was_killed_is_told_of_and_undone(tmp_path: Path) -> None:
    """The journal as a process that is gone has left it: the source stands still."""
    scene, state = Scene(), tmp_path / "state"
    made = await scene.furnish(quiet())
    journals: list[str] = []

    def look(update: Any) -> None:
        if update.step.kind is StepKind.VOLUME and not journals:
            journals.extend(path.read_text() for path in (state / "migrations").glob("*.json"))

    await write(scene, tmp_path, on_update=look)
    (text,) = journals
    (path,) = (state / "migrations").glob("*.json")
    path.write_text(text)  # as it stood on disk while the volume was read
    await scene.source.stop(made)
    (record,) = await list_journals(state)
    assert record.status is Status.RUNNING
    undone = await undo(state, record.id, {"here": scene.source})
    assert undone.left == ()
    assert (await scene.source.inspect_container(made)).state is ContainerState.RUNNING


async def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    (tmp_path / "train.backup").write_bytes(b"mine")
    with pytest.raises(Conflict, match="exists already"):
        await write(scene, tmp_path)
    assert (tmp_path / "train.backup").read_bytes() == b"mine"
    assert left_over(tmp_path) == []


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish(quiet())
    with pytest.raises(Denied, match="cannot be written"):
        await write(scene, tmp_path / "nowhere")
    assert (await scene.source.inspect_container(made)).state is ContainerState.RUNNING


async def test_a_full_disk_ends_it_and_the_source_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    before = picture(scene.source)
    real, room = os.pwrite, [90_000]

    def scarce(descriptor: int, content: bytes, offset: int) -> int:
        room[0] -= len(content)
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", scarce)
    with pytest.raises(Denied, match="No space left on device"):
        await write(scene, tmp_path)
    assert os.listdir(tmp_path) == ["state"]
    assert picture(scene.source) == before


async def test_a_container_that_a_stop_would_delete_is_only_read_live(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(replace(quiet(), process=ProcessSpec(auto_remove=True)))
    with pytest.raises(Refused, match="--rm") as caught:
        await write(scene, tmp_path)
    assert "--live" in caught.value.hint
    assert (await write(scene, tmp_path, live=True)).downtime_s is None


async def test_an_engine_that_sends_another_image_is_not_believed(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())

    class Lying:
        def __getattr__(self, name: str) -> Any:
            return getattr(scene.source, name)

        def export_image(self, _reference: str) -> Any:
            return scene.target.export_image("docker.io/demo/other:1")

    with pytest.raises(Protocol, match="image archive"):
        await write(scene, tmp_path, Lying())
    assert left_over(tmp_path) == []


async def test_a_file_that_changes_after_the_check_undoes_the_restore(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(quiet())
    await write(scene, tmp_path)
    before = picture(scene.target)
    async with opened(tmp_path / "train.backup") as backup:
        plan = await plan_restore(backup, scene.target)
        at = backup.found["volumes/data.tar"].offset + 1024
        with (tmp_path / "train.backup").open("r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 1]))
        with pytest.raises(MigrationFailed) as caught:
            await run_restore(
                plan, backup, scene.target, on_update=lambda _: None, state_dir=tmp_path / "state", watch_s=0.0
            )
    assert caught.value.undone.left == ()
    assert picture(scene.target) == before


async def test_a_backup_as_an_engine_can_only_be_read(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish(quiet())
    await write(scene, tmp_path)
    async with opened(tmp_path / "train.backup") as backup:
        source = archive_source(backup)
        for call in (source.stop(made), source.remove(made), source.create_volume(None)):  # type: ignore[arg-type]
            with pytest.raises(Unsupported):
                await call
        for stream in (source.subscribe(), source.logs(made), source.stats([made])):
            with pytest.raises(Unsupported):
                await _entered(stream)
        for missing in (source.inspect_container("x"), source.image_facts("x"), source.inspect_volume("x")):
            with pytest.raises(NotFound):
                await missing
        assert (await source.connect()).local is False
        with pytest.raises(AttributeError):
            source.conect  # type: ignore[attr-defined]  # noqa: B018


async def _entered(stream: Any) -> AsyncIterator[Any]:
    async with stream as items:
        return items  # type: ignore[no-any-return]


def test_of_what_changed_the_topmost_added_and_the_changed_files_are_read() -> None:
    changed, added, deleted = ChangeKind.CHANGED, ChangeKind.ADDED, ChangeKind.DELETED
    paths = [
        ChangedPath("/etc", changed),
        ChangedPath("/etc/hosts.conf", changed),
        ChangedPath("/etc/gone", deleted),
        ChangedPath("/new", added),
        ChangedPath("/new/below", added),
        ChangedPath("/newer", added),
        ChangedPath("/var", changed),
        ChangedPath("/var/x", deleted),
    ]
    assert [entry.path for entry in carried_changes(paths)] == ["/etc/hosts.conf", "/new", "/newer"]
