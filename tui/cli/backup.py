"""`tranship backup CONTAINER FILE`: a container with its data in one file. Writes nothing itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.plan import LayerChoice
from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.options import common, container_argument
from tui.cli.output import answer, data, may_style, say
from tui.cli.pick import first_view, the_container
from tui.cli.progress import ProgressLines
from tui.cli.schema import time_text
from tui.cli.session import Invocation, pass_invocation, run
from tui.crash import state_dir
from widgets.format import bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.backup import BackupReport
    from backends.migration.backup_keep import Kept
    from backends.services.fleet import Fleet


@click.command()
@container_argument
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="ENGINE", help="The engine that has it; needed where several do.")
@click.option(
    "--layer",
    type=click.Choice([choice.value for choice in LayerChoice]),
    default=LayerChoice.DISCARD.value,
    show_default=True,
    help="Files changed outside volumes: left out, made into an image, or kept beside it.",
)
@click.option("--live", is_flag=True, help="Do not stop it; its volumes are read while it writes.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="FILE is a folder: write a new file there, and remove all but the N newest good ones.",
)
@common
@pass_invocation
def backup(
    invocation: Invocation, name: str, file: Path, source: str | None, layer: str, live: bool, keep: int | None
) -> None:
    """Write a container into one file: image, volumes with their data, networks, and its configuration.

    A running container is stopped while its volumes are read, and started again. FILE must not exist; it appears when
    it is complete and was read back, for your eyes only: it holds the environment, secrets too. With --keep each backup
    is a file of its own; those that are read to find the good ones are read whole, and a damaged one stays.
    """
    path = absolute(file)
    if path.is_dir() and keep is None:
        raise click.UsageError(f"{file} is a folder: name a file in it, or say how many to --keep there")
    if keep is not None and not path.is_dir():
        raise click.UsageError(f"--keep needs a folder that exists, and {file} is none")

    async def body(fleet: Fleet) -> Exit:
        return await _backup(fleet, name, source, path, LayerChoice(layer), live, keep, as_json=invocation.json)

    run(invocation, body, only=frozenset({source}) if source else frozenset())


async def _backup(
    fleet: Fleet,
    name: str,
    source: str | None,
    path: Path,
    layer: LayerChoice,
    live: bool,
    keep: int | None,
    *,
    as_json: bool,
) -> Exit:
    from importlib.metadata import version

    from backends.migration.backup_keep import file_name
    from backends.services import archives

    view = await first_view(fleet)
    container = the_container(view, name, source)
    folder = path
    if keep is not None:
        path = folder / file_name(container.name, container.key.engine.name, datetime.now(UTC))
    lines = ProgressLines(sys.stderr, living=may_style(sys.stderr))
    try:
        report = await archives.backup(
            fleet,
            container,
            path,
            version=version("tranship"),
            layer=layer,
            live=live,
            on_update=lines,
            state_dir=state_dir(),
        )
    finally:
        lines.close()
    kept = None if keep is None else await archives.keep_newest(fleet, container, folder, keep, path)
    if as_json:
        answer(backup=_plain(report), keep=_plain_kept(kept) if kept else None, error=None)
        return Exit.DONE
    stored = report.contents
    data(inert(f"{stored.container.name} on {stored.engine} is in {path} ({bytes_text(report.size_bytes)})"))
    files = sum(volume.entries for volume in stored.volumes)
    stopped = "" if report.downtime_s is None else f", {report.downtime_s:.1f} seconds without service"
    data(f"{len(stored.volumes)} volumes with {files} files; every byte read back{stopped}")
    for note in report.notes:
        data(inert(f"  {note}"))
    if kept is not None:
        _say_kept(kept)
    return Exit.DONE


def _say_kept(kept: Kept) -> None:
    data(f"good backups that are kept: {len(kept.kept)}; older ones removed: {len(kept.removed)}")
    for path, why in kept.damaged:
        say(f"{path} is damaged and stays where it is: {why}")


def _plain_kept(kept: Kept) -> dict[str, Any]:
    return {
        "kept": [str(path) for path in kept.kept],
        "removed": [str(path) for path in kept.removed],
        "damaged": [{"file": str(path), "why": why} for path, why in kept.damaged],
    }


def _plain(report: BackupReport) -> dict[str, Any]:
    stored = report.contents
    return {
        "file": str(report.path),
        "size_bytes": report.size_bytes,
        "engine": stored.engine.name,
        "name": stored.container.name,
        "id": stored.container.key.id,
        "image": stored.reference or None,
        "image_id": stored.image.key.id,
        "created_at": time_text(stored.created_at),
        "volumes": [
            {
                "name": volume.volume.name,
                "entries": volume.entries,
                "content_bytes": volume.content_bytes,
                "digest": volume.digest,
            }
            for volume in stored.volumes
        ],
        "duration_s": report.duration_s,
        "downtime_s": report.downtime_s,
        "notes": list(report.notes),
    }
