"""`tranship stop CONTAINER…`: end them gently."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from tui.cli.exits import Exit
from tui.cli.operate import named, operate
from tui.cli.options import common, containers_argument, engine_option, only
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@containers_argument
@click.option("--time", "-t", "time_s", type=click.IntRange(min=0), metavar="SECONDS", help="Wait before killing.")
@engine_option
@common
@pass_invocation
def stop(
    invocation: Invocation, names: tuple[str, ...], time_s: int | None, engine: str | None, project: str | None
) -> None:
    """Stop containers; each gets its own stop timeout unless --time is given."""

    async def body(fleet: Fleet) -> Exit:
        containers = named(await first_view(fleet), names, engine, project)
        operation = partial(fleet.operations.stop, timeout_s=time_s)
        return await operate(fleet, containers, "stop", operation, "stopped", as_json=invocation.json)

    run(invocation, body, only=only(engine))
