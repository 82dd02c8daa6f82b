"""What the fleet says of migrations: where a container may go, which moves there are. Starts none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import EngineId
from tui.actions import BY_ID, first_key_label
from tui.move import Move, State
from widgets.text import cut_middle, inert

if TYPE_CHECKING:
    from widgets.dialogs import Choice

_NAME_CELLS = 24


def targets_of(view: FleetView, source: EngineId) -> tuple[EngineId, ...]:
    """Connected engines that a container of `source` may go to, the nearest first."""
    from_there = view.engines.get(source)
    ordered = sorted(view.engines.values(), key=lambda engine: _distance(engine, from_there))
    return tuple(engine.id for engine in ordered if engine.id != source and engine.offers(Capability.RECIPES))


def _distance(target: EngineView, source: EngineView | None) -> tuple[bool, bool, EngineId]:
    """The nearest target first: one of the other kind, and with root where the source has it."""
    if source is None:
        return (False, False, target.id)
    rootless = [engine.info.rootless if engine.info is not None else False for engine in (target, source)]
    return (target.id.kind is source.id.kind, rootless[0] is not rootless[1], target.id)


def note_of(moves: Sequence[Move]) -> str:
    """For the line below: how many run, were cut off, wait for a word, with the key that lists them; "" where none."""
    running = sum(move.state.under_way for move in moves)
    waiting = sum(move.state is State.WAITING for move in moves)
    cut_off = sum(move.state is State.CUT_OFF for move in moves)
    runs = f"▶ {running} {'move runs' if running == 1 else 'moves run'}" if running else ""
    waits = f"{waiting} to accept" if waiting else ""
    cut = f"▲ {cut_off} cut off" if cut_off else ""
    said = " · ".join(part for part in (runs, cut, waits) if part)
    return f"{said} ({first_key_label(BY_ID['fleet.moves'])})" if said else ""


def choices_of(moves: Sequence[Move]) -> list[Choice]:
    """The moves to choose from, by their place in `moves`."""
    from widgets.dialogs import Choice

    return [
        Choice(str(place), cut_middle(inert(move.name), _NAME_CELLS), _detail(move)) for place, move in enumerate(moves)
    ]


def _detail(move: Move) -> str:
    """Between which engines, and how far."""
    many = f"{len(move.plans)} containers  " if move.project else ""
    where = f"{many}{move.plan.source.engine} → {move.plan.target}"
    progress = move.progress
    if move.state is State.RUNNING and progress is not None:
        share = (
            f", {progress.done_bytes * 100 // progress.total_bytes} %"
            if progress.done_bytes and progress.total_bytes
            else ""
        )
        return f"{where}  step {progress.index + 1} of {progress.count}{share}"
    return f"{where}  {_WORDS[move.state]}"


_WORDS = {
    State.RUNNING: "begins",
    State.UNDOING: "is being undone",
    State.CANCELLED: "cancelled",
    State.FAILED: "failed",
    State.WAITING: "to accept",
    State.SETTLING: "is being settled",
    State.ACCEPTED: "accepted",
    State.UNDONE: "undone",
    State.PARTLY_UNDONE: "not wholly undone",
    State.CUT_OFF: "was cut off",
    State.ELSEWHERE: "is run by another process",
}
