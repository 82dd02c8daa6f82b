"""A move, wherever it is, as what its pane shows. Changes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.moves import Move, State
from tui.screens.move_lines import (
    bug_lines,
    cancelled_lines,
    done_lines,
    failed_lines,
    run_lines,
    settled_lines,
    waiting_lines,
)
from widgets.layer_lines import error_lines
from widgets.line import Line, Tone
from widgets.lines_pane import Build
from widgets.text import paragraph

_SETTLED = {
    State.ACCEPTED: "The move is accepted.",
    State.UNDONE: "The move is undone: all is as before it.",
    State.PARTLY_UNDONE: "The move is not wholly undone.",
}


def move_lines(move: Move) -> Build:
    """How to draw it as it is at this moment."""
    plan, report, error = move.plan, move.report, move.error
    progress, undone, left, bug = move.progress, tuple(move.undoing), move.left, move.bug
    if report is not None:
        after = _after(move)
        return lambda width: done_lines(report, after(width), width)
    if move.state.under_way:
        undoing = move.state is State.UNDOING
        return lambda width: run_lines(plan, progress, undone, width, undoing=undoing)
    if error is not None:
        return lambda width: failed_lines(plan, progress, error, width)
    if bug:
        return lambda width: bug_lines(plan, bug, undone, width)
    return lambda width: cancelled_lines(plan, undone, left, width)


def _after(move: Move) -> Callable[[int], Sequence[Line]]:
    """What became of a finished move, or may become of it."""
    plan, state, done, left, error = move.plan, move.state, move.settled, move.left, move.word_error
    if state is State.SETTLING:
        return lambda width: paragraph("Asking the engines …", Tone.DIM, width)
    if state in _SETTLED:
        failed = [] if error is None else [error]
        return lambda width: [
            *settled_lines(_SETTLED[state], done, left, width),
            *(one for each in failed for one in error_lines(each, width)),
        ]
    if error is not None:
        return lambda width: [*waiting_lines(plan, width), *error_lines(error, width)]
    return lambda width: waiting_lines(plan, width)
