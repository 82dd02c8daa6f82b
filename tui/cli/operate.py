"""Do one thing to the containers named on the command line, by the fleet's operations. Names no thing of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import click

from backends.model.container import Container
from backends.model.errors import BackendError, NotFound, Refused
from backends.model.events import OperationUpdate
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.cli.exits import Exit
from tui.cli.outcome import Outcome, tell
from tui.cli.pick import the_container, the_engine

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

Operation = Callable[[ContainerKey], Awaitable[OperationUpdate]]


def named(view: FleetView, names: Sequence[str], engine: str | None, project: str | None = None) -> list[Container]:
    """The containers of these names, and those of a project or pod, each once; all are found before anything is done.

    Raises as `the_container`, NotFound where no container is of that project, UsageError where nothing is named.
    """
    if not names and not project:
        raise click.UsageError("name containers, or a Compose project or pod by --project")
    found = [the_container(view, name, engine) for name in names]
    if project:
        if engine is not None:
            the_engine(view, engine)
        of = [row for row in view.containers.values() if project in {row.project, row.pod}]
        of = [row for row in of if engine is None or row.key.engine.name == engine]
        if not of:
            raise NotFound(
                f"no container is of a project or pod “{project}”", hint="`tranship ps --json` names projects"
            )
        found += sorted(of, key=lambda row: (row.key.engine.name, row.name))
    return list({row.key: row for row in found}.values())


async def operate(
    fleet: Fleet, containers: Sequence[Container], action: str, operation: Operation, done: str, *, as_json: bool
) -> Exit:
    """Do it to all of them, in the order of their needs; returns the exit code.

    action: the command's name, for JSON. done: what to say of each that succeeded.
    """
    from backends.services.groups import operate_together

    verb = "remove" if action == "rm" else action
    result = await operate_together(verb, containers, lambda row: operation(row.key), fleet.engine)
    errors: dict[ContainerKey, BackendError | None] = {update.key: update.error for update in result.updates}
    for left in result.left:
        errors[left.container.key] = Refused("not done", detail=left.reason, engine=left.container.key.engine)
    after = fleet.store.view.containers
    outcomes = [Outcome(action, row, after.get(row.key), done, errors[row.key]) for row in containers]
    return tell(outcomes, as_json=as_json)
