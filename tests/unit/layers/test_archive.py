"""Layers found in archives of every form, and hostile ones refused in words."""

from __future__ import annotations

import gzip
import tarfile

import pytest

from backends.layers.archive import ArchiveWalk
from backends.layers.contents import ImageContents
from backends.layers.pace import Stopped
from backends.layers.table import LayerTable, TableWalk
from backends.model.errors import Protocol
from tests.unit.layers.images import (
    Content,
    diff_id,
    docker_archive,
    facts,
    hard,
    layer,
    link,
    packed_layout,
    squeezed,
    table,
)

BASE = layer(
    {"bin/sh": b"#!" * 5000, "etc": None, "etc/conf": b"a=1", "lib": link("usr/lib"), "bin/ash": hard("bin/sh")}
)
SECOND = layer({"etc/conf": b"a=22", "bin/.wh.ash": b""})
EMPTY = bytes(1024)
LAYERS = [BASE, SECOND, EMPTY]


def found_in(archive: bytes, wanted: list[str], known: set[str] | None = None, step: int = 700) -> list[LayerTable]:
    found: list[LayerTable] = []
    walk = ArchiveWalk(wanted, known or set(), found.append, lambda: False)
    for at in range(0, len(archive), step):
        walk.feed(archive[at : at + step])
    walk.close()
    return found


@pytest.mark.parametrize("step", [1, 511, 1 << 20])
@pytest.mark.parametrize(
    "archive",
    [docker_archive(LAYERS), *(packed_layout(LAYERS, pack) for pack in ("plain", "gzip", "twice", "zstd"))],
    ids=["docker-archive", "layout", "gzip", "gzip-members", "zstd-frames"],
)
def test_every_form_of_archive_gives_the_same_layers(archive: bytes, step: int) -> None:
    wanted = [diff_id(tar) for tar in LAYERS]
    found = {one.diff_id: one for one in found_in(archive, wanted, step=step)}
    assert [found[name] for name in wanted] == [table(tar) for tar in LAYERS]


def test_what_is_told_of_a_layer() -> None:
    head = tarfile.TarInfo()
    head.size, head.mode, head.uid, head.gid, head.mtime = 0, 0o4750, 70_000, 5, 1_700_000_000
    read = table(layer({"./opt/run": head, "/abs": b"x", "opt/now": link("run")}))
    rows = {read.path(row): row for row in range(len(read))}
    assert set(rows) == {b"", b"opt", b"opt/run", b"abs", b"opt/now"}
    run = rows[b"opt/run"]
    assert (read.modes[run], read.uids[run], read.gids[run], read.mtimes[run]) == (0o4750, 70_000, 5, 1_700_000_000)
    assert read.links == {rows[b"opt/now"]: b"run"}


def test_of_a_path_that_comes_twice_the_later_counts() -> None:
    read = table(layer([("a", b"1"), ("a", b"22")]))
    assert (len(read), read.size_bytes) == (2, 2)


def test_a_known_layer_is_passed_over_unread() -> None:
    broken = BASE[:100] + b"!" + BASE[101:]  # of another content than its name says
    archive = docker_archive([BASE, SECOND]).replace(BASE, broken)
    assert [one.diff_id for one in found_in(archive, [diff_id(SECOND)], {diff_id(BASE)})] == [diff_id(SECOND)]


HOSTILE: dict[str, bytes] = {
    "outside": layer({"../../etc/passwd": b"x"}),
    "outside within": layer({"a/../../x": b"x"}),
    "too long": layer({"d/" * 2100 + "x": b""}),
    "file and folder": layer([("a", b"x"), ("a/b", b"y")]),
    "folder and file": layer([("a/b", b"y"), ("a", b"x")]),
    "root is a file": layer([(".", b"x")]),
    "cut short": BASE[:3000],
    "no tar": b"nothing like it" * 100,
}


@pytest.mark.parametrize("pack", ["plain", "gzip"])
@pytest.mark.parametrize("evil", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_layer_is_refused_in_words(evil: bytes, pack: str) -> None:
    with pytest.raises(Protocol) as caught:
        found_in(packed_layout([evil], pack), [diff_id(evil)])
    assert caught.value.title


def test_devices_and_links_out_of_the_image_are_only_told() -> None:
    device = tarfile.TarInfo()
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    content: dict[str, Content] = {"null": device, "out": link("/etc/shadow"), "hard": hard("../../etc/shadow")}
    tree = ImageContents(facts([]), [table(layer(content))]).tree()
    assert {node.name: node.kind.value for node in tree.children} == {
        "null": "device",
        "out": "symlink",
        "hard": "hard link",
    }


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_compressed_layer_that_is_cut_or_damaged(pack: str) -> None:
    whole = squeezed(BASE, pack)
    for evil in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 9 + whole[49:]):
        with pytest.raises(Protocol, match=r"compressed layer|lacks some"):
            found_in(layer({"blobs/x": evil}), [diff_id(BASE)])


def test_a_layer_of_another_content_than_the_engine_says_is_not_taken() -> None:
    with pytest.raises(Protocol, match="lacks some of its layers"):
        found_in(docker_archive([BASE]), [diff_id(SECOND)])


def test_an_archive_that_is_cut_short() -> None:
    with pytest.raises(Protocol, match="cut short"):
        found_in(docker_archive([BASE])[:2000], [diff_id(BASE)])


def test_a_bomb_is_passed_through_in_pieces_and_stopped_at_once() -> None:
    """64 MiB out of some KiB: only a piece of it is ever held, and whoever turns away waits for one piece."""
    bomb = gzip.compress(bytes(64 << 20), 1)
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    walk = ArchiveWalk([diff_id(b"")], set(), lambda _: None, stopped)
    with pytest.raises(Stopped):
        walk.feed(layer({"blobs/x": bomb}))
    assert asked == 4


def test_more_paths_than_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.layers.table.PATHS_LIMIT", 5)
    with pytest.raises(Protocol, match="more than 5 paths"):
        TableWalk().feed(layer({f"f{number}": b"" for number in range(9)}))


def test_longer_paths_than_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.layers.table.PATHS_BYTES_LIMIT", 500)
    with pytest.raises(Protocol, match="longer together"):
        TableWalk().feed(layer({f"{'n' * 200}{number}": b"" for number in range(9)}))
