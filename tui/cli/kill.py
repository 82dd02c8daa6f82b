"""`tranship kill CONTAINER…`: send their first process a signal."""

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
@click.option("--signal", "-s", default="KILL", show_default=True, help="Name or number of the signal.")
@engine_option
@common
@pass_invocation
def kill(invocation: Invocation, names: tuple[str, ...], signal: str, engine: str | None, project: str | None) -> None:
    """Send containers a signal, KILL unless another is named."""

    async def body(fleet: Fleet) -> Exit:
        containers = named(await first_view(fleet), names, engine, project)
        operation = partial(fleet.operations.kill, signal=signal)
        return await operate(fleet, containers, "kill", operation, f"got {signal}", as_json=invocation.json)

    run(invocation, body, only=only(engine))
