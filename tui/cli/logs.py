"""`tranship logs CONTAINER…`: their output, each stream to its own, several merged. Every line is made inert."""

from __future__ import annotations

import sys
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from backends.model.container import Container, LogLine, LogStream
from backends.model.expression import BadPattern, refuse_slow
from backends.model.ids import ContainerKey
from backends.model.log_level import LogLevel, level_of
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.operate import named
from tui.cli.options import common, engine_option, only, read_moment
from tui.cli.output import answer_line, may_style
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from tui.moments import EXAMPLES
from widgets.log_filter import LogFilter, pattern_of
from widgets.text import inert, pad, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backends.services.fleet import Fleet

_HUES = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
_MOST_NAME_CELLS = 24
_LEVELS = [level.name.lower() for level in LogLevel]


@click.command()
@click.argument("names", metavar="CONTAINER...", nargs=-1, required=True)
@click.option("--follow", "-f", is_flag=True, help="Go on until the containers end, or Ctrl+C.")
@click.option("--tail", "-n", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines of each.")
@click.option("--since", metavar="MOMENT", callback=read_moment, help=f"Only lines from then on: {EXAMPLES}.")
@click.option("--until", metavar="MOMENT", callback=read_moment, help="Only lines up to then.")
@click.option("--grep", "-g", metavar="REGEX", help="Only lines in which it is found; small letters for both cases.")
@click.option("--level", "-l", type=click.Choice(_LEVELS), help="Only lines that are at least so grave.")
@click.option("--timestamps", "-t", is_flag=True, help="When each line was written.")
@engine_option
@common
@pass_invocation
def logs(
    invocation: Invocation,
    names: tuple[str, ...],
    follow: bool,
    tail: int | None,
    since: datetime | None,
    until: datetime | None,
    grep: str | None,
    level: str | None,
    timestamps: bool,
    engine: str | None,
) -> None:
    """Print logs: what a container wrote to stdout goes to stdout, what it wrote to stderr to stderr.

    Several logs are merged by their times, each line behind its container's name. A line that names no level counts as
    info. With --json each line is a JSON document of its own, on stdout.
    """
    try:
        wanted = LogFilter(pattern_of(grep or ""), LogLevel[level.upper()] if level else None)
    except BadPattern as error:
        raise click.UsageError(inert(str(error))) from error

    async def body(fleet: Fleet) -> Exit:
        from backends.services.log_merge import LogWish, merged

        rows = named(await first_view(fleet), names, engine)
        printer = _Printer(rows, wanted, timestamps=timestamps, as_json=invocation.json)
        sources = [(row.key, fleet.engine(row.key.engine)) for row in rows]
        async with aclosing(merged(sources, LogWish(follow, tail, since, until))) as lines:
            async for key, line in lines:
                printer.take(key, line)
        return Exit.DONE

    run(invocation, body, only=only(engine))


class _Printer:
    """Prints the lines that are wanted."""

    def __init__(self, rows: Sequence[Container], wanted: LogFilter, *, timestamps: bool, as_json: bool) -> None:
        self._wanted, self._timestamps, self._json = wanted, timestamps, as_json
        self._levels: dict[ContainerKey, LogLevel | None] = {}
        self._rows = {row.key: row for row in rows}
        self._heads = _heads(rows) if len(rows) > 1 else {}

    def take(self, key: ContainerKey, line: LogLine) -> None:
        if self._wanted.level is not None:
            self._levels[key] = level_of(line.text, self._levels.get(key))
        passes = self._wanted.passes(line.text, self._levels.get(key))
        refuse_slow(self._wanted.pattern)
        if not passes:
            return
        if self._json:
            at = line.at if self._timestamps else None
            answer_line(**schema.log_line(LogLine(line.stream, line.text, at), self._rows[key]))
            return
        when = f"{schema.time_text(line.at)} " if self._timestamps and line.at else ""
        is_error = line.stream is LogStream.STDERR
        name, hue = self._heads.get(key, ("", ""))
        if name and may_style(sys.stderr if is_error else sys.stdout):
            name = click.style(name, fg=hue)
        click.echo(name + when + inert(line.text), err=is_error)


def _heads(rows: Sequence[Container]) -> Mapping[ContainerKey, tuple[str, str]]:
    """What stands before the lines of each, and in which colour."""
    several = len({row.key.engine for row in rows}) > 1
    names = [inert(row.name) + (f"@{row.key.engine}" if several else "") for row in rows]
    cells = min(_MOST_NAME_CELLS, max(map(width_of, names)))
    return {
        row.key: (f"{pad(name, cells)} | ", _HUES[number % len(_HUES)])
        for number, (row, name) in enumerate(zip(rows, names, strict=True))
    }
