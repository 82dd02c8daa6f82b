"""`tranship links CONTAINER`: the addresses of its services. Tokens are shown only when asked for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from backends.model.service_link import LinkReport
from tui.cli import schema_watch
from tui.cli.exits import Exit
from tui.cli.options import common, container_argument, engine_option, only
from tui.cli.output import answer, data, rows, say
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

_COLUMNS = (Column("SERVICE"), Column("ADDRESS"), Column("FOUND BY", give=1))


@click.command()
@container_argument
@click.option("--tokens", is_flag=True, help="Show tokens, which open a service to whoever has them.")
@click.option("--plain", is_flag=True, help="Only the addresses, one a line.")
@engine_option
@common
@pass_invocation
def links(invocation: Invocation, name: str, tokens: bool, plain: bool, engine: str | None) -> None:
    """List where a container's services are reached: Jupyter, TensorBoard, MLflow, model servers, any published port.

    Where its engine is on another machine, or you came here by SSH, the `ssh -L` line that brings the port to you
    stands below. Also the line that attaches VS Code.
    """

    async def body(fleet: Fleet) -> Exit:
        from backends.services.links import find_links
        from tui.ground import ground_here

        row = the_container(await first_view(fleet), name, engine)
        source = fleet.engine(row.key.engine)
        report = await find_links(source, row, ground_here(source.endpoint))
        if invocation.json:
            answer(**schema_watch.links(row, report, tokens=tokens))
        elif plain:
            for link in report.links:
                data(inert(link.whole if tokens else link.masked))
        else:
            _tell(report, tokens=tokens)
        return Exit.DONE

    run(invocation, body, only=only(engine))


def _tell(report: LinkReport, *, tokens: bool) -> None:
    for remark in report.remarks:
        say(f"tranship: {remark}")
    if report.links:
        rows(_COLUMNS, [[one.title, one.whole if tokens else one.masked, one.note or one.why] for one in report.links])
    elif not report.remarks:
        say("tranship: no link was found: no port is published, and the log names no address")
    for _, line in report.tunnels:
        data(f"from your machine: {inert(line)}")
    if report.attach:
        data(f"VS Code: code --folder-uri {inert(shlex.quote(report.attach))}")
    if any(one.secret for one in report.links) and not tokens:
        say("tranship: tokens are hidden; --tokens shows them")
