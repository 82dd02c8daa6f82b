"""What the keys of a migration mean at each of its stages, for the footer. Acts on nothing."""

from __future__ import annotations

from enum import StrEnum

from tui.action import Scope
from tui.actions import ACTIONS
from tui.move import Move, State
from tui.screens.move_draft import Draft

_OWN = tuple(action.id for action in ACTIONS if action.scope is Scope.MIGRATE)


class Stage(StrEnum):
    """How far it is."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"


def key_words(stage: Stage, draft: Draft, move: Move | None) -> dict[str, str]:
    """The words of all keys of a migration, by action id; "" where one does nothing now."""
    words = dict.fromkeys(_OWN, "")
    if stage is Stage.RUNNING:
        return words | {"app.back": "leave it running"} | _running(move)
    if stage is Stage.ENDED:
        return words | {"app.back": ""} | _ended(move)
    return words | _choosing(stage, draft)


def _running(move: Move | None) -> dict[str, str]:
    return {"migrate.cancel": "cancel"} if move is not None and move.state is State.RUNNING else {}


def _ended(move: Move | None) -> dict[str, str]:
    words = {"migrate.run": "fleet"}
    if move is None or move.state is State.SETTLING:
        return words
    if move.state is State.WAITING:
        words |= {"migrate.accept": "accept", "migrate.remove": "remove source"}
    if move.state is State.CUT_OFF and move.resumable:
        words["migrate.resume"] = "finish it"
    if move.undoable:
        words["migrate.undo"] = "undo"
    if move.comparable:
        words["migrate.verify"] = "compare"
    return words if move.state is State.ELSEWHERE else words | {"migrate.again": "plan again"}


def _choosing(stage: Stage, draft: Draft) -> dict[str, str]:
    words = {"migrate.again": "plan again"}
    if not draft.together:
        words["migrate.name"] = "name"
    if len(draft.targets) > 1:
        words["migrate.target"] = "target"
    if draft.group or draft.together:
        words["migrate.project"] = "alone" if draft.together else "project"
    if draft.published or any(plan.source_volumes for plan in draft.plans):
        words["migrate.parts"] = "each"
    if stage is Stage.PLANNED and not draft.blocked:
        words["migrate.run"] = "run"
    return words
