"""Files of containers by way of their mounted root, of volumes, and of the export where the image has no tar."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from backends.engines.podman import PodmanEngine
from backends.model.container import MountKind
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.settings import HealthSpec
from backends.model.workload import MountSpec, VolumeSpec, WorkloadSpec
from tests.engines_podman.test_podman_engine import _image_of_one_file

pytestmark = pytest.mark.engines
Fresh = Callable[[str], str]
Member = tuple[str, int, int, bytes]

IMAGE = "docker.io/test/busybox:1"
_TREE = (
    "mkdir -p /opt/real/sub; echo x >/opt/real/sub/f; chown 12:34 /opt/real/sub/f; ln -s /opt/real /lnk; "
    "ln -s real /opt/rel; ln -s sub/f /opt/real/fl; ln -s /nowhere /opt/dangling; mkfifo /opt/real/pipe; "
    "ln /opt/real/sub/f /opt/real/hard; mkdir /data/in; echo y >/data/in/g; chown 5:6 /data/in/g; ln -s /data/in /vl"
)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _archive(*names: str, gid: int = 3_000_000) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            head = tarfile.TarInfo(name)
            head.size, head.uid, head.gid = 4, 12, gid
            tar.addfile(head, io.BytesIO(b"text"))
    return out.getvalue()


async def _read(engine: PodmanEngine, container: str, path: str) -> dict[str, Member]:
    """Name → type, owner, group, content or target."""
    async with engine.read_files(container, path) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    found: dict[str, Member] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for head in tar:
            file = tar.extractfile(head) if head.isreg() else None
            what = file.read() if file else head.linkname.encode()
            found[head.name] = (head.type.decode(), head.uid, head.gid, what)
    return found


@pytest.fixture
async def tree(engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]) -> AsyncIterator[str]:
    """A container that has written some files, beside and into a volume, and runs no more."""
    volume = fresh("vol")
    await engine.create_volume(VolumeSpec(volume, labels=run_label))
    mounts = (MountSpec(MountKind.VOLUME, volume, "/data"), MountSpec(MountKind.TMPFS, "", "/memory"))
    spec = WorkloadSpec(fresh("tree"), IMAGE, command=("sh", "-c", _TREE), labels=run_label, mounts=mounts)
    made = await engine.create_container(spec)
    try:
        await engine.start(made)
        assert await engine.wait_exit(made) == 0
        yield made
    finally:
        await engine.remove(made, force=True)
        await engine.remove_volume(volume)


async def test_files_are_found_through_links_of_folders(engine: PodmanEngine, tree: str) -> None:
    file = {"f": ("0", 12, 34, b"x\n")}
    for path in ("/opt/real/sub/f", "/lnk/sub/f", "/opt/rel/sub/f", "lnk/./sub/f/"):
        assert await _read(engine, tree, path) == file
    for path in ("/opt/real/sub/none", "/lnk/none/f", "/data/none"):
        with pytest.raises(NotFound):
            await _read(engine, tree, path)


async def test_links_and_other_kinds_are_read_as_they_are(engine: PodmanEngine, tree: str) -> None:
    assert await _read(engine, tree, "/lnk") == {"lnk": ("2", 0, 0, b"/opt/real")}
    assert await _read(engine, tree, "/opt/dangling") == {"dangling": ("2", 0, 0, b"/nowhere")}
    whole = await _read(engine, tree, "/opt/real")
    kinds = {name.rstrip("/"): kind for name, (kind, *_) in whole.items()}
    assert {kinds.pop("real/sub/f"), kinds.pop("real/hard")} == {"0", "1"}
    assert kinds == {"real": "5", "real/sub": "5", "real/fl": "2", "real/pipe": "6"}


async def test_mounts_are_read_from_what_is_mounted(engine: PodmanEngine, tree: str) -> None:
    assert await _read(engine, tree, "/data/in/g") == {"g": ("0", 5, 6, b"y\n")}
    assert {name.rstrip("/") for name in await _read(engine, tree, "/data")} == {"data", "data/in", "data/in/g"}
    assert not [one for one in await engine.changed_paths(tree) if one.path.startswith(("/data", "/memory"))]


async def test_a_file_is_no_folder_to_write_into(engine: PodmanEngine, tree: str) -> None:
    with pytest.raises(Conflict):
        await engine.write_files(tree, "/opt/real/sub/f", _pieces(_archive("z")))
    with pytest.raises(NotFound):
        await engine.write_files("test-nobody", "/", _pieces(_archive("z")))


async def test_an_image_without_tar_is_read_from_the_export(
    engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]
) -> None:
    bare = f"localhost/{fresh('bare')}:1"
    await engine.import_image(_pieces(_image_of_one_file(bare)))
    made = await engine.create_container(WorkloadSpec(fresh("bare"), bare, command=("none",), labels=run_label))
    try:
        await engine.write_files(made, "/", _pieces(_archive("a/b", "a/c", "ab", gid=34_567)))
        assert await _read(engine, made, "/a/b") == {"b": ("0", 12, 34_567, b"text")}
        assert set(await _read(engine, made, "/a")) == {"a", "a/b", "a/c"}
        with pytest.raises(NotFound):
            await _read(engine, made, "/a/d")
    finally:
        await engine.remove(made, force=True)
        await engine.remove_image(bare)


async def test_owners_that_busybox_would_cut_are_exact_all_the_same(
    engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]
) -> None:
    if (await engine.connect()).rootless:
        pytest.skip("it has no such ids")
    made = await engine.create_container(WorkloadSpec(fresh("big"), IMAGE, labels=run_label))
    try:
        await engine.write_files(made, "/tmp", _pieces(_archive("big")))
        assert await _read(engine, made, "/tmp/big") == {"big": ("0", 12, 3_000_000, b"text")}
    finally:
        await engine.remove(made, force=True)


async def test_some_members_of_a_volume(engine: PodmanEngine, tree: str) -> None:
    volume = next(mount.source for mount in (await engine.inspect_container(tree)).mounts if mount.source)
    async with engine.export_volume(volume, via_image=IMAGE, paths=("in/g",)) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert [(head.name, head.uid) for head in tar] == [("./in/g", 5)]


async def test_a_commit_keeps_the_check_of_its_image(
    engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]
) -> None:
    with pytest.raises(NotFound):
        await engine.commit_container("test-nobody", "localhost/test-x:1")
    check = HealthSpec(("CMD", "false"), retries=7)
    spec = WorkloadSpec(fresh("commit"), IMAGE, labels=run_label, env={"SECRET": "1"}, health=check)
    made = await engine.create_container(spec)
    reference = f"localhost/{fresh('commit')}:1"
    copy = ""
    try:
        await engine.commit_container(made, reference)
        copy = await engine.create_container(replace(spec, name=fresh("copy"), image=reference, env={}, health=None))
        back = await engine.workload_spec(copy)
        assert (back.health, back.env, back.labels) == (None, {}, run_label)
        raw = await engine.inspect_raw(copy)
        assert "SECRET" not in str(raw)
        names = {name for image in await engine.list_images() for name in image.tags}
        assert reference in names
        assert not {name for name in names if "tranship-commit" in name}
    finally:
        if copy:
            await engine.remove(copy, force=True)
        await engine.remove(made, force=True)
        await engine.remove_image(reference)


async def test_what_a_mount_of_another_kind_holds_cannot_be_read(
    engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]
) -> None:
    volume = fresh("vol")
    await engine.create_volume(VolumeSpec(volume, labels=run_label))
    mount = MountSpec(MountKind.VOLUME, volume, "/part", subpath="/")
    made = await engine.create_container(WorkloadSpec(fresh("part"), IMAGE, labels=run_label, mounts=(mount,)))
    try:
        with pytest.raises(Unsupported) as caught:
            await _read(engine, made, "/part")
        assert caught.value.engine == engine.id
    finally:
        await engine.remove(made, force=True)
        await engine.remove_volume(volume)
