"""`tranship image platforms`: for which platforms a registry has an image. Pulls nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import schema_transfers
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, data
from tui.cli.pick import one_engine
from tui.cli.session import Invocation, pass_invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@click.argument("name", metavar="IMAGE")
@click.option(
    "--insecure", is_flag=True, help="Do without TLS, or with a certificate that nobody vouches for (Podman)."
)
@engine_option
@common
@pass_invocation
def platforms(invocation: Invocation, name: str, insecure: bool, engine: str | None) -> None:
    """List the platforms for which the registry has an image, as an engine sees it; pulls nothing."""

    async def body(fleet: Fleet) -> Exit:
        target = await one_engine(fleet, engine)
        report = await fleet.engine(target).image_platforms(name, insecure=insecure)
        if invocation.json:
            answer(**schema_transfers.platforms(target, report))
            return Exit.DONE
        for platform in report.platforms:
            data(inert(str(platform)))
        if not report.platforms:
            data(inert(f"one platform, which {target} does not tell before it is pulled"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


__all__ = ["platforms"]
