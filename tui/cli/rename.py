"""`tranship rename CONTAINER NEW`: give a container another name."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

import click

from backends.model.events import OperationUpdate
from backends.model.ids import ContainerKey
from tui.cli.exits import Exit
from tui.cli.operate import named, operate
from tui.cli.options import common, container_argument, engine_option, only
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@container_argument
@click.argument("new")
@engine_option
@common
@pass_invocation
def rename(invocation: Invocation, name: str, new: str, engine: str | None) -> None:
    """Give a container another name."""

    async def body(fleet: Fleet) -> Exit:
        containers = named(await first_view(fleet), [name], engine)

        def operation(key: ContainerKey) -> Awaitable[OperationUpdate]:
            return fleet.operations.rename(key, new)

        return await operate(fleet, containers, "rename", operation, f"is now {new}", as_json=invocation.json)

    run(invocation, body, only=only(engine))
