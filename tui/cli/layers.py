"""`tranship layers IMAGE`: what an image is made of, holds and wastes; with thresholds a check for CI. Changes nothing.

Its files are read from the engine's own `save`, each layer once ever; what was read is kept in the user's cache.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from backends.engine import Engine
from backends.model.capabilities import Capability
from backends.model.errors import NotFound
from backends.model.fleet import FleetView
from backends.model.image import LayerReport
from backends.model.image_files import ReadProgress
from tui.cli import layers_table, schema, schema_layers
from tui.cli.exits import Exit
from tui.cli.layers_limits import Limits, broken, parse_share, parse_size
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, data, rows, say, terminal_width
from tui.cli.pick import first_view, not_connected, the_engine, unreachable
from tui.cli.session import Invocation, pass_invocation, run
from widgets.format import bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.layers.contents import ImageContents
    from backends.services.fleet import Fleet

TELL_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown. against: another image. limits: what must hold."""

    files: bool
    waste: bool
    against: str | None
    against_engine: str | None
    limits: Limits
    json: bool

    @property
    def content(self) -> bool:
        """Whether the layers must be read for it."""
        return self.files or self.waste or self.against is not None or self.limits.any


@click.command()
@click.argument("image")
@click.option("--files", is_flag=True, help="Every path, and which layer gave it; ls -l as far as it goes.")
@click.option("--waste", is_flag=True, help="What later layers overwrite or remove, and what need not be there.")
@click.option("--against", metavar="IMAGE2", help="The files that IMAGE2 has in addition, lacks, or has differently.")
@click.option("--against-engine", metavar="NAME", help="With --against: the engine that has IMAGE2.")
@click.option(
    "--min-efficiency",
    type=parse_share,
    metavar="SHARE",
    help="Exit with 1 below it: 0.95, or 95% (as dive counts it).",
)
@click.option("--max-wasted", type=parse_size, metavar="SIZE", help="Exit with 1 if more is wasted: 20MB, 1GiB.")
@click.option(
    "--max-wasted-share", type=parse_share, metavar="SHARE", help="Exit with 1 if a larger part of the image is wasted."
)
@engine_option
@common
@pass_invocation
def layers(
    invocation: Invocation,
    image: str,
    engine: str | None,
    files: bool,
    waste: bool,
    against: str | None,
    against_engine: str | None,
    min_efficiency: float | None,
    max_wasted: int | None,
    max_wasted_share: float | None,
) -> None:
    """Show the layers of an image: of the first engine that has it, or of --engine."""
    limits = Limits(min_efficiency, max_wasted, max_wasted_share)
    asked = Asked(files, waste, against, against_engine, limits, invocation.json)
    if against is not None and (files or waste or limits.any):
        raise click.UsageError("--against is an answer of its own: leave the others out")
    if against_engine is not None and against is None:
        raise click.UsageError("--against-engine goes with --against")

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        found, report = await _report(fleet, view, image, engine)
        if asked.content:
            return await _content(fleet, view, found, report, asked)
        if asked.json:
            answer(**schema.layers(report))
            return Exit.DONE
        _list(report)
        return Exit.DONE

    named = only(engine) | only(against_engine)
    run(invocation, body, only=named if against is None or (engine and against_engine) else ())


def _list(report: LayerReport) -> None:
    rows(layers_table.LAYERS, layers_table.layer_rows(report))
    total = bytes_text(report.total_bytes)
    data(inert(f"{report.reference} on {report.key.engine}: {total} in {layers_table.real(report)} layers"))


async def _content(fleet: Fleet, view: FleetView, engine: Engine, report: LayerReport, asked: Asked) -> Exit:
    if asked.against is not None:
        return await _against(fleet, view, (engine, report), asked)
    contents = await _read(engine, report.reference)
    waste, hints = await asyncio.to_thread(contents.waste), await asyncio.to_thread(contents.hints)
    failed = broken(asked.limits, waste)
    tree = await asyncio.to_thread(contents.tree) if asked.files else None
    if asked.json:
        told = schema_layers.contents(contents.layer_bytes(), waste, hints, tree, failed if asked.limits.any else None)
        answer(**schema.layers(report), **told)
    else:
        if tree is not None:
            rows(layers_table.FILES, layers_table.file_rows(tree))
        if asked.waste:
            for line in layers_table.waste_lines(waste, hints, terminal_width(sys.stdout)):
                data(line)
        if not asked.waste:
            data(layers_table.summary(waste))
    for sentence in failed:
        say(f"tranship: {report.reference}: {sentence}")
    return Exit.FAILED if failed else Exit.DONE


async def _against(fleet: Fleet, view: FleetView, first: tuple[Engine, LayerReport], asked: Asked) -> Exit:
    from backends.layers.cache import LayerCache, default_folder
    from backends.layers.comparison import Side, compare_images

    engine, report = first
    other_engine, other = await _report(fleet, view, asked.against or "", asked.against_engine)
    telling = _Telling()
    sides = Side(engine, report.reference), Side(other_engine, other.reference)
    try:
        found = await compare_images(*sides, LayerCache(default_folder()), telling.tell)
    finally:
        telling.clear()
    if asked.json:
        answer(first=schema_layers.image(report), second=schema_layers.image(other), **schema_layers.against(found))
        return Exit.DONE
    rows(layers_table.DIFFERENCES, layers_table.difference_rows(found.files))
    for line in layers_table.setting_lines(found):
        data(line)
    data(layers_table.difference_summary(report.reference, other.reference, found.files))
    return Exit.DONE


async def _read(engine: Engine, reference: str) -> ImageContents:
    """All layers; on a terminal it is said how far it is."""
    from backends.layers.cache import LayerCache, default_folder
    from backends.layers.reading import read_image

    telling = _Telling()
    try:
        return await read_image(engine, reference, LayerCache(default_folder()), telling.tell)
    finally:
        telling.clear()


class _Telling:
    """Progress on one line of stderr, on a terminal only."""

    def __init__(self) -> None:
        self._shown = False
        self._next = 0.0

    def tell(self, progress: ReadProgress) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next, self._shown = time.monotonic() + TELL_EVERY_S, True
            click.echo(f"\r\x1b[K{layers_table.progress_text(progress)}", err=True, nl=False)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


async def _report(fleet: Fleet, view: FleetView, image: str, engine: str | None) -> tuple[Engine, LayerReport]:
    for candidate in _engines(fleet, view, engine):
        try:
            return candidate, await candidate.image_layers(image)
        except NotFound:
            if engine is not None:
                raise
    silent = unreachable(view)
    if silent:
        raise silent[0]
    raise NotFound(f"no engine has the image “{image}”", hint="`tranship images` lists all")


def _engines(fleet: Fleet, view: FleetView, engine: str | None) -> list[Engine]:
    if engine is not None:
        return [fleet.engine(the_engine(view, engine).id)]
    connected = [known for known in view.engines.values() if known.offers(Capability.STORES)]
    if not connected:
        raise not_connected(next(iter(view.engines.values())))
    return [fleet.engine(known.id) for known in sorted(connected, key=lambda known: known.id.name)]
