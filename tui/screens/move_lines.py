"""A migration's run and its end as lines, around what PlanView draws: what is undone, what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate, Phase
from backends.model.plan import Check, MigrationFailed, MigrationReport, Plan, StepProgress
from widgets.layer_lines import error_lines
from widgets.line import BLANK, Line, Tone, line
from widgets.plan_lines import checks_lines, progress_lines, report_lines
from widgets.text import inert, paragraph


def update_of(
    plan: Plan, progress: StepProgress, error: BackendError | None = None, *, undoing: bool = False
) -> OperationUpdate:
    """Where a run is, in the form that PlanView draws. error: what ended it, None while it runs.

    undoing: it goes no further, and what it did is taken back.
    """
    running = Phase.DONE if progress.phase is Phase.DONE and progress.index == progress.count - 1 else Phase.PROGRESS
    return OperationUpdate(
        operation=0,
        action="container.migrate",
        key=plan.source,
        subject=plan.source_name,
        phase=Phase.FAILED if error is not None or undoing else running,
        step=progress.note if progress.note != progress.step.title else "",
        step_index=progress.index + (progress.phase is Phase.DONE and running is Phase.PROGRESS),
        done_bytes=progress.done_bytes if progress.phase is not Phase.DONE else None,
        total_bytes=progress.total_bytes,
        bytes_per_s=progress.bytes_per_s,
        eta_s=progress.eta_s,
        error=error,
    )


def _list(heading: str, notes: Iterable[str], sign: str, tone: Tone, width: int) -> list[Line]:
    """A heading and things below it; nothing where there are none."""
    lines = [one for note in notes for one in paragraph(f"{sign} {note}", tone, width)]
    return [BLANK, line((f"  {heading}", Tone.HEADING)), *lines] if lines else []


def run_lines(
    plan: Plan, progress: StepProgress | None, undone: Sequence[str], width: int, *, undoing: bool = False
) -> list[Line]:
    """A run that goes on. undoing: it was cancelled or failed, and is taken back; undone: what was so far."""
    if progress is None:
        return begin_lines(undone, width, undoing=undoing)
    return going_lines(
        progress_lines(plan, update_of(plan, progress, undoing=undoing), width), undone, width, undoing=undoing
    )


def begin_lines(undone: Sequence[str], width: int, *, undoing: bool) -> list[Line]:
    """A run of which nothing is known yet."""
    doing = "Undoing" if undoing else "Beginning"
    return [BLANK, line((f"  {doing} …", Tone.DIM)), *_list("UNDOING", undone, "✓", Tone.PLAIN, width)]


def going_lines(drawn: Sequence[Line], undone: Sequence[str], width: int, *, undoing: bool) -> list[Line]:
    """A run that goes on, below its steps as they are drawn."""
    lines = list(drawn)
    while lines and lines[-1] == BLANK:
        lines.pop()
    if not undoing:
        return lines
    return [*lines, *(_list("UNDOING", undone, "✓", Tone.PLAIN, width) or [BLANK, line(("  Undoing …", Tone.WARN))])]


def done_lines(report: MigrationReport, after: Sequence[Line], width: int) -> list[Line]:
    """The report: the verdict, what can be done now or was done since (after), what is to be known, the comparisons."""
    return ended_lines(report_lines(report, width), after, report.notes, width)


def ended_lines(report_of: Sequence[Line], after: Sequence[Line], said: Iterable[str], width: int) -> list[Line]:
    """A report as it is drawn, with what comes after it below its verdict, and what is to be known (said)."""
    head = report_of.index(BLANK, 2) if BLANK in report_of[2:] else len(report_of)  # below the verdict
    notes = [one for note in said for one in paragraph(f"· {note}", Tone.PLAIN, width)]
    return [*report_of[:head], BLANK, *after, *([BLANK, *notes] if notes else []), *report_of[head:]]


def command_of(plan: Plan, project: str = "") -> str:
    """The command that is about this move."""
    return f"tranship migrate {f'{project} --project' if project else plan.source_name}"


def waiting_lines(plan: Plan, width: int, project: str = "") -> list[Line]:
    """What can be done about a finished move."""
    said = "It waits for your word: c accepts it, u undoes it."
    later = f"Or later: {command_of(plan, project)} --confirm, or --undo."
    return [*paragraph(f"▸ {said}", Tone.ACCENT, width), *paragraph(later, Tone.DIM, width, indent="    ")]


def paper_lines(paths: Sequence[str], width: int) -> list[Line]:
    """Where the reports lie that are kept."""
    if not paths:
        return []
    many = f" and {len(paths) - 1} more beside it" if len(paths) > 1 else ""
    return paragraph(f"· The report is kept in {paths[0]}{many}; y copies that.", Tone.DIM, width)


def again_lines(
    subjects: Sequence[str], again: Sequence[Sequence[Check]], at: datetime | None, width: int
) -> list[Line]:
    """What a later comparison found. subjects: whose comparisons they are, in their order."""
    if not again or at is None:
        return []
    wrong = sum(not check.equal for checks in again for check in checks)
    made = sum(not check.skipped for checks in again for check in checks)
    when = f"{at.astimezone():%H:%M:%S}"
    said = (
        paragraph(f"✕ Compared again at {when}: {wrong} of {made} checks differ", Tone.BAD, width)
        if wrong
        else paragraph(f"✓ Compared again at {when}: all {made} checks are equal", Tone.OK, width)
    )
    lines = [*said]
    for subject, checks in zip(subjects, again, strict=True):
        head = [line(("  ", Tone.PLAIN), (inert(subject), Tone.STRONG))] if len(again) > 1 else []
        told = [check for check in checks if check.skipped or not check.equal]
        lines += [*head, *checks_lines(told, width)] if told else []
    return lines


def earlier_lines(told: str, after: Sequence[Line], width: int) -> list[Line]:
    """A move of an earlier session or of another process, as its journal tells it. told: sentences."""
    said = [BLANK, *paragraph(told, Tone.PLAIN, width)] if told else []
    return [*said, BLANK, *after]


def cut_off_lines(plan: Plan, width: int, *, resumable: bool, project: str = "") -> list[Line]:
    """What can be done about a move that was cut off."""
    if resumable:
        said = "r finishes it, u takes back what it made and brings the source back."
    else:
        said = "Its plan is not there to go on with: u takes back what it made and brings the source back."
    later = f"Or later: {command_of(plan, project)} {'--resume, or ' if resumable else ''}--undo."
    return [*paragraph(f"▸ {said}", Tone.ACCENT, width), *paragraph(later, Tone.DIM, width, indent="    ")]


def elsewhere_lines(width: int) -> list[Line]:
    """A move that another process runs."""
    said = "Another Tranship runs it: nothing can be done about it here. Stop it there, and it undoes itself."
    return paragraph(f"▸ {said}", Tone.WARN, width)


def settled_lines(sentence: str, done: Sequence[str], left: str, width: int) -> list[Line]:
    """What became of a finished move. sentence: in short; left: what could not be undone."""
    lines = paragraph(f"{'▲' if left else '✓'} {sentence}", Tone.WARN if left else Tone.OK, width)
    lines += [one for text in done for one in paragraph(f"✓ {text}", Tone.PLAIN, width, indent="    ")]
    if left:
        lines += paragraph(f"✕ {left}", Tone.WARN, width, indent="    ")
        lines += paragraph("Once that is out of the way, u tries again.", Tone.PLAIN, width, indent="    ")
    return lines


def failed_lines(plan: Plan, progress: StepProgress | None, error: BackendError, width: int) -> list[Line]:
    """Where it failed and why, and what is as before again."""
    if progress is None:
        return failure_lines(error_lines(error, width), plan, error, width)
    return failure_lines(progress_lines(plan, update_of(plan, progress, error), width), plan, error, width)


def failure_lines(drawn: Sequence[Line], plan: Plan, error: BackendError, width: int, project: str = "") -> list[Line]:
    """What failed, below its steps as they are drawn, and what is as before again."""
    lines = list(drawn)
    if not isinstance(error, MigrationFailed):
        return lines
    wrong = [f"{check.subject}: {check.source} became {check.target}" for check in error.checks if not check.equal]
    lines += _list("WHAT DIFFERS", wrong, "≠", Tone.BAD, width)
    undone = _list("UNDONE", error.undone.done, "✓", Tone.PLAIN, width)
    lines += undone or [BLANK, line(("  UNDONE", Tone.HEADING)), line(("  Nothing had been made yet.", Tone.DIM))]
    if error.undone.left:
        lines += _list("LEFT BEHIND", error.undone.left, "✕", Tone.WARN, width)
        again = f"Once that is out of the way, u tries again; or later: {command_of(plan, project)} --undo"
        lines.extend(paragraph(again, Tone.PLAIN, width))
    else:
        lines.extend(paragraph(as_before(plan, project), Tone.OK, width))
    return lines


def as_before(plan: Plan, project: str = "") -> str:
    """What is said once all is taken back."""
    if project:
        return f"All containers of {project} on {plan.source.engine} are as they were before."
    return f"{plan.source_name} on {plan.source.engine} is as it was before."


def bug_lines(plan: Plan, bug: str, undone: Sequence[str], width: int) -> list[Line]:
    """A run that a bug of ours ended; what was made is undone all the same."""
    said = f"✕ A bug in Tranship ended it ({bug}). A message names its log; please report it."
    return [
        BLANK,
        *paragraph(said, Tone.BAD, width),
        *_list("UNDONE", undone, "✓", Tone.PLAIN, width),
        BLANK,
        *paragraph(f"Look at {plan.source_name} on {plan.source.engine} before you move it again.", Tone.PLAIN, width),
    ]


def cancelled_lines(plan: Plan, undone: Sequence[str], left: str, width: int, project: str = "") -> list[Line]:
    """A run that the user called off. undone: what was taken back; left: what could not be, and what to do then."""
    lines = [BLANK, line(("  ✕ Cancelled", Tone.WARN))]
    lines += _list("UNDONE", undone, "·" if left else "✓", Tone.PLAIN, width)
    if left:
        return [*lines, *_list("LEFT BEHIND", [left], "✕", Tone.WARN, width)]
    return [*lines, BLANK, *paragraph(f"✓ {as_before(plan, project)}", Tone.OK, width)]
