"""`tranship schedule`: backups again and again, by a timer of systemd or a line of cron. Makes no backup itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.errors import BackendError, Refused
from backends.model.plan import LayerChoice
from backends.model.secrets import masked_text
from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.options import common
from tui.cli.output import answer, complain, data, rows, say
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.schedule.install import Installed
    from backends.schedule.plan import Schedule
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("CONTAINER", give=1),
    Column("ENGINE", give=1),
    Column("EVERY", give=2),
    Column("KEEP", align="right"),
    Column("TO", give=3, cut="middle"),
    Column("BY"),
    Column("NEXT", give=1),
)
_PASSED = (
    "CONTAINER_CONNECTION", "CONTAINER_HOST", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST",
    "DOCKER_TLS_VERIFY", "XDG_CONFIG_HOME", "XDG_STATE_HOME",
)  # fmt: skip
"""What a backup needs of this environment to find the same engines, and to write into the same audit trail."""


@click.command()
@click.argument("name", metavar="[CONTAINER]", required=False)
@click.option(
    "--every",
    metavar="TIME",
    default="daily",
    show_default=True,
    help="hourly, daily, weekly, monthly, or as systemd (cron) has it.",
)
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="The folder of its backups.")
@click.option("--keep", type=click.IntRange(min=1), default=7, show_default=True, help="How many good ones stay.")
@click.option("--from", "source", metavar="ENGINE", help="The engine that has it; needed where several do.")
@click.option(
    "--layer",
    type=click.Choice([choice.value for choice in LayerChoice]),
    default=LayerChoice.DISCARD.value,
    show_default=True,
    help="Files changed outside volumes, as `tranship backup` has it.",
)
@click.option("--live", is_flag=True, help="Do not stop it for the backup.")
@click.option("--cron", is_flag=True, help="A line of cron instead of a timer of systemd.")
@click.option("--install", is_flag=True, help="Give it to systemd or cron; without it, it is only shown.")
@click.option("--list", "listing", is_flag=True, help="What is scheduled on this account.")
@click.option("--remove", is_flag=True, help="Take the container's schedule away; its backups stay.")
@common
@pass_invocation
def schedule(
    invocation: Invocation,
    name: str | None,
    every: str,
    folder: Path | None,
    keep: int,
    source: str | None,
    layer: str,
    live: bool,
    cron: bool,
    install: bool,
    listing: bool,
    remove: bool,
) -> None:
    """Show or install what makes a backup of a container again and again: a service and a timer of systemd, or cron.

    daily is at three at night; a time that was slept through is made up for (not by cron). Of root it is the machine's,
    else the user's own. Backups are those of `tranship backup --keep`.
    """
    if listing or remove:
        if install or (listing and remove):
            raise click.UsageError("--list, --remove and --install are three things")
        _looked(invocation, name if remove else None, source or "", remove=remove)
    if name is None or folder is None:
        raise click.UsageError("which CONTAINER, and --to which folder? (or --list)")
    if install and (invocation.demo or invocation.settings().readonly):
        raise click.UsageError("--install changes this machine: not with --demo or --readonly")
    target = absolute(folder)
    if not target.is_dir():
        raise click.UsageError(f"--to needs a folder that exists, and {folder} is none")

    async def body(fleet: Fleet) -> Exit:
        container = the_container(await first_view(fleet), name, source)
        from backends.schedule.plan import Schedule

        wish = Schedule(container.name, container.key.engine.name, every, str(target), keep)
        more = ["--layer", layer] if layer != LayerChoice.DISCARD.value else []
        command = _command(invocation, wish, [*more, *(["--live"] if live else [])])
        plan = wish.terms("cron" if cron else "systemd")
        kept = fleet.operations.beside("container.schedule", container.key, container.name, plan=plan)
        with kept if install else nullcontext():
            said = await asyncio.to_thread(_made, wish, command, cron=cron, install=install)
        _tell(said, as_json=invocation.json)
        return Exit.DONE

    run(invocation, body, only=frozenset({source}) if source else frozenset())


def _command(invocation: Invocation, wish: Schedule, more: Sequence[str]) -> list[str]:
    """The backup as it is to be run, its program by its whole path."""
    program = shutil.which(sys.argv[0])
    called = Path(program or "").name == "tranship"
    before = [str(absolute(Path(program)))] if program and called else [sys.executable, "-m", "tui"]
    config = ["--config", str(absolute(invocation.config))] if invocation.config else []
    options = ["--keep", str(wish.keep), "--from", wish.engine, *more]
    return [*before, *config, "backup", *options, "--", wish.name, wish.to]


def _environ() -> tuple[dict[str, str], list[str]]:
    """What is passed on; and what is not, because it holds a secret, which is no business of a unit's."""
    found = {name: os.environ[name] for name in _PASSED if os.environ.get(name)}
    secret = [name for name, value in found.items() if masked_text(value) != value]
    notes = [f"{name} holds a password and is left out: name the engine in the settings file" for name in secret]
    return {name: value for name, value in found.items() if name not in secret}, notes


def _made(wish: Schedule, command: Sequence[str], *, cron: bool, install: bool) -> dict[str, Any]:
    """What there is to say of it; installed where that is wished."""
    from backends.schedule import install as machine
    from backends.schedule.plan import cron_lines, units

    environ, notes = _environ()
    if cron:
        if "XDG_RUNTIME_DIR" in os.environ:
            environ["XDG_RUNTIME_DIR"] = os.environ["XDG_RUNTIME_DIR"]
        try:
            files = [{"path": None, "text": "\n".join(cron_lines(wish, command, environ)) + "\n"}]
        except ValueError as error:
            raise Refused(str(error)) from error
        if install:
            machine.install_cron(wish, command, environ)
        notes.append("cron does not make up for a time at which the machine was off")
        return _said(wish, "cron", files, notes, install=install)
    checked, upcoming = machine.check_calendar(wish.every)
    made, where = units(wish, command, environ), machine.folder()
    if not checked:
        notes.append("the time was not checked: there is no systemd-analyze here")
    texts = (("service", made.service), ("timer", made.timer))
    files = [{"path": str(where / f"{wish.unit}.{end}"), "text": text} for end, text in texts]
    if install:
        notes += machine.install_units(wish, made, where)
    return _said(wish, "systemd", files, notes, install=install) | {"next": upcoming or None}


def _said(
    wish: Schedule, how: str, files: Sequence[dict[str, Any]], notes: Sequence[str], *, install: bool
) -> dict[str, Any]:
    return {**_plain(wish, how), "installed": install, "files": list(files), "notes": list(notes)}


def _plain(wish: Schedule, how: str, upcoming: str = "") -> dict[str, Any]:
    return {"name": wish.name, "engine": wish.engine, **wish.terms(how), "next": upcoming or None}


def _tell(said: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        answer(schedule=said)
        return
    for file in said["files"]:
        if not said["installed"]:
            data(inert(f"# {file['path'] or 'a line of the crontab'}"))
            for text in file["text"].splitlines():
                data(inert(text))
            data("")
        elif file["path"]:
            data(inert(file["path"]))
    state = "is scheduled" if said["installed"] else "would be scheduled; --install does it"
    upcoming = f"; next: {said['next']}" if said["next"] else ""
    say(f"a backup of {said['name']} on {said['engine']} {state} by {said['by']}: {said['every']}{upcoming}")
    for note in said["notes"]:
        say(f"note: {note}")


def _looked(invocation: Invocation, name: str | None, engine: str, *, remove: bool) -> None:
    """--list and --remove, which ask no engine. Exits."""
    from backends.schedule import install as machine

    if remove and name is None:
        raise click.UsageError("--remove needs a CONTAINER")
    if remove and invocation.settings().readonly:
        raise click.UsageError("--remove changes this machine: not with --readonly")
    from backends.services import schedule_removal

    amiss = None
    try:
        where = machine.folder()
        if remove:
            found, amiss = asyncio.run(schedule_removal.remove(name or "", engine, where))
        else:
            found = machine.installed(where)
    except BackendError as error:
        complain(error, as_json=invocation.json)
        sys.exit(Exit.FAILED)
    if amiss is not None:
        complain(amiss)
    if invocation.json:
        answer(**{"removed" if remove else "schedules": [_listed(one) for one in found]})
    elif remove:
        for one in found:
            data(inert(f"{one.schedule.name} on {one.schedule.engine}: no more backups by {one.how}"))
    elif found:
        rows(COLUMNS, [_row(one) for one in found])
    else:
        say("no backup is scheduled on this account")
    sys.exit(Exit.DONE)


def _listed(one: Installed) -> dict[str, Any]:
    return _plain(one.schedule, one.how, one.next)


def _row(one: Installed) -> tuple[str, ...]:
    wish = one.schedule
    return wish.name, wish.engine, wish.every, str(wish.keep), wish.to, one.how, one.next
