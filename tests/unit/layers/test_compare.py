"""Two images against each other."""

from __future__ import annotations

import tarfile

from backends.layers.contents import ImageContents
from backends.model.image_files import FileDifference, Mark
from tests.unit.layers.images import Content, facts, tables


def contents(*layers: dict[str, Content]) -> ImageContents:
    return ImageContents(facts([]), tables(*layers))


BASE: dict[str, Content] = {"etc/conf": b"1", "bin/sh": b"#!" * 5, "old/a": b"aa", "old/b": b"bbb"}


def test_what_only_one_has_and_what_differs() -> None:
    first = contents(BASE)
    second = contents(BASE, {".wh.old": b"", "etc/conf": b"22", "new/x/y": b"12345"})
    tree, found = first.against(second)
    assert found == (
        FileDifference("/new", Mark.ADDED, None, 5, 1),
        FileDifference("/old", Mark.REMOVED, 5, None, 2),
        FileDifference("/etc/conf", Mark.CHANGED, 1, 2, 1),
    )
    assert {node.name: node.mark for node in tree.children} == {
        "bin": Mark.SAME,
        "etc": Mark.CHANGED,
        "new": Mark.ADDED,
        "old": Mark.REMOVED,
    }
    assert tree.size_bytes == 10 + 2 + 5


def test_a_new_build_with_new_times_is_the_same() -> None:
    later = tarfile.TarInfo()
    later.mtime = 1_700_000_000
    _, found = contents({"etc/conf": tarfile.TarInfo()}).against(contents({"etc/conf": later}))
    assert found == ()


def test_the_same_size_with_another_content_is_a_change() -> None:
    _, found = contents({"a": b"one"}).against(contents({"a": b"two"}))
    assert [(difference.path, difference.mark) for difference in found] == [("/a", Mark.CHANGED)]


def test_however_many_layers_an_image_has_its_files_count() -> None:
    squashed = {**BASE, "etc/conf": b"22"}
    assert contents(BASE, {"etc/conf": b"22"}).against(contents(squashed))[1] == ()


def test_a_file_in_place_of_a_folder() -> None:
    _, found = contents({"a/b": b"12"}).against(contents({"a": b"123"}))
    assert {(one.path, one.mark) for one in found} == {("/a", Mark.CHANGED), ("/a/b", Mark.REMOVED)}


def test_an_image_without_layers() -> None:
    assert contents().against(contents(BASE))[0].files == 4
    assert contents().waste().efficiency == 1.0
    assert contents().tree().children == ()


def test_folders_deeper_than_pythons_stack() -> None:
    deep: dict[str, Content] = {"d/" * 1900 + "x": b"1"}
    tree, found = contents(deep).against(contents({}))
    assert tree.size_bytes == 0
    assert found == (FileDifference("/d", Mark.REMOVED, 1, None, 1),)
