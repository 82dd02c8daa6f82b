"""What is asked about a migration before something is done. Builds dialogs; does nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.plan import Plan
from tui.moves import Move
from tui.screens.move_choices import wrong_ports
from widgets.dialogs import ConfirmDialog, InputDialog
from widgets.line import Line, Tone, line
from widgets.text import cut_middle, inert

_NAME_CELLS = 40  # of a name in a question
_NAMED = 8  # moves named in a question


def short(name: str) -> str:
    """A name for a sentence: inert, its middle left out where it is long."""
    return cut_middle(inert(name), _NAME_CELLS)


def run_question(plan: Plan) -> ConfirmDialog:
    """Before anything is done."""
    where = f"{short(plan.source_name)} on {plan.source.engine}"
    if not plan.source_running:
        kept = f"{where} stays as it is."
    elif plan.choices.stop_source:
        kept = f"{where} is stopped for the last part of the copy, and kept."
    else:
        kept = f"{where} runs on, and so does the copy."
    lines = [line(kept)]
    lost = sum(field.verdict.value == "dropped" for field in plan.fields)
    if lost:
        said = "1 setting is" if lost == 1 else f"{lost} settings are"
        lines.append(line((f"{said} not carried: see the plan.", Tone.WARN)))
    title = f"Migrate {short(plan.source_name)} to {plan.target} as {short(plan.spec.name)}?"
    return ConfirmDialog(title, lines, yes="Migrate", no="No")


def ports_question(published: Sequence[int]) -> InputDialog:
    """Which ports of the host the copy is to have; published: those that the source has."""
    return InputDialog(
        "Which ports of the host is the copy to have?",
        value=", ".join(f"{port}:{port + 1 if port < 65535 else port - 1}" for port in published),
        note="source:copy, with a comma between; others stay the same",
        validate=wrong_ports,
    )


def cancel_question(plan: Plan) -> ConfirmDialog:
    """Before a run is undone."""
    name = short(plan.source_name)
    said = line(f"What was made on {plan.target} is removed, and {name} on {plan.source.engine} is as before.")
    return ConfirmDialog(f"Cancel the migration of {name}?", [said], yes="Cancel it", no="Go on")


def accept_question(plan: Plan, *, remove_source: bool) -> ConfirmDialog:
    """Before a finished move is accepted."""
    name, source = short(plan.source_name), plan.source.engine
    last = line(("It cannot be undone then.", Tone.WARN))
    if remove_source:
        removed = line(f"{name} is removed from {source}. Its volumes and its image stay there.")
        title = f"Accept the move, and remove {name} from {source}?"
        return ConfirmDialog(title, [removed, last], yes="Remove", no="Keep", destructive=True)
    kept = line(f"{name} stays on {source} as it is now.")
    return ConfirmDialog(f"Accept the move of {name} to {plan.target}?", [kept, last], yes="Accept", no="Not yet")


def undo_question(plan: Plan) -> ConfirmDialog:
    """Before a finished move is taken back."""
    name, copy = short(plan.source_name), short(plan.spec.name)
    lines = [
        line((f"{copy} on {plan.target} is removed, with all that was written into it since.", Tone.WARN)),
        line(f"{name} on {plan.source.engine} is as before the move again."),
    ]
    return ConfirmDialog(f"Undo the move of {name}?", lines, yes="Undo", no="Keep", destructive=True)


def quit_question(
    running: Sequence[Move], copies: Sequence[str] = (), builds: Sequence[str] = (), transfers: Sequence[str] = ()
) -> ConfirmDialog:
    """Before the program ends while something is moved.

    copies, builds, transfers: names of images that are copied, built, pulled or pushed.
    """
    if not running:
        kinds = (("copied", copies), ("built", builds), ("pulled or pushed", transfers))
        doing = " and ".join(word for word, some in kinds if some)
        named = [line(short(name)) for _, some in kinds for name in some]
        more = [line((f"and {len(named) - _NAMED} more", Tone.DIM))] if len(named) > _NAMED else []
        ends = line("It is" if len(named) == 1 else "They are", " called off: ", "what was brought is removed.")
        if transfers:
            ends = line("They are called off; layers that came whole may stay on the engine for the next try.")
        return ConfirmDialog(f"Quit while images are {doing}?", [*named[:_NAMED], *more, ends], yes="Quit", no="Stay")
    many = len(running) > 1
    lines: list[Line] = [
        line(short(move.plan.source_name), (f"  {move.plan.source.engine} → {move.plan.target}", Tone.DIM))
        for move in running[:_NAMED]
    ]
    if len(running) > _NAMED:
        lines.append(line((f"and {len(running) - _NAMED} more", Tone.DIM)))
    said = "They are" if many else "It is"
    runs = "the sources run" if many else "the source runs"
    lines.append(line(f"{said} cancelled: what was made is removed, and {runs} as before."))
    title = f"Quit while {len(running)} migrations run?" if many else "Quit while a migration runs?"
    return ConfirmDialog(title, lines, yes="Quit", no="Stay")
