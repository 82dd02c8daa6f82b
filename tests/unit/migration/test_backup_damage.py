"""A backup with any byte changed, cut anywhere or put together wrongly is refused before anything is created."""

from __future__ import annotations

import asyncio
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.migration.backup import back_up
from backends.migration.backup_contents import Contents, open_backup
from backends.migration.backup_file import MANIFEST, SEAL, BackupWriter, Member, read_exactly
from backends.migration.restore import opened, plan_restore
from backends.model.codec import from_json, to_json
from backends.model.errors import Denied, NotFound, Protocol
from tests.migration_scene import Scene, picture, spec

MANY = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good backup."""
    folder = tmp_path_factory.mktemp("whole")

    async def make() -> None:
        scene = Scene()
        await scene.furnish(spec(ports=()))
        await back_up(scene.source, "train", folder / "a", version="1", state_dir=folder)

    asyncio.run(make())
    return (folder / "a").read_bytes()


def refused(folder: Path, content: bytes) -> Protocol:
    """How it is refused."""
    path = folder / "damaged"
    path.write_bytes(content)
    with pytest.raises(Protocol) as caught:
        open_backup(path).close()
    return caught.value


def test_the_whole_one_is_accepted(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(whole)
    backup = open_backup(tmp_path / "good")
    assert backup.spec.name == "train"
    assert [stored.volume.name for stored in backup.contents.volumes] == ["data", "more"]
    backup.close()


@given(data=st.data())
@MANY
def test_any_byte_that_is_another(whole: bytes, tmp_path: Path, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    mask = data.draw(st.integers(1, 255))
    refused(tmp_path, whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])


def test_every_byte_of_every_header_and_of_the_end(whole: bytes, tmp_path: Path) -> None:
    """One bit of each: padding, owners and times count as well."""
    (tmp_path / "good").write_bytes(whole)
    with tarfile.open(tmp_path / "good") as tar:
        heads = [member.offset for member in tar]
    spots = [head + offset for head in heads[:2] + heads[-2:] for offset in range(512)]
    spots += range(len(whole) - 1024, len(whole), 7)
    for at in spots:
        refused(tmp_path, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


@given(data=st.data())
@MANY
def test_any_end_that_is_too_early(whole: bytes, tmp_path: Path, data: st.DataObject) -> None:
    blocks = st.integers(0, len(whole) // 512 - 1).map(lambda number: number * 512)
    refused(tmp_path, whole[: data.draw(st.one_of(st.integers(0, len(whole) - 1), blocks))])


@pytest.mark.parametrize("more", [b"\0", bytes(512), bytes(1024), b"x" * 512, bytes(10240)])
def test_anything_behind_its_end(more: bytes, whole: bytes, tmp_path: Path) -> None:
    refused(tmp_path, whole + more)


@given(content=st.binary(max_size=4096))
@MANY
def test_what_was_never_a_backup(content: bytes, tmp_path: Path) -> None:
    refused(tmp_path, content)


def test_a_tar_of_somebody_else(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(__file__, "manifest.json")
    refused(tmp_path, (tmp_path / "other.tar").read_bytes())


Parts = dict[str, bytes]


def rebuilt(
    folder: Path, whole: bytes, change: Callable[[Parts], None], *, said: Callable[[Contents], Contents]
) -> Path:
    """The backup put together anew, with good hashes throughout, after `change` of its members."""
    (folder / "good").write_bytes(whole)
    with tarfile.open(folder / "good") as tar:
        parts: Parts = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    contents = from_json(Contents, parts.pop(MANIFEST).decode())
    del parts[SEAL]
    change(parts)
    writer = BackupWriter(folder / "rebuilt")
    try:
        members = tuple(writer.add(name, content) for name, content in parts.items())
        writer.finish(to_json(said(replace(contents, members=members))).encode(), lambda: False)
    finally:
        writer.close()
    return folder / "rebuilt"


def _same(contents: Contents) -> Contents:
    return contents


def _without(begin: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        del parts[next(name for name in parts if name.startswith(begin))]

    return change


def _as(name: str, content: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts[name] = content

    return change


def _swap_blobs(parts: Parts) -> None:
    one, other = [name for name in parts if name.startswith("blobs/")][:2]
    parts[one], parts[other] = parts[other], parts[one]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without("volumes/data.tar"), "volumes/data.tar is missing"),
        (_without("volumes/more.files"), "volumes/more.files.jsonl is missing"),
        (_without("spec.json"), "spec.json is missing"),
        (_without("index.json"), "index.json is missing"),
        (_without("oci-layout"), "oci-layout is missing"),
        (_without("blobs/"), "blob"),
        (_swap_blobs, "another content than its name says"),
        (_as("index.json", b"{}"), "lacks"),
        (_as("index.json", b"\xff"), "index.json"),
        (_as("oci-layout", b'{"imageLayoutVersion":"9"}'), "another version"),
        (_as("spec.json", b"{}"), "schema"),
    ],
)
def test_a_file_with_good_hashes_that_lacks_something(
    change: Callable[[Parts], None], words: str, whole: bytes, tmp_path: Path
) -> None:
    with pytest.raises(Protocol) as caught:
        open_backup(rebuilt(tmp_path, whole, change, said=_same)).close()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lambda c: replace(c, format=2), "format 2"),
        (lambda c: replace(c, members=c.members[1:]), "not what is in it"),
        (lambda c: replace(c, members=(Member("x", 1, "y"), *c.members)), "not what is in it"),
        (lambda c: replace(c, volumes=c.volumes[1:]), "volume data is missing"),
        (lambda c: replace(c, image=replace(c.image, diff_ids=("sha256:1",))), "another than its description"),
    ],
)
def test_a_list_of_contents_that_does_not_fit(
    said: Callable[[Contents], Contents], words: str, whole: bytes, tmp_path: Path
) -> None:
    with pytest.raises(Protocol) as caught:
        open_backup(rebuilt(tmp_path, whole, lambda _: None, said=said)).close()
    assert words in str(caught.value)


def test_rebuilding_itself_changes_nothing(whole: bytes, tmp_path: Path) -> None:
    assert rebuilt(tmp_path, whole, lambda _: None, said=_same).read_bytes() == whole


async def test_a_damaged_file_creates_nothing(whole: bytes, tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.target)
    path = tmp_path / "damaged"
    path.write_bytes(whole[: len(whole) // 2] + b"x" + whole[len(whole) // 2 + 1 :])
    with pytest.raises(Protocol, match="damaged or cut short") as caught:
        async with opened(path) as backup:
            await plan_restore(backup, scene.target)
    assert "nothing was created" in caught.value.hint
    assert picture(scene.target) == before


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_backup(tmp_path / "nowhere")
    with pytest.raises(Denied, match="no file"):
        open_backup(tmp_path)
    assert not [name for name in os.listdir("/proc/self/fd") if _target(name) == str(tmp_path)], "left open"


def _target(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except FileNotFoundError:  # the folder's own, closed by now
        return ""


def test_a_check_can_be_given_up(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(whole)
    with pytest.raises(InterruptedError):
        open_backup(tmp_path / "good", lambda: True)


def test_a_member_may_have_any_size(tmp_path: Path) -> None:
    """Sizes beyond what octal digits of a header can say (8 GiB) stand in it in another way."""
    writer = BackupWriter(tmp_path / "big")
    try:
        writer.begin()
        writer.write(b"start")
        writer._end += 9 << 30  # a hole instead of 9 GiB of content: only the header is of interest here
        member = writer.end("big")
        block = read_exactly(writer._file.fileno(), 0, 512)
    finally:
        writer.close()
    head = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    assert (head.name, head.size) == ("big", member.size) == ("big", (9 << 30) + 5)
    assert list(tmp_path.iterdir()) == []
