"""`tranship events`: what happens on all engines, from now on, until Ctrl+C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from backends.model.events import EngineEvent, EventKind
from backends.model.expression import BadPattern, refuse_slow
from tui.cli import schema_watch
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer_line, data
from tui.cli.pick import first_view, unreachable
from tui.cli.schema import time_text
from tui.cli.session import Invocation, pass_invocation, run
from widgets.log_filter import pattern_of
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@click.option("--kind", type=click.Choice([kind.value for kind in EventKind]), help="Only events of this kind.")
@click.option("--grep", "-g", metavar="REGEX", help="Only events in whose line it is found.")
@click.option("--count", "-n", type=click.IntRange(min=1), metavar="N", help="End after so many.")
@engine_option
@common
@pass_invocation
def events(invocation: Invocation, kind: str | None, grep: str | None, count: int | None, engine: str | None) -> None:
    """Print what happens on all engines from now on: one line an event, or with --json one JSON document a line."""
    try:
        pattern = pattern_of(grep or "")
    except BadPattern as error:
        raise click.UsageError(inert(str(error))) from error

    async def body(fleet: Fleet) -> Exit:
        heard: asyncio.Queue[EngineEvent] = asyncio.Queue()
        fleet.events.subscribe(heard.put_nowait)
        silent = unreachable(await first_view(fleet))
        if silent and len(silent) == len(fleet.engines):
            raise silent[0]
        left = count
        while left is None or left > 0:
            event = await heard.get()
            text = f"{event.engine}  {event.kind.value}  {event.action}  {event.name or event.id[:12]}"
            text += "" if event.exit_code is None else f"  exit code {event.exit_code}"
            text += f"  {event.why}" if event.why else ""
            fits = (not kind or event.kind.value == kind) and (pattern is None or pattern.found_in(text))
            refuse_slow(pattern)
            if not fits:
                continue
            if invocation.json:
                answer_line(**schema_watch.event(event))
            else:
                data(f"{time_text(event.at)}  {inert(text)}")
            left = None if left is None else left - 1
        return Exit.DONE

    run(invocation, body, only=only(engine))
