"""`tranship rm CONTAINER…`: remove containers, asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from backends.model.container import Container
from tui.cli.ask import agreed, check_can_ask
from tui.cli.exits import Exit
from tui.cli.operate import named, operate
from tui.cli.options import common, containers_argument, engine_option, only, yes_option
from tui.cli.output import say
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from tui.pods import pods_that_go
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@containers_argument
@click.option("--force", "-f", is_flag=True, help="Running ones too: they are killed.")
@click.option("--volumes", is_flag=True, help="Their anonymous volumes too.")
@yes_option
@engine_option
@common
@pass_invocation
def rm(
    invocation: Invocation,
    names: tuple[str, ...],
    force: bool,
    volumes: bool,
    yes: bool,
    engine: str | None,
    project: str | None,
) -> None:
    """Remove containers. Asks first, naming each container and its engine."""
    check_can_ask(yes)

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        containers = named(view, names, engine, project)
        for sentence in () if yes else pods_that_go(view.containers, containers):
            say(inert(sentence))
        if not yes and not await agreed(_question(containers, volumes=volumes)):
            say("nothing was removed")
            return Exit.FAILED
        operation = partial(fleet.operations.remove, force=force, volumes=volumes)
        return await operate(fleet, containers, "rm", operation, "removed", as_json=invocation.json)

    run(invocation, body, only=only(engine))


def _question(containers: Sequence[Container], *, volumes: bool) -> str:
    each = ", ".join(f"{row.name} ({row.state.value}) on {row.key.engine}" for row in containers)
    return f"Remove {each}{', with anonymous volumes' if volumes else ''}?"
