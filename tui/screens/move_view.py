"""A move, wherever it is, as what its pane shows. Changes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.model.errors import BackendError
from tui.move import Move, State
from tui.screens.move_lines import (
    again_lines,
    begin_lines,
    bug_lines,
    cancelled_lines,
    cut_off_lines,
    done_lines,
    earlier_lines,
    elsewhere_lines,
    ended_lines,
    failed_lines,
    failure_lines,
    going_lines,
    paper_lines,
    run_lines,
    settled_lines,
    update_of,
    waiting_lines,
)
from widgets.joint_lines import joint_progress_lines, joint_report_lines
from widgets.layer_lines import error_lines
from widgets.line import Line, Tone
from widgets.lines_pane import Build
from widgets.text import paragraph

_SETTLED = {
    State.ACCEPTED: "The move is accepted.",
    State.UNDONE: "The move is undone: all is as before it.",
    State.PARTLY_UNDONE: "The move is not wholly undone.",
}


def move_lines(move: Move, papers: Sequence[str] = ()) -> Build:
    """How to draw it as it is at this moment. papers: where its reports lie."""
    plan, reports, error, project = move.plan, move.reports, move.error, move.project
    progress, undone, left, bug = move.progress, tuple(move.undoing), move.left, move.bug
    if move.state.under_way:
        return _going(move)
    after = _after(move, papers)
    if project and reports:
        notes = [note for report in reports for note in report.notes] if move.state is not State.UNDONE else []
        return lambda width: ended_lines(joint_report_lines(reports, project, width), after(width), notes, width)
    if reports:
        return lambda width: done_lines(reports[0], after(width), width)
    if move.told or move.state in _SETTLED or move.state is State.SETTLING:
        told = move.told
        return lambda width: earlier_lines(told, after(width), width)
    if error is not None and project and progress is not None:
        drawn = _joint(move, error)
        return lambda width: failure_lines(drawn(width), plan, error, width, project)
    if error is not None:
        return lambda width: failed_lines(plan, progress, error, width)
    if bug:
        return lambda width: bug_lines(plan, bug, undone, width)
    return lambda width: cancelled_lines(plan, undone, left, width, project)


def _going(move: Move) -> Build:
    """A run that is not over."""
    plan, progress, undone = move.plan, move.progress, tuple(move.undoing)
    undoing = move.state is State.UNDOING
    if not move.project:
        return lambda width: run_lines(plan, progress, undone, width, undoing=undoing)
    if progress is None:
        return lambda width: begin_lines(undone, width, undoing=undoing)
    drawn = _joint(move, undoing=undoing)
    return lambda width: going_lines(drawn(width), undone, width, undoing=undoing)


def _joint(move: Move, error: BackendError | None = None, *, undoing: bool = False) -> Build:
    """The steps of several containers. error: what ended the run of the one that was at work."""
    plans, project, each = move.plans, move.project, dict(move.each)
    at_work = next((key for key, progress in each.items() if progress is move.progress), None)
    updates = {
        plan.source: update_of(
            plan,
            each[plan.source],
            error if plan.source == at_work else None,
            undoing=undoing and plan.source == at_work,
        )
        for plan in plans
        if plan.source in each
    }
    return lambda width: joint_progress_lines(plans, project, updates, at_work, width)


def _after(move: Move, papers: Sequence[str]) -> Callable[[int], Sequence[Line]]:
    """What became of a move that is over, or may become of it."""
    plan, state, done, left, error = move.plan, move.state, move.settled, move.left, move.word_error
    names, again, at = [one.source_name for one in move.plans], move.again, move.again_at
    project, resumable, earlier = move.project, move.resumable, bool(move.told)

    def lines(width: int) -> list[Line]:
        if state is State.SETTLING:
            return paragraph("Asking the engines …", Tone.DIM, width)
        found: list[Line] = []
        if state is State.PARTLY_UNDONE and earlier and not done and not left:
            found += paragraph("▸ u takes back the rest.", Tone.ACCENT, width)
        elif state in _SETTLED:
            found += settled_lines(_SETTLED[state], done, left, width)
        elif state is State.CUT_OFF:
            found += cut_off_lines(plan, width, resumable=resumable, project=project)
        elif state is State.ELSEWHERE:
            found += elsewhere_lines(width)
        elif state is State.WAITING:
            found += waiting_lines(plan, width, project)
        found += error_lines(error, width) if error is not None else []
        found += again_lines(names, again, at, width)
        kept = state in {State.WAITING, State.ACCEPTED}
        return [*found, *(paper_lines(papers, width) if kept else ())]

    return lines
