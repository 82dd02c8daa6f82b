"""Progress of a migration: one living line on a terminal, few lines elsewhere."""

from __future__ import annotations

import io

import pytest

from backends.model.events import Phase
from tests.unit.cli.objects import progress
from tui.cli.progress import REDRAW_S, SPARSE_S, ProgressLines, text_of


class Clock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_says_share_speed_and_time_left() -> None:
    text = text_of(progress(Phase.PROGRESS, done_bytes=100))
    assert text == "[1/6] ship the image: 10% of 1000 B, 100 B/s, 0:09 left"


def test_an_estimate_that_was_too_low_never_says_more_than_all() -> None:
    assert "99% of" in text_of(progress(Phase.PROGRESS, done_bytes=5000))


def test_where_there_is_no_room_the_title_is_cut_and_no_figure() -> None:
    running = progress(Phase.PROGRESS, done_bytes=100)
    text = text_of(running)
    narrow = text_of(running, len(text) - 3)
    assert len(narrow) == len(text) - 3
    assert narrow.partition(": ")[2] == text.partition(": ")[2]
    assert "…" in narrow


def test_the_end_of_a_step() -> None:
    assert text_of(progress(Phase.DONE, done_bytes=1000)) == "[1/6] ship the image: 1000 B, 100 B/s, done"
    assert text_of(progress(Phase.FAILED)) == "[1/6] ship the image: FAILED"
    assert text_of(progress(Phase.PROGRESS, undoing=True)) == "[1/6] undo: ship the image"


def test_without_a_terminal_lines_are_sparse_and_plain() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = ProgressLines(stream, living=False, clock=clock)
    lines(progress(Phase.STARTED))
    for _ in range(50):
        clock.now += SPARSE_S / 25
        lines(progress(Phase.PROGRESS, done_bytes=1))
    lines(progress(Phase.DONE, done_bytes=1000))
    lines.close()
    written = stream.getvalue().splitlines()
    assert len(written) == 4  # the start, two while it ran for twice SPARSE_S, the end
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_one_line_lives_and_what_is_done_stays() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = ProgressLines(stream, living=True, clock=clock)
    lines(progress(Phase.STARTED))
    for _ in range(50):
        clock.now += REDRAW_S / 9.9
        lines(progress(Phase.PROGRESS, done_bytes=1))
    assert "\n" not in stream.getvalue()
    assert 5 <= stream.getvalue().count("left") <= 7
    lines(progress(Phase.DONE, done_bytes=1000))
    assert stream.getvalue().endswith("done\n")
    lines(progress(Phase.STARTED))
    lines.close()
    assert stream.getvalue().endswith("\x1b[K")


class Gone(io.StringIO):
    """A terminal that hung up."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error", text)


@pytest.mark.parametrize("living", [True, False])
def test_a_terminal_that_went_away_does_not_end_the_move(living: bool) -> None:
    lines = ProgressLines(Gone(), living=living)
    for phase in Phase:
        lines(progress(phase, undoing=True))
    lines.close()
