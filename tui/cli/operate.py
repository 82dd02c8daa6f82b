"""Do one thing to the containers named on the command line, by the fleet's operations. Names no thing of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from backends.model.container import Container
from backends.model.events import OperationUpdate
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.cli.exits import Exit
from tui.cli.outcome import Outcome, tell
from tui.cli.pick import the_container

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

Operation = Callable[[ContainerKey], Awaitable[OperationUpdate]]


def named(view: FleetView, names: Sequence[str], engine: str | None) -> list[Container]:
    """The containers of these names, each once; all are found before anything is done. Raises as `the_container`."""
    found = [the_container(view, name, engine) for name in names]
    return list({row.key: row for row in found}.values())


async def operate(
    fleet: Fleet, containers: Sequence[Container], action: str, operation: Operation, done: str, *, as_json: bool
) -> Exit:
    """Do it to all of them at once; returns the exit code.

    action: the command's name, for JSON. done: what to say of each that succeeded.
    """
    updates = await asyncio.gather(*(operation(row.key) for row in containers))
    after = fleet.store.view.containers
    outcomes = [
        Outcome(action, row, after.get(row.key), done, update.error)
        for row, update in zip(containers, updates, strict=True)
    ]
    return tell(outcomes, as_json=as_json)
