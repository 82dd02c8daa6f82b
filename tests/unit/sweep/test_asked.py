"""A sweep's form, read: what is wrong stands beside the field that it is of, and files say what is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.sweep.asked import Texts, read_asked
from backends.sweep.commands import from_grid

GRID: Texts = {"image": ("i",), "command": ("run {n}",), "grid": ("n=1..3",)}


def test_numbers_runs_and_what_is_done(tmp_path: Path) -> None:
    done = from_grid("i", [("n", ("1", "2", "3"))], ["run", "{n}"])[1].id
    (tmp_path / "mine").write_text(f'{{"id": "{done}", "state": "done"}}\n{{"id": "other", "state": "done"}}\n')
    asked = read_asked({**GRID, "jobs": ("4",), "gpus_each": ("2",), "retries": ("1",), "out": ("mine",)}, tmp_path)
    assert not asked.wrong
    assert (asked.jobs, asked.gpus_each, asked.retries, asked.out) == (4, 2, 1, tmp_path / "mine")
    assert [one.number for one in asked.left] == [1, 3]
    assert asked.said == {"grid": "3 runs", "out": "1 of them is done there: 2 runs left"}


def test_a_file_of_commands(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("one\n\ntwo 2\n")
    asked = read_asked({"image": ("i",), "commands": ("lines",)}, tmp_path)
    assert [one.command for one in asked.runs] == [("one",), ("two", "2")]
    assert asked.said == {"commands": "2 runs"}


@pytest.mark.parametrize(
    ("changed", "place", "said"),
    [
        ({"image": ()}, ("image", 0), "needed"),
        ({"grid": ()}, ("grid", 0), "one of both"),
        ({"commands": ("lines",)}, ("commands", 0), "one of both"),
        ({"grid": ("n=1..3", "m")}, ("grid", 1), "NAME=VALUE"),
        ({"grid": ("n=1..3", "m=1")}, ("grid", 0), "nowhere in the command"),
        ({"command": ("",)}, ("command", 0), "needed"),
        ({"command": ("'{n}",)}, ("command", 0), "No closing quotation"),
        ({"grid": (), "commands": ("absent",), "command": ()}, ("commands", 0), "No such file"),
        ({"grid": (), "commands": (".",), "command": ()}, ("commands", 0), "Is a directory"),
        ({"jobs": ("0",)}, ("jobs", 0), "from 1 to"),
        ({"retries": ("²",)}, ("retries", 0), "from 0 to"),
        ({"out": ("no/where",)}, ("out", 0), "no folder"),
        ({"out": ("~nobody-of-this-name/x",)}, ("out", 0), "no folder"),
        ({"out": (".",)}, ("out", 0), "Is a directory"),
    ],
)
def test_what_is_wrong_stands_at_its_field(tmp_path: Path, changed: Texts, place: tuple[str, int], said: str) -> None:
    asked = read_asked({**GRID, **changed}, tmp_path)
    assert said in asked.wrong[place]
