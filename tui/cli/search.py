"""`tranship search`: images of registries, as each engine finds them. Changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from tui.cli import schema, schema_transfers
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, complain, data, rows
from tui.cli.pick import first_view, not_connected, the_engine
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.format import MISSING, short_image
from widgets.text import inert

if TYPE_CHECKING:
    from backends.engine import Engine
    from backends.model.transfer import FoundImage
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("ENGINE"),
    Column("IMAGE", give=2, cut="middle"),
    Column("STARS", align="right"),
    Column("OFFICIAL"),
    Column("DESCRIPTION", give=3),
)


@click.command()
@click.argument("term")
@click.option("--limit", "-n", type=click.IntRange(1, 100), default=25, show_default=True, help="Results at most.")
@engine_option
@common
@pass_invocation
def search(invocation: Invocation, term: str, limit: int, engine: str | None) -> None:
    """Search for images: TERM asks the engine's usual registries, HOST/TERM asks that one."""

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        if engine is not None:
            the_engine(view, engine)
        engines = [one for one in fleet.engines if view.engines[one.id].offers(Capability.STORES)]
        if not engines:
            raise not_connected(next(iter(view.engines.values())))
        answers = await asyncio.gather(*(_found(one, term, limit) for one in engines))
        errors = [told for told in answers if isinstance(told, BackendError)]
        found = [
            (one.id, image)
            for one, told in zip(engines, answers, strict=True)
            if not isinstance(told, BackendError)
            for image in told
        ]
        for error in errors:
            complain(error)
        if invocation.json:
            plain = [schema_transfers.found(id, image) for id, image in found]
            answer(found=plain, errors=[schema.error(error) for error in errors])
        elif found:
            rows(COLUMNS, [_cells(id.name, image) for id, image in found])
        elif not errors:
            data(inert(f"no image fits “{term}”"))
        # An engine that cannot search is no failure where another has answered.
        return Exit.DONE if len(errors) < len(engines) else worst([exit_of(error) for error in errors])

    run(invocation, body, only=only(engine))


async def _found(engine: Engine, term: str, limit: int) -> tuple[FoundImage, ...] | BackendError:
    try:
        return await engine.search_images(term, limit=limit)
    except BackendError as error:
        return error


def _cells(engine: str, image: FoundImage) -> tuple[str, ...]:
    stars = MISSING if image.stars is None else str(image.stars)
    about = inert(" ".join(image.description.split())) or MISSING
    return engine, short_image(image.name), stars, "yes" if image.official else MISSING, about
