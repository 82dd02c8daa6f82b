"""`tranship verify-backup FILE…`: backups read whole, every byte proven. Asks no engine and changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.errors import BackendError
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import json_option
from tui.cli.output import answer, complain, data
from tui.cli.schema import time_text
from tui.cli.session import Invocation, pass_invocation
from widgets.format import bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.backup_contents import Backup


@click.command(name="verify-backup")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@pass_invocation
def verify_backup(invocation: Invocation, files: tuple[Path, ...]) -> None:
    """Read backups whole and prove every byte: sizes, hashes, image, list of contents.

    Exits with 1 where one is damaged, cut short or no backup.
    """
    from backends.migration.backup_contents import open_backup

    found: list[dict[str, Any]] = []
    wrong = False
    for path in files:
        try:
            backup = open_backup(path)
        except BackendError as error:
            wrong = True
            found.append({"file": str(path), "ok": False, "error": schema.error(error)})
            if not invocation.json:
                complain(error)
                data(inert(f"✕ {path}"))
            continue
        backup.close()
        found.append({"file": str(path), "ok": True, "error": None, **_plain(backup)})
        if not invocation.json:
            _say(backup)
    if invocation.json:
        answer(backups=found)
    sys.exit(Exit.FAILED if wrong else Exit.DONE)


def _say(backup: Backup) -> None:
    stored = backup.contents
    made = f"{stored.created_at.astimezone():%Y-%m-%d %H:%M}"
    data(inert(f"✓ {backup.path}: {stored.container.name} on {stored.engine}, {made}, {bytes_text(backup.size_bytes)}"))


def _plain(backup: Backup) -> dict[str, Any]:
    stored = backup.contents
    return {
        "size_bytes": backup.size_bytes,
        "engine": stored.engine.name,
        "name": stored.container.name,
        "id": stored.container.key.id,
        "image_id": stored.image.key.id,
        "created_at": time_text(stored.created_at),
        "volumes": [{"name": one.volume.name, "entries": one.entries, "digest": one.digest} for one in stored.volumes],
    }
