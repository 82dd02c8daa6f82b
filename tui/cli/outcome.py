"""How operations on containers ended, for people and for scripts. Does none itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.model.container import Container
from backends.model.errors import BackendError
from tui.cli import schema
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.output import answer, complain, data
from widgets.text import inert


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one container.

    before: as it was found. after: as it is now, None where it is gone or was not read again. done: for people.
    """

    action: str
    before: Container
    after: Container | None
    done: str
    error: BackendError | None = None


def tell(outcomes: list[Outcome], *, as_json: bool) -> Exit:
    """Write all of them; failures go to stderr too. Returns the exit code of all together."""
    if as_json:
        answer(results=[_plain(outcome) for outcome in outcomes])
    for outcome in outcomes:
        if outcome.error is not None:
            complain(outcome.error)
        elif not as_json:
            data(inert(f"{outcome.before.name} on {outcome.before.key.engine}: {outcome.done}"))
    return worst([Exit.DONE if outcome.error is None else exit_of(outcome.error) for outcome in outcomes])


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "action": outcome.action,
        "engine": outcome.before.key.engine.name,
        "id": outcome.before.key.id,
        "name": outcome.before.name,
        "done": outcome.error is None,
        "error": schema.error(outcome.error),
        "container": schema.container(outcome.after) if outcome.after else None,
    }
