"""A migration's run and its end as lines, around what PlanView draws: what is undone, what stays. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate, Phase
from backends.model.plan import MigrationFailed, MigrationReport, Plan, StepProgress
from widgets.line import BLANK, Line, Tone, line
from widgets.plan_lines import progress_lines, report_lines
from widgets.text import inert, paragraph


def update_of(plan: Plan, progress: StepProgress, error: BackendError | None = None) -> OperationUpdate:
    """Where a run is, in the form that PlanView draws. error: what ended it, None while it runs."""
    running = Phase.DONE if progress.phase is Phase.DONE and progress.index == progress.count - 1 else Phase.PROGRESS
    return OperationUpdate(
        operation=0,
        action="container.migrate",
        key=plan.source,
        subject=plan.source_name,
        phase=Phase.FAILED if error is not None else running,
        step=progress.note,
        step_index=progress.index + (progress.phase is Phase.DONE and running is Phase.PROGRESS),
        step_count=progress.count,
        done_bytes=progress.done_bytes if progress.phase is not Phase.DONE else None,
        total_bytes=progress.total_bytes,
        bytes_per_s=progress.bytes_per_s,
        eta_s=progress.eta_s,
        error=error,
    )


def run_lines(plan: Plan, progress: StepProgress | None, undoing: Sequence[str], width: int) -> list[Line]:
    """A run that goes on. undoing: what is being taken back, where it failed or was cancelled."""
    if progress is None:
        return [BLANK, line(("  Beginning …", Tone.DIM))]
    lines = progress_lines(plan, update_of(plan, progress), width)
    if undoing:
        lines += [line(("  UNDOING", Tone.HEADING)), *(line("  ", inert(note)) for note in undoing)]
    return lines


def done_lines(report: MigrationReport, width: int) -> list[Line]:
    """The report, with what became of the source and what is to be known."""
    plan = report.plan
    kept = f"{plan.source_name} on {plan.source.engine} is stopped and kept; remove it yourself when you are content."
    report_of = report_lines(report, width)
    head = report_of.index(BLANK, 2) if BLANK in report_of[2:] else len(report_of)  # below the verdict
    lines = [*report_of[:head], *paragraph(kept, Tone.DIM, width), *report_of[head:]]
    for note in report.notes[1:]:  # the first says what `kept` has said
        lines.extend(paragraph(f"· {note}", Tone.PLAIN, width))
    return lines


def failed_lines(plan: Plan, progress: StepProgress | None, error: BackendError, width: int) -> list[Line]:
    """Where it failed and why, and what is as before again."""
    lines = (
        progress_lines(plan, update_of(plan, progress, error), width)
        if progress is not None
        else [
            *paragraph(f"✕ {error.title}", Tone.BAD, width),
            *paragraph(error.hint or error.detail, Tone.PLAIN, width),
        ]
    )
    if not isinstance(error, MigrationFailed):
        return lines
    lines += [BLANK, line(("  UNDONE", Tone.HEADING))]
    for done in error.undone.done:
        lines.extend(paragraph(f"✓ {done}", Tone.PLAIN, width))
    if not error.undone.done:
        lines.append(line(("  Nothing had been made yet.", Tone.DIM)))
    if error.undone.left:
        lines += [BLANK, line(("  LEFT BEHIND", Tone.HEADING))]
        for left in error.undone.left:
            lines.extend(paragraph(f"✕ {left}", Tone.WARN, width))
    else:
        lines.extend(paragraph(f"{plan.source_name} on {plan.source.engine} is as it was before.", Tone.OK, width))
    return lines


def cancelled_lines(undone: Sequence[str], width: int) -> list[Line]:
    """A run that the user called off. undone: what was taken back."""
    lines = [BLANK, *paragraph("✕ Cancelled: what was made on the target is removed.", Tone.WARN, width), BLANK]
    for note in undone:
        lines.extend(paragraph(f"✓ {note}", Tone.PLAIN, width))
    return lines
