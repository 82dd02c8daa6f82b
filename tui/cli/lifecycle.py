"""`tranship start|restart|pause|unpause CONTAINER…`: four commands of one shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from backends.model.events import OperationUpdate
from backends.model.ids import ContainerKey
from tui.cli.exits import Exit
from tui.cli.operate import named, operate
from tui.cli.options import common, containers_argument, engine_option, only
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.operations import Operations

Choose = Callable[["Operations"], Callable[[ContainerKey], Awaitable[OperationUpdate]]]


def _command(name: str, summary: str, choose: Choose, done: str) -> click.Command:
    @click.command(name=name, help=summary)
    @containers_argument
    @engine_option
    @common
    @pass_invocation
    def command(invocation: Invocation, names: tuple[str, ...], engine: str | None, project: str | None) -> None:
        async def body(fleet: Fleet) -> Exit:
            containers = named(await first_view(fleet), names, engine, project)
            operation = choose(fleet.operations)
            return await operate(fleet, containers, name, operation, done, as_json=invocation.json)

        run(invocation, body, only=only(engine))

    return command


start = _command("start", "Start containers.", lambda operations: operations.start, "started")
restart = _command("restart", "Restart containers.", lambda operations: operations.restart, "restarted")
pause = _command("pause", "Freeze all processes of containers.", lambda operations: operations.pause, "paused")
unpause = _command("unpause", "Thaw paused containers.", lambda operations: operations.unpause, "running again")
