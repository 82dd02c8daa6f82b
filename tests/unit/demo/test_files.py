"""The demo's files and programs: layers, mounts, what a shell of a few words does to them."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.demo_build import DemoBuild
from backends.engines.demo_files import Files, Layer, changes, layer_tar, rootfs
from backends.engines.demo_images import BuildStep, build, committed
from backends.engines.demo_shell import NoSuchProgram, Place, run
from backends.engines.demo_talk import session_of
from backends.engines.demo_volumes import DemoVolume, Entry
from backends.engines.demo_world import DemoWorld
from backends.model.build import BuildSpec
from backends.model.container import ChangedPath, ChangeKind
from backends.model.errors import Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.session import ExecSpec

_ID = EngineId(EngineKind.DEMO, "demo")
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_IMAGE = build([], [BuildStep("ADD", 10)], {}, _AT)
(_BAKED,) = (path for path in rootfs(_IMAGE.layers) if path.startswith("/opt/demo/"))
"""The one file of the image."""


class Box:
    """A container's files, by hand. Mounts: a volume at /data, one at /kept that is read-only, a bind at /host."""

    def __init__(self) -> None:
        self.layer: Layer = {}
        self.volume, self.kept = DemoVolume("data"), DemoVolume("kept")
        mounts = {"/data": self.volume, "/kept": self.kept, "/host": None}
        self.files = Files(_ID, rootfs(_IMAGE.layers), self.layer, mounts, read_only=["/kept"])

    def sh(self, script: str) -> tuple[int, str, str]:
        done = run(["/bin/sh", "-c", script], Place(self.files, {"A": "b"}, "box"))
        return done.exit_code, done.stdout.decode(), done.stderr.decode()

    def changes(self) -> tuple[ChangedPath, ...]:
        return changes(rootfs(_IMAGE.layers), self.layer)


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("echo one; echo two", (0, "one\ntwo\n", "")),
        ("false && echo no; echo 'a  b'", (0, "a  b\n", "")),
        ("echo x > /etc/x; echo y >> /etc/x; cat /etc/x", (0, "x\ny\n", "")),
        ("exit 7; echo no", (7, "", "")),
        ("mkdir -p /a/b; touch /a/b/c; ls /a/b", (0, "c\n", "")),
        ("cat /nothing", (1, "", "cat: /nothing: No such file or directory\n")),
        ("rm /etc", (1, "", "rm: '/etc' is a directory\n")),
        ("test -d /etc && test -f /etc", (1, "", "")),
        ("frobnicate", (127, "", "sh: frobnicate: not found\n")),
        ("echo x > /kept/x", (1, "", "sh: can't create /kept/x: Read-only file system\n")),
        ("touch /host/x", (1, "", "touch: the demo has no files at /host\n")),
        ("echo x > /etc", (1, "", "sh: can't create /etc: Is a directory\n")),
        ("env; hostname; pwd", (0, "A=b\nbox\n/\n", "")),
    ],
)
def test_programs_do_what_their_namesakes_do(script: str, result: tuple[int, str, str]) -> None:
    assert Box().sh(script) == result


@pytest.mark.parametrize("script", ["echo $HOME", "a | b", "echo 'open", "echo a &", "echo a 2>&1", "if true; (b)"])
def test_a_script_that_needs_a_real_shell_is_not_guessed(script: str) -> None:
    with pytest.raises(NoSuchProgram):
        Box().sh(script)


async def test_a_program_that_has_ended_is_not_run_again_when_its_input_ends() -> None:
    box = Box()
    spec = ExecSpec(("sh", "-c", "echo x >> /data/n"), stdin=True)
    session = session_of(spec, Place(box.files, {}, "box"))
    await session.close_input()
    assert box.sh("cat /data/n") == (0, "x\n", "")


@pytest.mark.parametrize("line", ["FROM", "FROM --platform=linux/amd64", "COPY 'a /b", "COPY", "ENV A='b", "CMD [a"])
def test_a_containerfile_that_is_wrong_is_told(line: str) -> None:
    world = DemoWorld(_ID)
    world.images[_IMAGE.id] = _IMAGE
    text = f"FROM {_IMAGE.id}\n{line}\n".encode()
    context = layer_tar({"/Containerfile": Entry(_file(len(text)), text)})
    with pytest.raises(Conflict):
        list(DemoBuild(world, BuildSpec("Containerfile"), context, {}).steps())


def _file(size: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo("x")
    head.size = size
    return head


def test_changes_are_what_differs_from_the_image_and_not_what_is_in_volumes() -> None:
    box = Box()
    assert box.sh(f"echo new > /etc/new; rm {_BAKED}; echo v > /data/v; mkdir /made; touch /made/x") == (0, "", "")
    assert box.changes() == (
        ChangedPath("/etc", ChangeKind.CHANGED),
        ChangedPath("/etc/new", ChangeKind.ADDED),
        ChangedPath("/made", ChangeKind.ADDED),
        ChangedPath("/made/x", ChangeKind.ADDED),
        ChangedPath("/opt", ChangeKind.CHANGED),
        ChangedPath("/opt/demo", ChangeKind.CHANGED),
        ChangedPath(_BAKED, ChangeKind.DELETED),
    )
    assert box.volume.entries["v"].content == b"v\n"
    with pytest.raises(NotFound):
        box.files.need(_BAKED)


def test_a_folder_that_went_as_a_whole_is_one_change() -> None:
    box = Box()
    box.sh("rm -r /opt")
    assert box.changes() == (ChangedPath("/opt", ChangeKind.DELETED),)


def test_a_commit_has_the_changes_and_no_volume() -> None:
    box = Box()
    box.sh(f"echo new > /etc/new; rm {_BAKED}; echo v > /data/v")
    after = rootfs(committed(_IMAGE, layer_tar(box.layer), "commit", _AT).layers)
    assert after["/etc/new"].content == b"new\n"
    assert _BAKED not in after
    assert not {path for path in after if path.startswith("/data")}


def test_what_was_made_and_removed_again_is_no_change() -> None:
    box = Box()
    box.sh("touch /etc/x; rm /etc/x")
    assert box.changes() == ()


def test_a_tar_of_a_path_begins_with_its_last_part_and_goes_in_elsewhere() -> None:
    box, other = Box(), Box()
    box.sh("mkdir -p /srv/app/sub; echo hi > /srv/app/sub/x; echo v > /data/v")
    archive = box.files.pack("/srv/app")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["app", "app/sub", "app/sub/x"]
    other.files.unpack("/data", archive)
    assert other.volume.entries["app/sub/x"].content == b"hi\n"
    assert other.layer == {}
    with pytest.raises(NotFound):
        other.files.unpack("/nowhere", archive)
    with pytest.raises(Unsupported):
        box.files.pack("/host/x")


@settings(deadline=None)
@given(st.binary(max_size=600) | st.text("abc/.\0\x00", max_size=40).map(str.encode))
def test_junk_is_no_archive(junk: bytes) -> None:
    box = Box()
    with suppress(Protocol):  # ten thousand zeros are an empty archive
        box.files.unpack("/tmp", junk)
    assert box.layer == {}


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["echo", "rm -r", "touch", "mkdir -p", "cat", "; ", "&&", ">", "/tmp/a", "/data", "/opt"]))
)
def test_any_script_ends_and_leaves_a_tree_that_can_be_packed(words: list[str]) -> None:
    box = Box()
    try:
        box.sh(" ".join(words))
    except NoSuchProgram:
        return
    archive = box.files.pack("/")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
    assert len(names) == len(set(names))
    assert {change.path for change in box.changes()} >= {path for path, entry in box.layer.items() if entry is not None}
