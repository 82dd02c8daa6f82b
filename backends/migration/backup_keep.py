"""Which backups of a folder stay: the newest good ones, each read whole. Never takes the last good one; blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.migration.backup_contents import open_backup
from backends.model.errors import BackendError, Denied

END = ".backup"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the backups of one container, newest first. damaged: left where they are, each with the reason."""

    kept: tuple[Path, ...]
    removed: tuple[Path, ...]
    damaged: tuple[tuple[Path, str], ...]


def file_name(container: str, engine: str, at: datetime) -> str:
    """Of a backup made then: "web@docker-20261128T030000Z.backup"."""
    return f"{_stem(container, engine)}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{END}"


def _stem(container: str, engine: str) -> str:
    return f"{container}@{engine}".replace("/", "_")


def backups_of(folder: Path, container: str, engine: str) -> list[Path]:
    """Those of this container in the folder, newest first by their names."""
    pattern = re.compile(rf"{re.escape(_stem(container, engine))}-\d{{8}}T\d{{6}}Z{re.escape(END)}")
    return sorted((path for path in folder.iterdir() if pattern.fullmatch(path.name)), reverse=True)


def keep_newest(
    folder: Path,
    container: str,
    engine: str,
    keep: int,
    *,
    proven: Collection[Path] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> Kept:
    """Remove what is older than the `keep` newest good ones. proven: those that were read whole just now.

    Where fewer are good nothing is removed. What is older is not read: as many newer good ones were. The proven come
    first, whatever their names say: where the clock was ahead once, a backup of then is named as newer than they.
    stopped: as in `open_backup`. Raises Denied where one cannot be removed.
    """
    assert keep > 0
    kept: list[Path] = []
    older: list[Path] = []
    damaged: list[tuple[Path, str]] = []
    for path in sorted(backups_of(folder, container, engine), key=lambda one: one not in proven):
        if len(kept) == keep:
            older.append(path)
        elif path in proven or not (wrong := flaw_of(path, stopped)):
            kept.append(path)
        else:
            damaged.append((path, wrong))
    for path in older:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            hint = f"look at {folder}: older backups stay until they can be removed"
            raise Denied(f"{path.name} cannot be removed", detail=str(error), hint=hint) from error
    return Kept(tuple(kept), tuple(older), tuple(damaged))


def flaw_of(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """Why the file is no good backup, "" where every byte of it is right."""
    try:
        open_backup(path, stopped).close()
    except BackendError as error:
        return str(error)
    return ""


__all__ = ["Kept", "backups_of", "file_name", "flaw_of", "keep_newest"]
