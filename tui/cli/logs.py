"""`tranship logs CONTAINER`: its output, each stream to its own. Every line is made inert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backends.model.container import LogLine, LogStream
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import common, container_argument, engine_option, only
from tui.cli.output import answer_line
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@container_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until the container ends, or Ctrl+C.")
@click.option("--tail", "-n", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines.")
@click.option("--timestamps", is_flag=True, help="When each line was written.")
@engine_option
@common
@pass_invocation
def logs(
    invocation: Invocation, name: str, follow: bool, tail: int | None, timestamps: bool, engine: str | None
) -> None:
    """Print a container's log: what it wrote to stdout goes to stdout, what it wrote to stderr to stderr.

    With --json each line is a JSON document of its own, on stdout.
    """

    async def body(fleet: Fleet) -> Exit:
        row = the_container(await first_view(fleet), name, engine)
        source = fleet.engine(row.key.engine)
        async with source.logs(row.key.id, follow=follow, tail=tail, timestamps=timestamps) as lines:
            async for line in lines:
                if invocation.json:
                    answer_line(**schema.log_line(line))
                else:
                    _print(line)
        return Exit.DONE

    run(invocation, body, only=only(engine))


def _print(line: LogLine) -> None:
    when = f"{schema.time_text(line.at)} " if line.at else ""
    click.echo(when + inert(line.text), err=line.stream is LogStream.STDERR)
