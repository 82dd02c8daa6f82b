"""`tranship engines`: every engine, where it is, and why one is not there. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from backends.model.events import Link
from backends.model.fleet import EngineView
from backends.services.doctor import lacking_words, mode_word
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import common
from tui.cli.output import answer, rows, sentence
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.format import MISSING

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("ENGINE"),
    Column("LINK"),
    Column("VERSION"),
    Column("MODE"),
    Column("ENDPOINT", give=2, cut="middle"),
    Column("NOTE", give=1),
)


@click.command()
@common
@pass_invocation
def engines(invocation: Invocation) -> None:
    """List the engines: those found, and those that are not there with the reason."""

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        found = sorted(view.engines.values(), key=lambda engine: engine.id.name)
        if invocation.json:
            answer(engines=[schema.engine(engine) for engine in found])
        else:
            show(found)
        return code_of(found)

    run(invocation, body)


def show(found: Iterable[EngineView]) -> None:
    """The table of engines."""
    rows(COLUMNS, [_cells(engine) for engine in found])


def code_of(found: Iterable[EngineView]) -> Exit:
    """3 where an engine that should be there does not answer, or where there is none at all."""
    links = [engine.connection.link for engine in found]
    return Exit.DONE if Link.CONNECTED in links and Link.LOST not in links else Exit.UNREACHABLE


def _cells(engine: EngineView) -> tuple[str, ...]:
    info = engine.info
    version = mode = MISSING
    note = sentence(engine.connection.error).removeprefix(f"{engine.id}: ") if engine.connection.error else ""
    if info is not None:
        version, mode = info.version, mode_word(engine.id.kind, info)
        note = note or lacking_words(engine.id.kind, info)
    return engine.id.name, engine.connection.link.value, version, mode, engine.endpoint or MISSING, note or MISSING
