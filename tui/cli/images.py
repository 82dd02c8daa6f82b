"""`tranship images`: the images of all engines, and what they share. Changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from backends.model.image_sharing import ImageList, ImageShare
from tui.cli import schema, schema_images
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, complain, data, doubt, rows
from tui.cli.pick_image import look
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.format import MISSING, age_text, bytes_text, missing_reason, short_image
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("ENGINE", give=1),
    Column("IMAGE", give=3, cut="middle"),
    Column("ID"),
    Column("SIZE", align="right"),
    Column("UNIQUE", align="right"),
    Column("USED BY", give=2),
    Column("AGE", align="right"),
)
DIGESTS = Column("DIGEST", give=4)
DANGLING = "(no name)"


@click.command()
@click.option("--digests", is_flag=True, help="The registry's digests too.")
@click.option("--dangling", is_flag=True, help="Only images without a name.")
@click.option("--unused", is_flag=True, help="Only images that no container uses.")
@engine_option
@common
@pass_invocation
def images(invocation: Invocation, digests: bool, dangling: bool, unused: bool, engine: str | None) -> None:
    """List the images of all engines: what each takes, what of it is its own, and who uses it.

    UNIQUE is what removing the image frees: bytes of layers that no other image of the same engine has.
    """

    async def body(fleet: Fleet) -> Exit:
        _, seen = await look(fleet, engine)
        shown = [
            share for share in seen.images if (share.dangling or not dangling) and not (unused and share.containers)
        ]
        if invocation.json:
            answer(
                images=[schema_images.image(share) for share in shown],
                engines=schema_images.stored(seen.stored),
                errors=[schema.error(error) for error in seen.errors],
            )
        else:
            _show(shown, digests=digests)
            for line in _sums(seen):
                data(inert(line))
        doubt((share.image.key.engine, share.name, share.image.why) for share in seen.images)
        for error in seen.errors:
            complain(error)
        return Exit.UNREACHABLE if seen.errors else Exit.DONE

    run(invocation, body, only=only(engine))


def _show(shown: list[ImageShare], *, digests: bool) -> None:
    now = datetime.now(UTC)
    columns = (*COLUMNS, DIGESTS) if digests else COLUMNS
    rows(columns, [_cells(share, now, digests=digests) for share in shown])


def _cells(share: ImageShare, now: datetime, *, digests: bool) -> tuple[str, ...]:
    image = share.image
    own = (", ".join(digest.partition("@")[2] or digest for digest in image.digests) or MISSING,) if digests else ()
    return (
        image.key.engine.name,
        ", ".join(short_image(tag) for tag in image.tags) or _nameless(share),
        image.key.short,
        bytes_text(image.size_bytes),
        bytes_text(share.unique_bytes),
        ", ".join(share.containers) or MISSING,
        age_text(image.created_at, now),
        *own,
    )


def _nameless(share: ImageShare) -> str:
    return DANGLING if share.dangling else short_image(share.name)


def _sums(seen: ImageList) -> list[str]:
    """One line for each engine: how many, how much they take together, and what a pruning would free."""
    from backends.services.image_sharing import freed_bytes
    from backends.services.images import on_engine, removable

    lines = []
    for engine, taken in sorted(seen.stored.items(), key=lambda item: item[0].name):
        held = on_engine(seen.images, engine)
        unused = removable(held, named=True)
        freed = freed_bytes(seen.images, frozenset(share.image.key for share in unused))
        why = missing_reason(taken)
        total = f"their size together is not known: {why}" if why else f"{bytes_text(taken)} together"
        spare = f"; {len(unused)} unused, {bytes_text(freed)} of it" if unused else ""
        lines.append(f"{engine}: {_count(len(held))}, {total}{spare}")
    return lines


def _count(number: int) -> str:
    return "1 image" if number == 1 else f"{number} images"
