"""Writes the files of an export into a folder: each whole or not at all, none over another's. Blocks: use a thread.

Where Quadlet units are installed: podman-systemd.unit(5), "Podman rootful/rootless unit search path".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from backends.export.exported import Exported, ExportFile
from backends.model.errors import Denied, Refused
from backends.new_file import disk, hidden, refuse_existing, settle

USER_UNITS = Path("~/.config/systemd/user"), Path("/etc/systemd/user"), Path("/usr/lib/systemd/user")
SYSTEM_UNITS = Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"), Path("/lib/systemd/system")
"""Where services of the same name may lie that a Quadlet's would take the place of. Source: systemd.unit(5)."""


def quadlet_folder(*, system: bool) -> Path:
    """Where units are installed: the machine's, or the user's own by $XDG_CONFIG_HOME."""
    if system:
        return Path("/etc/containers/systemd")
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "containers/systemd"


def refuse_taken_names(files: Sequence[ExportFile], *, system: bool) -> None:
    """Refused where a service of this machine has the name of one that a `.container` would make, as sshd's has."""
    for file in files:
        stem, _, kind = file.name.rpartition(".")
        if kind != "container":
            continue
        for folder in SYSTEM_UNITS if system else USER_UNITS:
            taken = folder.expanduser() / f"{stem}.service"
            if taken.exists():
                hint = (
                    "give the container another name first (`tranship rename`), or write the files elsewhere by --out"
                )
                raise Refused(f"the unit {stem}.service is there already", detail=str(taken), hint=hint)


def write_files(files: Sequence[ExportFile], folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """The paths that were written. replace: files of these names too, else none is written where one is there.

    Raises Conflict where one is there, Denied where the folder cannot be made or written.
    """
    for file in files:
        if os.sep in file.name or file.name in {"", ".", ".."}:
            raise Denied(f"{file.name!r} is no name of a file")
    with disk(folder / "x", "the files"):
        folder.mkdir(parents=True, exist_ok=True)
    places = [folder / file.name for file in files]
    if not replace:
        for place in places:
            refuse_existing(
                place, hint="choose another folder, or remove it (`tranship export --force` writes over it)"
            )
    for file, place in zip(files, places, strict=True):
        _write(file, place, replace=replace)
    return tuple(places)


def next_steps(made: Exported, written: Sequence[Path]) -> tuple[str, ...]:
    """What a person runs next. What names a written file is run where it lies; Quadlet units that systemd does not see
    there are put where it looks first."""
    folder = next((path.parent for path in written), Path())
    if folder != Path() and any(path.name in command.split() for path in written for command in made.commands):
        return (f"cd {quote(str(folder))}", *made.commands)
    looked = {quadlet_folder(system=False), quadlet_folder(system=True)}
    if not any(path.suffix == ".container" and path.parent not in looked for path in written):
        return made.commands
    there, names = quote(str(quadlet_folder(system=False))), " ".join(quote(str(path)) for path in written)
    return (f"mkdir -p {there} && cp -p {names} {there}", *made.commands)


def _write(file: ExportFile, place: Path, *, replace: bool) -> None:
    part = hidden(place)
    with disk(place, place.name):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as opened:
                opened.write(file.text)
                opened.flush()
                os.fsync(opened.fileno())
            if replace:
                part.replace(place)
            else:
                settle(part, place)
        finally:
            part.unlink(missing_ok=True)


__all__ = ["next_steps", "quadlet_folder", "refuse_taken_names", "write_files"]
