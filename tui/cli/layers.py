"""`tranship layers IMAGE`: what an image is made of. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backends.engine import Engine
from backends.model.errors import NotFound
from backends.model.fleet import FleetView
from backends.model.image import Layer, LayerReport
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, data, rows
from tui.cli.pick import first_view, not_connected, the_engine, unreachable
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.format import MISSING, bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("#", align="right"),
    Column("SIZE", align="right"),
    Column("LAYER"),
    Column("MADE BY", give=1),
)
SHOWN_DIGITS = 12


@click.command()
@click.argument("image")
@engine_option
@common
@pass_invocation
def layers(invocation: Invocation, image: str, engine: str | None) -> None:
    """Show the layers of an image: of the first engine that has it, or of --engine."""

    async def body(fleet: Fleet) -> Exit:
        report = await _report(fleet, await first_view(fleet), image, engine)
        if invocation.json:
            answer(**schema.layers(report))
            return Exit.DONE
        rows(COLUMNS, [_cells(number, layer) for number, layer in enumerate(report.layers, start=1)])
        total = bytes_text(report.total_bytes)
        data(inert(f"{report.reference} on {report.key.engine}: {total} in {_real(report)} layers"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


async def _report(fleet: Fleet, view: FleetView, image: str, engine: str | None) -> LayerReport:
    for candidate in _engines(fleet, view, engine):
        try:
            return await candidate.image_layers(image)
        except NotFound:
            if engine is not None:
                raise
    silent = unreachable(view)
    if silent:
        raise silent[0]
    raise NotFound(f"no engine has the image “{image}”")


def _engines(fleet: Fleet, view: FleetView, engine: str | None) -> list[Engine]:
    if engine is not None:
        return [fleet.engine(the_engine(view, engine).id)]
    connected = [known for known in view.engines.values() if not known.stale]
    if not connected:
        raise not_connected(next(iter(view.engines.values())))
    return [fleet.engine(known.id) for known in sorted(connected, key=lambda known: known.id.name)]


def _real(report: LayerReport) -> int:
    return sum(not layer.empty for layer in report.layers)


def _cells(number: int, layer: Layer) -> tuple[str, ...]:
    digest = layer.diff_id.removeprefix("sha256:")[:SHOWN_DIGITS]
    size = bytes_text(layer.size_bytes) if not layer.empty else MISSING
    return str(number), size, digest or MISSING, layer.command or layer.comment or MISSING
