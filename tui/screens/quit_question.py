"""What is asked before the program ends while something runs: what that is, and what becomes of it. Does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tui.screens.move_questions import short
from tui.under_way import UnderWay
from widgets.dialogs import ConfirmDialog
from widgets.line import Line, Tone, line

_NAMED = 8  # things named in a question


def quit_question(now: UnderWay) -> ConfirmDialog:
    """now: something is under way."""
    doing = " and ".join(_doing(now)).replace(" and images are ", " and ")
    named = list(_named(now))
    more = [line((f"and {len(named) - _NAMED} more", Tone.DIM))] if len(named) > _NAMED else []
    return ConfirmDialog(f"Quit while {doing}?", [*named[:_NAMED], *more, *_ends(now)], yes="Quit", no="Stay")


def _doing(now: UnderWay) -> Iterator[str]:
    if now.moves:
        yield "a migration runs" if len(now.moves) == 1 else f"{len(now.moves)} migrations run"
    if now.copies:
        yield "images are copied"
    if now.builds:
        yield "images are built"
    if now.transfers:
        yield "images are pulled or pushed"
    if now.sweeps:
        yield "a sweep runs" if len(now.sweeps) == 1 else f"{len(now.sweeps)} sweeps run"
    if now.trials:
        yield "a trial runs" if len(now.trials) == 1 else f"{len(now.trials)} trials run"


def _named(now: UnderWay) -> Iterator[Line]:
    for move in now.moves:
        yield line(short(move.name), (f"  {move.plan.source.engine} → {move.plan.target}", Tone.DIM))
    for name in (*now.copies, *now.builds, *now.transfers, *now.sweeps):
        yield line(short(name))
    for name in now.trials:
        yield line(short(name), ("  measured", Tone.DIM))


def _ends(now: UnderWay) -> Iterator[Line]:
    """What becomes of each kind."""
    if now.moves:
        many = len(now.moves) > 1
        said = "The migrations are" if many else "The migration is"
        runs = "the sources run" if many else "the source runs"
        yield line(f"{said} cancelled: what was made is removed, and {runs} as before.")
    if now.transfers:
        yield line("Pulls and pushes are called off; layers that came whole may stay on the engine for the next try.")
    if now.copies or now.builds:
        if len(now.copies) + len(now.builds) == 1:
            said = "The copy is" if now.copies else "The build is"
        else:
            said = " and ".join(word for word, some in (("copies", now.copies), ("builds", now.builds)) if some)
            said = f"{said.capitalize()} are"
        yield line(f"{said} called off: what was brought is removed.")
    if now.sweeps:
        yield line("Runs under way are ended and removed. The same sweep again goes on from its results.")
    if now.trials:
        yield line("A trial is called off: its copies and their volumes are removed, and what was measured is lost.")


__all__ = ["quit_question"]
