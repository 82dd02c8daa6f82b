"""What is asked about a migration before something is done. Builds dialogs; does nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.plan import Plan
from tui.move import Move, State
from tui.screens.move_choices import wrong_ports
from widgets.dialogs import ConfirmDialog, InputDialog
from widgets.line import Tone, line
from widgets.text import cut_middle, inert

_NAME_CELLS = 40  # of a name in a question
_NAMED = 8  # moves named in a question


def short(name: str) -> str:
    """A name for a sentence: inert, its middle left out where it is long."""
    return cut_middle(inert(name), _NAME_CELLS)


def run_question(plans: Sequence[Plan], project: str = "") -> ConfirmDialog:
    """Before anything is done. project: whose containers they are, "" where it is one alone."""
    running = [plan for plan in plans if plan.source_running]
    where = f"{short(plans[0].source_name)} on {plans[0].source.engine}"
    one = not project
    subject = where if one else f"Each of its {len(plans)} containers on {plans[0].source.engine}"
    if not running:
        kept = f"{subject} stays as it is."
    elif plans[0].choices.stop_source:
        kept = f"{subject} is stopped for the last part of the copy, and kept."
    else:
        kept = f"{subject} runs on, and so does {'the' if one else 'its'} copy."
    lines = [line(kept)]
    if not one:
        lines += [line(("If one of them fails, all are as before.", Tone.DIM))]
        lines += [line("  ", short(plan.source_name)) for plan in plans[:_NAMED]]
        lines += [line((f"  and {len(plans) - _NAMED} more", Tone.DIM))] if len(plans) > _NAMED else []
    lost = sum(field.verdict.value == "dropped" for plan in plans for field in plan.fields)
    if lost:
        said = "1 setting is" if lost == 1 else f"{lost} settings are"
        lines.append(line((f"{said} not carried: see the plan.", Tone.WARN)))
    if one:
        title = f"Migrate {short(plans[0].source_name)} to {plans[0].target} as {short(plans[0].spec.name)}?"
    else:
        title = f"Migrate all of {short(project)} to {plans[0].target}?"
    return ConfirmDialog(title, lines, yes="Migrate", no="No")


def ports_question(published: Sequence[int]) -> InputDialog:
    """Which ports of the host the copy is to have; published: those that the source has."""
    return InputDialog(
        "Which ports of the host is the copy to have?",
        value=", ".join(f"{port}:{port + 1 if port < 65535 else port - 1}" for port in published),
        note="source:copy, with a comma between; others stay the same",
        validate=wrong_ports,
    )


def cancel_question(move: Move) -> ConfirmDialog:
    """Before a run is undone."""
    name, source, target = short(move.name), move.plan.source.engine, move.plan.target
    said = line(f"What was made on {target} is removed, and {name} on {source} is as before.")
    return ConfirmDialog(f"Cancel the migration of {name}?", [said], yes="Cancel it", no="Go on")


def resume_question(move: Move) -> ConfirmDialog:
    """Before a move that was cut off is finished."""
    name, source, target = short(move.name), move.plan.source.engine, move.plan.target
    stops = move.plan.choices.stop_source
    lines = [
        line("What is half done is taken back first, then the plan goes on."),
        line(f"{name} on {source} {'is stopped where it runs, and kept' if stops else 'stays as it is'}."),
    ]
    return ConfirmDialog(f"Finish the move of {name} to {target}?", lines, yes="Finish", no="Not now")


def accept_question(move: Move, *, remove_source: bool) -> ConfirmDialog:
    """Before a finished move is accepted."""
    name, source, target = short(move.name), move.plan.source.engine, move.plan.target
    last = line(("It cannot be undone then.", Tone.WARN))
    many = f"All {len(move.plans)} containers of {name} are" if move.project else f"{name} is"
    if remove_source:
        its = "Their volumes and their images stay" if move.project else "Its volumes and its image stay"
        removed = line(f"{many} removed from {source}. {its} there.")
        title = f"Accept the move, and remove {name} from {source}?"
        return ConfirmDialog(title, [removed, last], yes="Remove", no="Keep", destructive=True)
    kept = line(f"{name} stays on {source} as it is now.")
    return ConfirmDialog(f"Accept the move of {name} to {target}?", [kept, last], yes="Accept", no="Not yet")


def undo_question(move: Move) -> ConfirmDialog:
    """Before a move is taken back."""
    name, source, target = short(move.name), move.plan.source.engine, move.plan.target
    copies = f"The copies of {name}" if move.project else short(move.plan.spec.name)
    verb = "are" if move.project else "is"
    gone = f"{copies} on {target} {verb} removed, with all that was written into it since."
    if move.state is not State.WAITING:
        gone = f"What the move has made on {target} is removed."
    lines = [line((gone, Tone.WARN)), line(f"{name} on {source} is as before the move again.")]
    return ConfirmDialog(f"Undo the move of {name}?", lines, yes="Undo", no="Keep", destructive=True)
