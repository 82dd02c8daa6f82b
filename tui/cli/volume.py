"""`tranship volume …`: volumes of all engines listed, made, removed, looked into; one subcommand each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backends.model.files import FileEntry, FileKind
from backends.model.stores import VolumeRow
from backends.model.workload import VolumeSpec
from tui.cli import schema, schema_stores, stores_parts
from tui.cli.cp import tell_copied
from tui.cli.exits import Exit
from tui.cli.groups import Subcommands
from tui.cli.image_parts import Progress
from tui.cli.options import common, engine_option, only, yes_option
from tui.cli.output import answer, data, doubt, rows
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.stores_parts import VOLUMES, chosen, pairs, told, volumes_of
from tui.cli.table import Column
from widgets.format import MISSING, age_text, bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("ENGINE", give=1),
    Column("VOLUME", give=3, cut="middle"),
    Column("DRIVER"),
    Column("SIZE", align="right"),
    Column("USED BY", give=2),
    Column("AGE", align="right"),
)
FILE_COLUMNS = (
    Column("MODE"),
    Column("OWNER", align="right"),
    Column("SIZE", align="right"),
    Column("AGE", align="right"),
    Column("NAME", give=1, cut="middle"),
)
_SIGNS = {FileKind.FOLDER: "/", FileKind.LINK: "@", FileKind.OTHER: "!"}


@click.group(cls=Subcommands)
@common
def volume() -> None:
    """List, inspect, make, remove, prune and browse volumes; copy files out of them."""


@volume.command(name="ls")
@click.option("--unused", is_flag=True, help="Only those that no container uses.")
@click.option("--sizes/--no-sizes", default=True, help="Let the engines count the bytes, which may take long.")
@engine_option
@common
@pass_invocation
def list_(invocation: Invocation, unused: bool, sizes: bool, engine: str | None) -> None:
    """List the volumes of all engines: who uses each, and what it takes."""

    async def body(fleet: Fleet) -> Exit:
        stores, seen = await volumes_of(fleet, engine)
        seen = await stores.sized(seen) if sizes else seen
        shown = [row for row in seen.rows if row.removable or not unused]
        if invocation.json:
            errors = [schema.error(error) for error in seen.errors]
            answer(volumes=[schema_stores.volume(row) for row in shown], errors=errors)
        else:
            now = datetime.now(UTC)
            rows(COLUMNS, [_cells(row, now) for row in shown])
        doubt((row.key.engine, row.key.name, row.volume.why) for row in seen.rows)
        return told(seen.errors)

    run(invocation, body, only=only(engine))


def _cells(row: VolumeRow, now: datetime) -> tuple[str, ...]:
    return (
        row.key.engine.name,
        row.key.name,
        row.volume.driver,
        bytes_text(row.size_bytes),
        ", ".join(row.users) or MISSING,
        age_text(row.created_at, now),
    )


@volume.command()
@click.argument("name", metavar="VOLUME")
@engine_option
@common
@pass_invocation
def inspect(invocation: Invocation, name: str, engine: str | None) -> None:
    """Say all that is known of one volume."""

    async def body(fleet: Fleet) -> Exit:
        from widgets.store_rows import volume_facts

        stores, seen = await volumes_of(fleet, engine)
        row = chosen("volume", seen.rows, name, engine, seen.errors)
        (row,) = (one for one in (await stores.sized(seen)).rows if one.key == row.key)
        if invocation.json:
            answer(volume=schema_stores.volume(row))
        else:
            for title, text in volume_facts(row, datetime.now(UTC)):
                data(f"{title:<12} {text}")
        return Exit.DONE

    run(invocation, body, only=only(engine))


@volume.command()
@click.argument("name", metavar="NAME")
@click.option("--label", "-l", "labels", metavar="NAME=VALUE", multiple=True)
@click.option("--opt", "-o", "options", metavar="NAME=VALUE", multiple=True, help="Of the driver, e.g. type=nfs.")
@engine_option
@common
@pass_invocation
def create(
    invocation: Invocation, name: str, labels: tuple[str, ...], options: tuple[str, ...], engine: str | None
) -> None:
    """Make an empty volume on the engine of --engine (needed where several answer)."""
    spec = VolumeSpec(name, pairs(labels, "--label"), pairs(options, "--opt"))

    stores_parts.make(invocation, VOLUMES, name, engine, lambda stores, target: stores.create_volume(target, spec))


@volume.command()
@click.argument("names", metavar="VOLUME...", nargs=-1, required=True)
@yes_option
@engine_option
@common
@pass_invocation
def rm(invocation: Invocation, names: tuple[str, ...], yes: bool, engine: str | None) -> None:
    """Remove volumes and all that is in them. Asks; one that a container uses is refused."""
    stores_parts.remove_named(invocation, VOLUMES, names, engine, yes=yes)


@volume.command()
@click.option("--all", "-a", "named", is_flag=True, help="Also volumes that somebody gave a name.")
@yes_option
@engine_option
@common
@pass_invocation
def prune(invocation: Invocation, named: bool, yes: bool, engine: str | None) -> None:
    """Remove volumes without a name of their own that no container uses. Lists them, and asks."""
    stores_parts.prune(invocation, VOLUMES, lambda row: named or row.volume.anonymous, engine, yes=yes)


@volume.command()
@click.argument("name", metavar="VOLUME")
@click.argument("path", default="/")
@engine_option
@common
@pass_invocation
def browse(invocation: Invocation, name: str, path: str, engine: str | None) -> None:
    """List a folder of a volume; PATH as if the volume were /. Read by a helper container of an image that is there."""

    async def body(fleet: Fleet) -> Exit:
        from backends.services.browse import VolumeBrowser

        _, seen = await volumes_of(fleet, engine)
        row = chosen("volume", seen.rows, name, engine, seen.errors)
        found = await VolumeBrowser().folder(fleet.engine(row.key.engine), name, path)
        if invocation.json:
            answer(engine=row.key.engine.name, volume=name, **schema_stores.folder(found))
        else:
            now = datetime.now(UTC)
            rows(FILE_COLUMNS, [file_cells(one, now) for one in found.entries])
        return Exit.DONE

    run(invocation, body, only=only(engine))


@volume.command()
@click.argument("name", metavar="VOLUME")
@click.argument("path", metavar="PATH")
@click.argument("target", metavar="TARGET")
@click.option("--force", "-f", is_flag=True, help="Overwrite a file that is there; else the copy is refused.")
@engine_option
@common
@pass_invocation
def cp(invocation: Invocation, name: str, path: str, target: str, force: bool, engine: str | None) -> None:
    """Copy a file or folder out of a volume; PATH as if the volume were /. By a helper container of an image that is
    there.
    """

    async def body(fleet: Fleet) -> Exit:
        from backends.services.browse import VolumeBrowser
        from backends.services.volume_copies import copy_out_of_volume

        _, seen = await volumes_of(fleet, engine)
        key = chosen("volume", seen.rows, name, engine, seen.errors).key
        source = f"{name}:{path}"
        with Progress(f"copy {source} to {target}", source) as progress:
            done = await copy_out_of_volume(
                fleet, key, path, Path(target), progress.flow, browser=VolumeBrowser(), overwrite=force
            )
        tell_copied(done, source, None, as_json=invocation.json)
        return Exit.DONE

    run(invocation, body, only=only(engine))


def file_cells(one: FileEntry, now: datetime) -> tuple[str, ...]:
    """An entry of a folder as cells of FILE_COLUMNS."""
    return (
        f"{one.mode:04o}",
        f"{one.uid}:{one.gid}",
        bytes_text(one.size_bytes) if one.kind is FileKind.FILE else MISSING,
        age_text(one.modified_at, now),
        inert(one.name) + _SIGNS.get(one.kind, "") + (f" → {inert(one.target)}" if one.target else ""),
    )


__all__ = ["FILE_COLUMNS", "file_cells", "volume"]
