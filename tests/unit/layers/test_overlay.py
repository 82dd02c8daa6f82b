"""Merged trees and waste against dicts that are laid on each other by the letter of the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.layers.contents import waste_of
from backends.layers.grow import grown
from backends.layers.overlay import Overlay
from backends.model.image_files import FileKind, FileNode, Mark
from tests.unit.layers.images import Content, hard, layer, link, table, tables

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
WHAT = st.one_of(
    st.tuples(st.just("file"), st.integers(0, 40)),
    st.tuples(st.sampled_from(["folder", "gone", "opaque", "link"]), st.just(0)),
)
Made = tuple[str, int]
LAYERS = st.lists(st.dictionaries(PATHS, WHAT, max_size=8), min_size=1, max_size=6)


def upwards(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def possible(made: Mapping[str, Made]) -> dict[str, Made]:
    """Without paths below what is no folder in the same layer. Links are hard ones to a file of this layer."""
    leaves = {path for path, (what, _) in made.items() if what in ("file", "link")}
    return {path: value for path, value in made.items() if not leaves & set(upwards(path))}


def target_of(made: Mapping[str, Made]) -> str:
    return next((path for path, (what, _) in sorted(made.items()) if what == "file"), "")


def tar_of(made: Mapping[str, Made]) -> bytes:
    entries: list[tuple[str, Content]] = []
    for path, (what, size) in sorted(made.items(), key=lambda item: item[1][0] == "link"):
        folder, _, name = path.rpartition("/")
        if what == "gone":
            entries.append((f"{folder}/.wh.{name}", b""))
        elif what == "opaque":
            entries.append((f"{path}/.wh..wh..opq", b""))
        elif what == "link":
            entries.append((path, hard(target_of(made)) if target_of(made) else link("x")))
        else:
            entries.append((path, bytes(size) if what == "file" else None))
    return layer(entries)


@dataclass
class Naive:
    """What is visible: path to (layer, path of the content), None for a folder."""

    seen: dict[str, tuple[int, str] | None] = field(default_factory=dict)
    sizes: dict[tuple[int, str], int] = field(default_factory=dict)
    copies: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, made: Mapping[str, Made]) -> None:
        for path, (what, _) in made.items():
            if what in ("gone", "opaque"):
                self._remove(path, itself=what == "gone")
        for path, (what, size) in made.items():
            for folder in [*reversed(list(upwards(path))), *([path] if what in ("folder", "opaque") else [])]:
                if self.seen.get(folder) is not None:
                    self._remove(folder, itself=True)
                self.seen[folder] = None
            if what in ("file", "link"):
                if path in self.seen and self.seen[path] is None:
                    self._remove(path, itself=True)
                self.copies.setdefault(path, []).append(size)
                origin = target_of(made) if what == "link" else path
                self.seen[path] = (number, origin or path)
                if what == "file":
                    self.sizes[number, path] = size

    def _remove(self, path: str, *, itself: bool) -> None:
        for known in [known for known in self.seen if known.startswith(f"{path}/") or (itself and known == path)]:
            if self.seen.pop(known) is not None:
                self.copies[known].append(0)

    @property
    def wasted(self) -> int:
        alive = set(self.seen.values())
        return sum(size for content, size in self.sizes.items() if content not in alive)


def flat(node: FileNode, above: str = "") -> dict[str, FileNode]:
    found: dict[str, FileNode] = {}
    for child in node.children:
        path = f"{above}/{child.name}".removeprefix("/")
        found |= {path: child, **flat(child, path)}
    return found


@settings(max_examples=100)
@given(LAYERS)
def test_any_layers_make_the_tree_and_the_waste_that_plain_dicts_make(made: list[dict[str, Made]]) -> None:
    naive, overlay = Naive(), Overlay()
    for number, content in enumerate(map(possible, made)):
        before = dict(naive.seen)
        naive.add(number, content)
        overlay.add(table(tar_of(content)))
        shown = flat(grown(overlay, only_top=False))
        assert {path for path, node in shown.items() if node.mark is not Mark.REMOVED} == set(naive.seen)
        assert {path for path, node in shown.items() if node.mark is Mark.REMOVED} == before.keys() - naive.seen.keys()
        for path, seen in naive.seen.items():
            assert (shown[path].kind is FileKind.FOLDER) == (seen is None)
            if path not in before:
                assert shown[path].mark is Mark.ADDED
            elif seen is not None:
                assert shown[path].mark is (Mark.CHANGED if seen[0] == number else Mark.SAME)
        touched = {
            path for path, node in shown.items() if node.kind is not FileKind.FOLDER and node.mark is not Mark.SAME
        }
        alone = {p for p, node in flat(grown(overlay, only_top=True)).items() if node.kind is not FileKind.FOLDER}
        assert alone == touched
    report = waste_of(overlay)
    assert report.total_bytes == sum(naive.sizes.values())
    assert report.wasted_bytes == naive.wasted
    least = sum(min(copies) for copies in naive.copies.values())
    assert report.efficiency == (pytest.approx(least / report.total_bytes) if report.total_bytes else 1.0)


def test_sizes_of_folders_count_what_is_visible_below() -> None:
    overlay = Overlay(tables({"d/old": b"12345", "d/kept": b"12"}, {"d/.wh.old": b"", "d/new": b"1234567"}))
    folder = grown(overlay, only_top=False).children[0]
    assert (folder.size_bytes, folder.files, folder.mark) == (9, 2, Mark.CHANGED)
    assert [(child.name, child.mark, child.size_bytes) for child in folder.children] == [
        ("kept", Mark.SAME, 2),
        ("new", Mark.ADDED, 7),
        ("old", Mark.REMOVED, 5),
    ]


def test_a_file_with_a_second_name_is_not_wasted_before_both_are_gone() -> None:
    base: dict[str, Content] = {"one": b"x" * 10, "two": hard("one")}
    assert waste_of(Overlay(tables(base, {".wh.one": b""}))).wasted_bytes == 0
    assert waste_of(Overlay(tables(base, {".wh.one": b""}, {".wh.two": b""}))).wasted_bytes == 10


def test_a_removed_folder_is_one_offender_and_the_largest_comes_first() -> None:
    base: dict[str, Content] = {"cache/a": b"1" * 30, "cache/b": b"2" * 40, "etc/conf": b"3" * 9}
    report = waste_of(Overlay(tables(base, {"etc/conf": b"4" * 5}, {".wh.cache": b"", "etc/conf": b"5" * 6})))
    assert [(bad.path, bad.wasted_bytes, bad.times, bad.files, bad.removed) for bad in report.offenders] == [
        ("/cache", 70, 1, 2, True),
        ("/etc/conf", 14, 2, 2, False),
    ]
    assert report.wasted_share == pytest.approx(84 / 90)
    assert report.efficiency == pytest.approx(5 / 90)


def test_what_aufs_kept_for_itself_is_not_shown() -> None:
    overlay = Overlay(tables({".wh..wh.plnk/9": b"x", ".wh..wh.aufs": b"y", ".wh.": b"", "a": b"z"}))
    assert [child.name for child in grown(overlay, only_top=False).children] == ["a"]


def test_an_unchanged_folder_that_a_layer_repeats_is_the_same() -> None:
    overlay = Overlay(tables({"etc": None, "etc/a": b"1"}, {"etc": None, "b": b"2"}))
    assert {node.name: node.mark for node in grown(overlay, only_top=False).children} == {
        "etc": Mark.SAME,
        "b": Mark.ADDED,
    }


def test_127_layers() -> None:
    overlay = Overlay(tables(*[{"log": bytes(number), f"f{number}": b"x"} for number in range(127)]))
    root = grown(overlay, only_top=False)
    assert root.files == 128
    assert waste_of(overlay).wasted_bytes == sum(range(126))
