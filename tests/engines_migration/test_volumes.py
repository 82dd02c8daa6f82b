"""What stands in a volume comes over whole: many files, large ones, names with any bytes, owners, attributes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from backends.migration.volumes import VolumeCopy
from backends.model.plan import MigrationFailed
from tests import thorough as thorough_run
from tests.engines_migration.yard import Yard
from tests.loopback import engines_pid
from tests.thorough import thorough

pytestmark = pytest.mark.engines

PAIRS = [("docker", "podman"), ("podman", "docker")]
IMAGE = "test/busybox:1"
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
"""cap_net_raw=ep, as security.capability holds it. Source: linux/capability.h, struct vfs_cap_data."""


def made(yard: Yard, engine: str) -> Path:
    """A volume on that engine and a container that mounts it; returns the volume's folder, which is on this host."""
    volume = f"{yard.run}-data"
    yard.cli(engine, "volume", "create", *yard.marks, volume)
    yard.cli(engine, "create", "--name", yard.run, "-v", f"{volume}:/data", *yard.marks, IMAGE, "sleep", "999")
    return folder(yard, engine)


def folder(yard: Yard, engine: str) -> Path:
    """Where the volume's files are."""
    inside = yard.cli(engine, "volume", "inspect", "-f", "{{.Mountpoint}}", f"{yard.run}-data").strip()
    return Path(f"/proc/{engines_pid(yard.real.dir)}/root{inside}")


def entries(root: Path) -> dict[bytes, tuple[object, ...]]:
    """All that the kernel tells of each entry, content too."""
    found: dict[bytes, tuple[object, ...]] = {}
    base = os.fsencode(root)
    for top, folders, files in os.walk(base):
        for name in (*folders, *files, b"."):
            path = os.path.join(top, name)
            seen = os.lstat(path)
            kind = stat.S_IFMT(seen.st_mode)
            content: object = None
            if kind == stat.S_IFREG:
                content = Path(os.fsdecode(path)).read_bytes()
            elif kind == stat.S_IFLNK:
                content = os.readlink(path)
            links = seen.st_nlink if kind == stat.S_IFREG else 0
            found[os.path.relpath(path, base)] = (
                kind, seen.st_mode, seen.st_uid, seen.st_gid, links, seen.st_mtime_ns // 1_000_000_000, content,
            )  # fmt: skip
    return found


def xattrs(root: Path, name: str) -> dict[str, bytes]:
    """The extended attributes of a file, SELinux' apart."""
    path = root / name
    return {key: os.getxattr(path, key) for key in os.listxattr(path) if key != "security.selinux"}


def fill(root: Path) -> None:
    """Everything that an archive may get wrong."""
    base = os.fsencode(root)
    for number, name in enumerate(
        (b"\xff\xfe\x01name", b"line\nfeed", b" lead", b"-rf", b"q\"u'o`te$", b"tab\t", "ünï名".encode())
    ):
        path = os.path.join(base, name)
        Path(os.fsdecode(path)).write_bytes(b"%d" % number)
        os.chmod(path, 0o4755 if number % 2 else 0o040)
        os.chown(path, 1000 + number, 65534 - number)
    (root / "deep" / "er" / "empty").mkdir(parents=True)
    (root / "sticky").mkdir()
    (root / "sticky").chmod(0o1777)
    os.link(root / " lead", root / "deep" / "hard")
    (root / "soft").symlink_to(" lead")
    (root / "dangling").symlink_to("/nowhere/at/all")
    os.mkfifo(root / "fifo", 0o640)
    (root / "old").write_bytes(b"before 1970")
    os.utime(root / "old", (-86400, -86400))
    os.utime(root / "deep", (1_000_000_000, 1_000_000_000))
    os.chown(root, 7, 8)
    root.chmod(0o2750)


@pytest.mark.parametrize(("here", "there"), [*PAIRS, *thorough(("docker", "podman-rootless"))])
async def test_names_of_any_bytes_and_every_kind_of_entry(yard: Yard, here: str, there: str) -> None:
    root = made(yard, here)
    fill(root)
    wanted = entries(root)
    report = await yard.move(here, there, yard.run)
    assert report.equal, [check for check in report.checks if not check.equal]
    got = entries(folder(yard, there))
    assert got.keys() == wanted.keys()
    if there != "podman-rootless":
        assert got == wanted
        return
    assert {path: (*one[:2], *one[4:]) for path, one in got.items()} == {
        path: (*one[:2], *one[4:]) for path, one in wanted.items()
    }
    assert all(one[2] != wanted[path][2] for path, one in got.items()), "on the host they are the user's own ids"
    inside = ["run", "--rm", "-v", f"{yard.run}-data:/data", IMAGE, "stat", "-c", "%u %g", "/data", "/data/-rf"]
    assert yard.cli(there, *inside).split() == ["7", "8", "1003", "65531"], "and the same as ever in the container"
    assert [one for one in report.plan.findings if "owner" in f"{one.title} {one.detail}".lower()], "the plan says so"


async def test_many_files_and_a_large_one(yard: Yard) -> None:
    """Twenty thousand files in a thorough run."""
    here, there, count = "docker", "podman", 20_000 if thorough_run.ON else 4_000
    root = made(yard, here)
    for number in range(100):
        (root / f"d{number}").mkdir()
    for number in range(count):
        (root / f"d{number % 100}" / f"file-{number}").write_bytes(b"%d" % number)
    size = 64 << 20
    with (root / "sparse").open("wb") as file:
        file.write(b"begin")
        file.seek(size - 3)
        file.write(b"end")
    report = await yard.move(here, there, yard.run)
    assert report.equal, [check for check in report.checks if not check.equal]
    copy = folder(yard, there)
    assert len(list(copy.glob("d*/file-*"))) == count
    assert all((copy / f"d{n % 100}" / f"file-{n}").read_bytes() == b"%d" % n for n in range(0, count, 97))
    with (copy / "sparse").open("rb") as file:
        assert file.read(5) == b"begin"
        file.seek(size - 3)
        assert file.read() == b"end"
    assert (copy / "sparse").stat().st_size == size
    assert [note for note in report.notes if "the holes of ./sparse take" in note and "fallocate" in note], report.notes


async def test_holes_are_made_again_by_an_image_that_can(yard: Yard) -> None:
    """Both volumes on Docker, whose image of Python has GNU's tar and util-linux."""
    root, size = made(yard, "docker"), 32 << 20
    with (root / "map").open("wb") as file:
        file.write(b"begin")
        file.seek(size - 3)
        file.write(b"end")
    os.utime(root / "map", ns=(5, 1_000_000_123))
    os.chown(root / "map", 5, 6)
    names, image = (f"{yard.run}-data", f"{yard.run}-other"), "test/python:1"
    yard.cli("docker", "volume", "create", *yard.marks, names[1])
    engine = yard.engine("docker")
    copy = VolumeCopy(engine, engine, names, (image, image), lambda _done, _flow: None)
    await copy.precopy()
    check = await copy.finish()
    assert check.equal, check
    assert not [note for note in copy.notes if "holes" in note]
    seen = (root.parent.parent / names[1] / "_data" / "map").stat()
    assert (seen.st_size, seen.st_mtime_ns, seen.st_uid, seen.st_gid) == (size, 1_000_000_123, 5, 6)
    assert seen.st_blocks * 512 < 1 << 20


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_attributes_that_a_plain_tar_does_not_tell_are_said(yard: Yard, here: str, there: str) -> None:
    root = made(yard, here)
    (root / "note").write_bytes(b"x")
    os.setxattr(root / "note", "user.note", b"kept")
    report = await yard.move(here, there, yard.run)
    assert report.equal
    assert xattrs(folder(yard, there), "note") == {}
    assert [note for note in report.notes if "extended attributes" in note and "GNU tar" in note]


async def test_a_capability_that_the_targets_tar_does_not_set_fails_and_is_taken_back(yard: Yard) -> None:
    root = made(yard, "docker")
    (root / "tool").write_bytes(b"#!/bin/sh\n")
    os.setxattr(root / "tool", "security.capability", CAPABILITY)
    with pytest.raises(MigrationFailed) as failure:
        await yard.move("docker", "podman", yard.run)
    assert "./tool: " in failure.value.detail or "'./tool': attributes" in failure.value.detail
    assert failure.value.undone.left == ()
    assert not yard.has("podman", "volume", f"{yard.run}-data")
    assert xattrs(root, "tool") == {"security.capability": CAPABILITY}
