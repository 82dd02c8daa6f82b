"""What is done in containers and to their files: programs, changes, tars in and out, commits, health, restarts."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace

import pytest

from backends.model.capabilities import Capability
from backends.model.container import ChangedPath, ChangeKind, ContainerState, Health, MountKind
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.settings import HealthSpec
from backends.model.workload import MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.contract.lab import BUSYBOX, SERVE, Lab, collect, eventually, one_chunk

_MIB = 1 << 20


# -- programs ------------------------------------------------------------------------------------
async def test_a_program_says_what_it_says_and_ends_as_it_ends(lab: Lab) -> None:
    made = await lab.run()
    done = await lab.engine.execute(made, ["sh", "-c", "echo out; cat /no-such-file; exit 7"])
    assert (done.exit_code, done.stdout) == (7, b"out\n")
    assert b"No such file" in done.stderr
    assert b"out" not in done.stderr
    quiet = await lab.engine.execute(made, ["true"])
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, b"", b"")


async def test_words_of_a_program_are_no_shell(lab: Lab) -> None:
    made = await lab.run()
    words = ["echo", "$HOME", "a  b", "*", "'"]
    assert (await lab.engine.execute(made, words)).stdout == b"$HOME a  b * '\n"


async def test_what_a_program_says_is_cut_at_a_mebibyte(lab: Lab) -> None:
    volume = await lab.volume()
    await lab.engine.import_volume(volume, one_chunk(_tar(("./big", b"x" * (_MIB + 5000)))), via_image=BUSYBOX)
    mount = MountSpec(MountKind.VOLUME, volume, "/data")
    made = await lab.run(spec=replace(lab.spec(), mounts=(mount,)))
    done = await lab.engine.execute(made, ["cat", "/data/big"])
    assert (done.exit_code, len(done.stdout)) == (0, _MIB)


async def test_a_program_that_is_not_there_is_not_supported(lab: Lab) -> None:
    made = await lab.run()
    with pytest.raises(Unsupported) as caught:
        await lab.engine.execute(made, ["no-such-program-anywhere"])
    assert caught.value.engine == lab.engine.id


async def test_nothing_runs_in_what_does_not_run(lab: Lab) -> None:
    made = await lab.make()
    with pytest.raises(Conflict):
        await lab.engine.execute(made, ["true"])


# -- files ---------------------------------------------------------------------------------------
def _tar(*files: tuple[str, bytes], uid: int = 0, gid: int = 0, mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files:
            head = tarfile.TarInfo(name)
            head.size, head.uid, head.gid, head.mode, head.mtime = len(content), uid, gid, mode, 1_700_000_000
            tar.addfile(head, io.BytesIO(content))
    return out.getvalue()


async def _read(lab: Lab, container: str, path: str) -> dict[str, tuple[int, int, int, bytes | None]]:
    """Name → mode, owner, group, content."""
    async with lab.engine.read_files(container, path) as chunks:
        archive = await collect(chunks)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for head in tar:
            file = tar.extractfile(head) if head.isreg() else None
            content = None if file is None else file.read()
            found[head.name.rstrip("/")] = (head.mode, head.uid, head.gid, content)
    return found


@pytest.mark.parametrize("running", [False, True])
async def test_files_go_in_and_out_with_their_owners(lab: Lab, running: bool) -> None:
    made = await (lab.run() if running else lab.make())
    archive = _tar(("one", b"1"), ("deep/er/two", b"22"), uid=1234, gid=567, mode=0o640)
    await lab.engine.write_files(made, "/tmp", one_chunk(archive))
    assert await _read(lab, made, "/tmp/one") == {"one": (0o640, 1234, 567, b"1")}
    deep = await _read(lab, made, "/tmp/deep")
    assert set(deep) == {"deep", "deep/er", "deep/er/two"}
    assert deep["deep/er/two"] == (0o640, 1234, 567, b"22")


async def test_files_go_into_volumes_where_they_are_mounted(lab: Lab) -> None:
    volume = await lab.volume()
    mount = MountSpec(MountKind.VOLUME, volume, "/data")
    made = await lab.make(replace(lab.spec(), mounts=(mount,)))
    await lab.engine.write_files(made, "/data", one_chunk(_tar(("x", b"in the volume"), uid=7, gid=8)))
    other = await lab.make(replace(lab.spec(), mounts=(replace(mount, destination="/elsewhere"),)))
    assert await _read(lab, other, "/elsewhere/x") == {"x": (0o644, 7, 8, b"in the volume")}
    assert not [one for one in await lab.engine.changed_paths(made) if one.path.startswith("/data/")]


async def test_a_path_that_is_not_there_is_not_found(lab: Lab) -> None:
    made = await lab.make()
    with pytest.raises(NotFound):
        await _read(lab, made, "/no/such/path")
    with pytest.raises(NotFound):
        await lab.engine.write_files(made, "/no/such/folder", one_chunk(_tar(("x", b"y"))))


async def test_changes_are_told_with_their_kind_and_without_mounts(lab: Lab) -> None:
    reference = await _base(lab, ("opt/kept", b"k"), ("opt/changed", b"c"), ("opt/deleted", b"d"))
    volume = await lab.volume()
    mount = MountSpec(MountKind.VOLUME, volume, "/data")
    spec = WorkloadSpec(lab.name(), reference, command=SERVE, mounts=(mount,))
    made = await lab.run(spec=spec)
    script = "echo new > /opt/added; echo more >> /opt/changed; rm /opt/deleted; mkdir /opt/folder; touch /data/unseen"
    done = await lab.engine.execute(made, ["sh", "-c", script])
    assert (done.exit_code, done.stderr) == (0, b"")
    seen = {change for change in await lab.engine.changed_paths(made) if change.path.startswith(("/opt/", "/data/"))}
    assert seen == {
        ChangedPath("/opt/added", ChangeKind.ADDED),
        ChangedPath("/opt/changed", ChangeKind.CHANGED),
        ChangedPath("/opt/deleted", ChangeKind.DELETED),
        ChangedPath("/opt/folder", ChangeKind.ADDED),
    }


async def _base(lab: Lab, *files: tuple[str, bytes]) -> str:
    """An image of BUSYBOX with files more; its reference."""
    made = await lab.make()
    await lab.engine.write_files(made, "/", one_chunk(_tar(*files)))
    reference = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    await lab.engine.commit_container(made, reference)
    await lab.engine.remove(made, force=True)
    return reference


# -- commits -------------------------------------------------------------------------------------
async def test_a_commit_is_the_image_with_one_layer_more_and_its_own_settings(lab: Lab) -> None:
    before = await lab.engine.image_facts(BUSYBOX)
    volume = await lab.volume()
    spec = replace(
        lab.spec(),
        env={"SECRET": "of the container"},
        user="1000",
        workdir="/tmp",
        mounts=(MountSpec(MountKind.VOLUME, volume, "/data"),),
    )
    made = await lab.run(spec=spec)
    await lab.engine.write_files(made, "/etc", one_chunk(_tar(("written", b"by hand"), uid=3, gid=4)))
    await lab.engine.write_files(made, "/data", one_chunk(_tar(("kept", b"out of it"))))
    reference = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    id = await lab.engine.commit_container(made, reference)
    assert await lab.state(made) is ContainerState.RUNNING
    facts = await lab.engine.image_facts(reference)
    assert facts.key.id == id
    assert facts.tags == (reference,)
    assert facts.architecture == before.architecture
    assert facts.diff_ids[:-1] == before.diff_ids
    plain = await lab.make(replace(lab.spec(None), image=reference))
    back = await lab.engine.workload_spec(plain)
    was = await lab.engine.workload_spec(await lab.make(lab.spec(None)))
    assert replace(back, name=was.name, image=was.image, image_id=was.image_id) == was
    assert "SECRET" not in str(await lab.engine.inspect_raw(plain))
    assert await _read(lab, plain, "/etc/written") == {"written": (0o644, 3, 4, b"by hand")}
    with pytest.raises(NotFound):
        await _read(lab, plain, "/data/kept")


# -- health and restart --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("test", "health"), [(("CMD", "true"), Health.HEALTHY), (("CMD-SHELL", "exit 1"), Health.UNHEALTHY)]
)
async def test_health_comes_to_what_the_check_says(lab: Lab, test: tuple[str, ...], health: Health) -> None:
    check = HealthSpec(test, interval_ns=10**9, timeout_ns=5 * 10**9, retries=2)
    made = await lab.run(spec=replace(lab.spec(), health=check))

    async def come() -> bool:
        return await lab.engine.check_health(made) is health

    await eventually(come)


async def test_without_a_check_there_is_no_health(lab: Lab) -> None:
    assert await lab.engine.check_health(await lab.run()) is Health.NONE


@pytest.mark.parametrize("running", [False, True])
async def test_a_restart_policy_can_be_changed_and_nothing_else_changes(lab: Lab, running: bool) -> None:
    limits = lab.can(Capability.RESOURCE_LIMITS)
    spec = replace(
        lab.spec(),
        restart=RestartPolicy(RestartName.ALWAYS),
        env={"A": "b"},
        memory_bytes=(96 << 20) if limits else 0,
        cpus_nano=500_000_000 if limits else 0,
    )
    made = await (lab.run(spec=spec) if running else lab.make(spec))
    before = await lab.engine.workload_spec(made)
    for policy in (RestartPolicy(), RestartPolicy(RestartName.ON_FAILURE, 4), RestartPolicy(RestartName.ALWAYS)):
        await lab.engine.set_restart(made, policy)
        assert await lab.engine.workload_spec(made) == replace(before, restart=policy)
    assert await lab.state(made) is (ContainerState.RUNNING if running else ContainerState.CREATED)


# -- volumes and room ----------------------------------------------------------------------------
async def _in_volume(lab: Lab, volume: str, argv: list[str], **named: object) -> bytes:
    async with lab.engine.run_in_volume(volume, argv, via_image=BUSYBOX, **named) as said:  # type: ignore[arg-type]
        return await collect(said)


async def test_a_program_runs_in_a_volume(lab: Lab) -> None:
    volume = await lab.volume()
    await lab.engine.import_volume(volume, one_chunk(_tar(("./x", b"content"))), via_image=BUSYBOX)
    assert await _in_volume(lab, volume, ["pwd"]) == b"/volume\n"
    assert await _in_volume(lab, volume, ["cat", "x"]) == b"content"
    assert await _in_volume(lab, volume, ["cat"], stdin=b"\0\xff said" * 50_000) == b"\0\xff said" * 50_000
    await _in_volume(lab, volume, ["touch", "made"], read_only=False)
    assert await _in_volume(lab, volume, ["ls"]) == b"made\nx\n"
    assert await lab.helpers() == set(), "a helper container was left behind"


async def test_a_program_that_fails_in_a_volume_says_why(lab: Lab) -> None:
    volume = await lab.volume()
    with pytest.raises(Conflict) as caught:
        await _in_volume(lab, volume, ["cat", "nothing"])
    assert "No such file" in str(caught.value)
    with pytest.raises(Conflict, match="Read-only file system"):
        await _in_volume(lab, volume, ["touch", "x"])
    for argv in (["no-such-program-anywhere"], ["sh", "-c", "no-such-program-anywhere"]):
        with pytest.raises(Unsupported):
            await _in_volume(lab, volume, argv)
    assert await lab.helpers() == set(), "a helper container was left behind"


async def test_room_is_told_in_bytes_or_not_at_all(lab: Lab) -> None:
    room = await lab.engine.room()
    assert room.graph_root == lab.info.graph_root
    for free in (room.free_bytes, room.temp_free_bytes):
        assert free is None or free > _MIB
    assert room.temp_dir or room.temp_free_bytes is None


async def test_processes_are_those_that_run(lab: Lab) -> None:
    made = await lab.make(lab.spec(("sleep", "321")))
    with pytest.raises(Conflict):
        await lab.engine.processes(made)
    await lab.engine.start(made)

    async def begun() -> bool:
        """Until the runtime has made way for it, the process is still the runtime's own."""
        return "sleep 321" in (await lab.engine.processes(made))[0].command

    await eventually(begun)
    (first, *_) = await lab.engine.processes(made)
    assert first.pid > 1
    assert first.user
    assert first.memory_bytes is not None
