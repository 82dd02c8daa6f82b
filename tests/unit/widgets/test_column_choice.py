"""Columns chosen and ordered, and the file that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.model.errors import Denied, Protocol
from tui.kept_columns import FILE, keep_columns, read_columns
from widgets.column_choice import USUAL, ColumnChoice, arranged, in_order
from widgets.container_rows import columns_for
from widgets.table_layout import lay_out

COLUMNS = columns_for(badge_width=4, gpus=True)
KEYS = [column.key for column in COLUMNS]


def test_unless_asked_nothing_changes() -> None:
    assert arranged(COLUMNS, USUAL) == COLUMNS


def test_a_column_moves_and_keeps_its_cell() -> None:
    choice = USUAL.moved(KEYS, "age", -99).turned("ports")
    shown = arranged(COLUMNS, choice)
    assert [column.key for column in shown] == ["age", *(key for key in KEYS if key not in {"age", "ports"})]
    assert all(slot.index == KEYS.index(slot.column.key) for slot in lay_out(shown, 200))


def test_there_and_back_is_the_usual() -> None:
    assert USUAL.moved(KEYS, "cpu", 3).moved(KEYS, "cpu", -3) == USUAL
    assert USUAL.turned("cpu").turned("cpu") == USUAL
    assert USUAL.moved(KEYS, KEYS[-1], 1) == USUAL


def test_the_name_stays_whatever_the_file_says() -> None:
    assert USUAL.turned("name") == USUAL
    assert [column.key for column in arranged(COLUMNS, ColumnChoice(hidden=frozenset(KEYS)))] == ["name"]


def test_columns_of_other_versions_are_passed_over_or_stand_where_they_usually_do() -> None:
    older = ColumnChoice(order=("age", "gone", "name", "age"))
    assert in_order(older, ["engine", "name", "state", "age"]) == ["engine", "age", "name", "state"]


def test_kept_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    choice = USUAL.moved(KEYS, "age", -2).turned("ports")
    assert read_columns(folder) == USUAL
    keep_columns(folder, choice)
    assert read_columns(folder) == choice
    keep_columns(folder, USUAL)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"order": [1], "hidden": []}', "[" * 60_000, "\ud800"])
def test_a_spoilt_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(Protocol, match="cannot be read"):
        read_columns(tmp_path)


def test_what_the_disk_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Denied):
        read_columns(tmp_path)
    with pytest.raises(Denied):
        keep_columns(tmp_path, ColumnChoice(hidden=frozenset({"cpu"})))
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
