"""Grids and files of commands as runs, and the file that says which of them are done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import BackendError, Conflict
from backends.model.sweep import SweepRow, SweepState
from backends.model.sweep_board import SweepBoard
from backends.sweep.commands import from_grid, from_lines, read_axis
from backends.sweep.results import ResultFile, done_in
from widgets.sweep_lines import run_text, summary, table

WORDS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True).map(tuple)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=0.1,0.01", ("0.1", "0.01")),
        ("seed=1..3", ("1", "2", "3")),
        ("n=-1..1", ("-1", "0", "1")),
        ("n=0..100..50,7", ("0", "50", "100", "7")),
        ("name=", ("",)),
    ],
)
def test_an_axis_is_read(text: str, values: tuple[str, ...]) -> None:
    assert read_axis(text) == (text.partition("=")[0], values)


@pytest.mark.parametrize("text", ["lr", "=1", "a b=1", "n=3..1", "n=1..9..0", "n=1..99999999"])
def test_what_is_no_axis_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        read_axis(text)


@given(WORDS, WORDS)
def test_every_combination_is_run_once(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    runs = from_grid("i", [("a", first), ("b", second)], ["x", "--a={a}", "{b}", "{other}"])
    assert [one.command for one in runs] == [("x", f"--a={a}", b, "{other}") for a in first for b in second]
    assert len({one.id for one in runs}) == len(runs)
    assert [one.number for one in runs] == list(range(1, len(runs) + 1))


def test_ids_stay_when_the_grid_grows() -> None:
    few = from_grid("i", [("a", ("1", "2"))], ["{a}"])
    more = from_grid("i", [("a", ("0", "1", "2"))], ["{a}"])
    assert {one.id for one in few} < {one.id for one in more}
    assert few[0].id != from_grid("j", [("a", ("1",))], ["{a}"])[0].id, "another image is another run"


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ([("a", ("1",)), ("a", ("2",))], "twice"),
        ([("b", ("1",))], "nowhere in the command"),
        ([("a", ("1",) * 1000), ("c", ("1",) * 1000)], "too many"),
    ],
)
def test_a_grid_that_cannot_be_meant_is_refused(axes: list[tuple[str, tuple[str, ...]]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_grid("i", axes, ["{a}", "{c}"])


def test_lines_are_split_as_a_shell_does_and_equal_ones_are_told_apart() -> None:
    runs = from_lines("i", ["# first", "", "echo 'a b'", "echo 'a b'"])
    assert [one.command for one in runs] == [("echo", "a b")] * 2
    assert runs[0].id != runs[1].id
    with pytest.raises(ValueError, match="line 1"):
        from_lines("i", ["echo 'open"])


@given(st.lists(st.one_of(st.text(), st.just('{"id": "a", "state": "failed"}'), st.just('{"id": 3}')), max_size=8))
def test_whatever_stands_in_the_file_only_done_runs_are_done(lines: list[str]) -> None:
    assert done_in([*lines, '{"id": "b", "state": "done"}']) == {"b"}


def test_the_file_is_appended_to_by_one_sweep_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"id": "one", "state": "done"}\n\xff no text\n{"id": "tw')
    results = ResultFile(path)
    assert results.done == {"one"}
    with pytest.raises(Conflict, match="another sweep"):
        ResultFile(path)
    results.append({"id": "three", "state": "done"})
    results.close()
    again = ResultFile(path)
    assert again.done == {"one", "three"}
    again.close()
    assert json.loads(path.read_bytes().splitlines()[-1])["id"] == "three"
    with pytest.raises(BackendError, match="cannot be opened"):
        ResultFile(tmp_path / "no" / "folder")


def test_the_table_shows_those_that_run_and_the_last_that_ended() -> None:
    runs = from_grid("i", [("a", ("1", "2", "3", "4"))], ["{a}"])
    board = SweepBoard(runs, {runs[0].id})
    failed = SweepRow(runs[1], SweepState.FAILED, duration_s=1.5, exit_code=3, attempt=2, last_line="\x1b[31mno")
    runs_now = SweepRow(runs[2], SweepState.RUNNING, ("0",), 1, 10.0)
    board.take(replace(failed, state=SweepState.RUNNING))
    board.take(failed)
    board.take(runs_now)
    assert summary(board) == "2 of 4 over: 1 failed, 1 skipped; 1 running"
    shown = table(board, 12.0, 79, 10)
    assert len(shown) == 3
    assert "exit 3 attempt 2  a=2  │ " in shown[1]
    assert "\x1b" not in shown[1]
    assert run_text(runs_now, 12.0) == "▶    3     2.0 s GPU 0  a=3"
    assert len(table(board, 12.0, 79, 2)) == 2
    board.settle()
    assert summary(board) == "2 of 4 over: 1 failed, 1 skipped"
    assert (board.bad, board.running, board.counts[SweepState.WAITING]) == ([failed], [], 2)
