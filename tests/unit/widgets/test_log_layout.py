"""Levels, filters, and the rows that lines take: against the plainest way to say the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.container import LogLine, LogStream
from backends.model.expression import BadPattern
from backends.model.log_level import LogLevel, level_of
from widgets.log_filter import LogFilter, pattern_of
from widgets.log_layout import LogLayout
from widgets.log_store import LogStore

LEVELS = {
    "2026-01-01 10:00:00 ERROR root: no": LogLevel.ERROR,
    "[W 2026-11-28 02:10:00 ServerApp] slow": LogLevel.WARNING,
    "E1128 02:10:11.123 main.go:5] broken": LogLevel.ERROR,
    '{"time":1,"level":"warn","msg":"x"}': LogLevel.WARNING,
    "level=debug msg=x": LogLevel.DEBUG,
    "warning: gradient norm": LogLevel.WARNING,
    "LOG:  checkpoint starting": LogLevel.INFO,
    "Traceback (most recent call last):": LogLevel.ERROR,
    "torch.cuda.OutOfMemoryError: CUDA out of memory": LogLevel.ERROR,
    "INFO:     Uvicorn running on http://0.0.0.0": LogLevel.INFO,
    "0 errors, no error was found": None,
    "train-ERROR_RATE=0.1": None,
    "step 10 | loss 2.3": None,
}


@pytest.mark.parametrize("text", LEVELS)
def test_a_line_names_its_level(text: str) -> None:
    assert level_of(text) == LEVELS[text]


def test_an_indented_line_goes_on_with_the_level_above() -> None:
    assert level_of("  File x, line 3", LogLevel.ERROR) is LogLevel.ERROR
    assert level_of("next", LogLevel.ERROR) is None


def test_filters() -> None:
    assert LogFilter(pattern_of("time.?out")).passes("a TimeOut", None)
    assert not LogFilter(pattern_of("TimeOut")).passes("a timeout", None)
    assert LogFilter(pattern_of("^red$")).passes("\x1b[31mred\x1b[0m", None)
    assert [LogFilter(level=LogLevel.WARNING).passes("x", level) for level in (None, *LogLevel)] == [
        *[False] * 4,
        *[True] * 3,
    ]
    with pytest.raises(BadPattern, match="no regular expression"):
        pattern_of("(")


def line(text: str) -> LogLine:
    """A line."""
    return LogLine(LogStream.STDOUT, text)


def test_the_store_is_bounded_in_characters_too_and_grows_upwards() -> None:
    store = LogStore(max_lines=10, max_characters=100)
    store.append([line("x" * 40)] * 4, [0] * 4)
    assert (len(store.entries), store.first, store.dropped) == (2, 2, 2)
    assert store.prepend([line("old")] * 9, [0] * 9) == 8
    assert (store.first, store.end, store.room) == (-6, 4, 0)
    assert store.prepend([line("older")], [0]) == 0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["end", "up", "drop"]), st.integers(1, 9)), max_size=25),
    hidden=st.booleans(),
)
def test_rows_are_those_of_the_lines_that_are_shown(steps: list[tuple[str, int]], hidden: bool) -> None:
    def height(number: int) -> int:
        return abs(number * 7919) % 4 if hidden else 1

    layout = LogLayout(height if hidden else None, 0)
    first, end = 0, 0
    for step, count in steps:
        if step == "end":
            end += count
            layout.extend(end)
        elif step == "up":
            first -= count
            layout.grow_up(first)
        else:
            first = min(end, first + count)
            layout.drop(first)
        rows = [(number, part) for number in range(first, end) for part in range(height(number))]
        assert layout.rows == len(rows)
        assert [layout.at(row) for row in range(len(rows))] == rows
        assert layout.at(len(rows)) is None
        assert list(layout.numbers(first, end)) == [n for n in range(first, end) if height(n)]
        assert layout.shown_since(first + 2) == len([n for n in range(first + 2, end) if height(n)])
        for number, part in rows:
            if part == 0:
                assert rows[layout.row_of(number)] == (number, 0)


def test_a_filter_that_is_given_up_says_so_first() -> None:
    wanted = LogFilter(pattern_of("(a|aa)+$"))
    assert (wanted.words, wanted.given_up) == ("“(a|aa)+$”", False)
    assert not wanted.passes("a" * 80 + "!", None)
    assert (wanted.words, wanted.given_up) == ("given up, too slow: “(a|aa)+$”", True)
