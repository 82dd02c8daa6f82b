"""An image's steps, files and waste as rows and lines: what is shown, in which order, and that data stays data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.layers.prune import pruned
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import Layer, LayerReport
from backends.model.image_files import FileKind, FileNode, LayerHint, Mark, Offender, ReadProgress, WasteReport
from widgets.layer_files import ROWS, file_rows, totals
from widgets.layer_steps import layer_index, parts_of, step_lines, step_rows
from widgets.layer_waste import progress_words, waste_lines, waste_words
from widgets.line import plain
from widgets.text import line_width

NOW = datetime(2026, 1, 2, tzinfo=UTC)
IMAGE = ImageKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
EVIL = "[red]\x1b[2J\nname"


def file(name: str, size: int = 0, mark: Mark = Mark.SAME, kind: FileKind = FileKind.FILE) -> FileNode:
    return FileNode(name, kind, mark, size, 1, mode=0o644)


def folder(name: str, *children: FileNode, mark: Mark = Mark.SAME) -> FileNode:
    size = sum(child.size_bytes for child in children)
    return FileNode(name, FileKind.FOLDER, mark, size, len(children), mode=0o755, children=children)


TREE = folder(
    "", folder("bin", file("sh", 9), file("ls", 20)), file("a", 5, Mark.ADDED), folder("etc", file("conf", 1))
)


def shown(tree: FileNode, opened: set[str] | None, *, by_size: bool = True) -> list[str]:
    return [
        "".join(plain(cell) for cell in (row.cells[0], row.cells[2]))
        for row in file_rows(tree, opened, by_size=by_size)
    ]


def test_only_opened_folders_are_shown_with_what_is_in_them() -> None:
    assert shown(TREE, set()) == [" ▸ bin/", "+  a", " ▸ etc/"]
    assert shown(TREE, {"/bin"}) == [" ▾ bin/", "     ls", "     sh", "+  a", " ▸ etc/"]
    assert shown(TREE, {"/bin"}, by_size=False) == [" ▾ bin/", "     ls", "     sh", " ▸ etc/", "+  a"]
    assert len(shown(TREE, None)) == 6


def test_a_large_folder_is_cut_and_says_so() -> None:
    many = folder("", *(file(f"f{number:05}", number) for number in range(ROWS + 500)), folder("z"))
    rows = file_rows(many, set(), by_size=True)
    assert len(rows) == ROWS + 1
    assert plain(rows[0].cells[2]).strip() == f"f{ROWS + 499:05}"
    assert rows[-1].heading
    assert "… and 501 more" in plain(rows[-1].cells[0])


def test_two_names_that_are_shown_alike_are_two_rows() -> None:
    rows = file_rows(folder("", file("\\xff"), file("\\xff")), set(), by_size=True)
    assert len({row.key for row in rows}) == 2


def test_names_and_targets_are_shown_as_text() -> None:
    node = replace(file(EVIL, kind=FileKind.SYMLINK), link=EVIL)
    (row,) = file_rows(folder("", node), set(), by_size=True)
    assert all(letter.isprintable() for cell in row.cells for letter in plain(cell))
    assert "[red]" in plain(row.cells[2])
    waste = WasteReport(10, 5, 0.5, (Offender(EVIL, 5, 1, 1, False),))
    lines = waste_lines(waste, (LayerHint("cache", EVIL, 5, "do it"),), 80)
    steps = step_lines(Layer(EVIL, EVIL, 5, NOW), (EVIL,), 80)
    assert all(letter.isprintable() for one in (*lines, *steps) for letter in plain(one))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_are_no_wider_than_the_pane(width: int) -> None:
    waste = WasteReport(10**9, 10**8, 0.9, tuple(Offender(f"/{'x' * n}", n, n, n, n % 2 > 0) for n in range(1, 300)))
    lines = waste_lines(waste, (LayerHint("cache", "/root" * 40, 5, "RUN " * 80),), width)
    assert max(map(line_width, lines[2:])) <= max(width, 60)
    told = "".join(plain(one).replace(" ", "") for one in lines)
    assert "RUN" * 80 in told, "a command is wrapped, not cut: people copy it"
    assert any("100 smaller" in plain(one) or "smaller ones" in plain(one) for one in lines)
    assert max(map(line_width, step_lines(Layer("RUN " + "word " * 90, "", 5, NOW), (), width))) <= width


def test_waste_words() -> None:
    assert waste_words(WasteReport(10, 0, 1.0)) == "nothing wasted"
    assert waste_words(WasteReport(1 << 30, 1 << 20, 0.9)) == "1.0 MiB wasted"
    assert "No layer overwrites" in "\n".join(plain(one) for one in waste_lines(WasteReport(10, 0, 1.0), (), 80))


def test_progress_and_totals() -> None:
    assert progress_words(ReadProgress(IMAGE, 0, 1 << 30, 2, 3)) == "Reading: 2 of 3 layers known"
    assert (
        progress_words(ReadProgress(IMAGE, 1 << 20, 1 << 30, 2, 3))
        == "Reading: 1.0 MiB of about 1.0 GiB, 2 of 3 layers"
    )
    assert totals(folder("", file("a", 1024))) == "1.0 KiB in 1 file"


def test_a_command_is_cut_where_its_parts_meet() -> None:
    assert parts_of("RUN a && b || c ; d") == ["RUN a &&", "b ||", "c ;", "d"]
    assert parts_of("COPY . /app") == ["COPY . /app"]


REPORT = LayerReport(
    IMAGE,
    "web:1",
    (
        Layer("ENV a=b", "", 0, NOW),
        Layer("COPY x", "sha256:1", 5, NOW),
        Layer("CMD x", "", 0, NOW),
        Layer("RUN y", "sha256:2", 6, NOW),
    ),
)


def test_which_layer_a_step_ends_with() -> None:
    assert [layer_index(REPORT, step) for step in range(-1, 4)] == [-1, -1, 0, 0, 1]


def test_steps_name_the_images_that_have_them_too() -> None:
    rows = step_rows(REPORT, {"sha256:1": ("a:1 on docker", "b:1 on podman")}, NOW)
    assert [plain(row.cells[4]) for row in rows] == ["", "a:1 on docker +1", "", ""]
    assert [plain(row.cells[0]) for row in rows] == ["", "1", "", "2"]  # as "Files of layer 2" counts
    assert "also in a:1 on docker, b:1 on podman" in plain(
        step_lines(REPORT.layers[1], ("a:1 on docker", "b:1 on podman"), 80)[-1]
    )


def test_a_filter_leaves_what_fits_and_the_folders_above() -> None:
    found = pruned(TREE, "BIN s")
    assert [child.name for child in found.children] == ["bin"]
    assert [child.name for child in found.children[0].children] == ["sh", "ls"]
    assert [child.name for child in pruned(TREE, "conf").children] == ["etc"]
    assert pruned(TREE, "nothing").children == ()
    assert [child.name for child in pruned(TREE, only_changes=True).children] == ["a"]
    assert pruned(TREE, "bin", only_changes=True).children == ()
    assert pruned(TREE) is TREE
