"""`tranship cp`: files out of a container, into one, and from one to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.image_parts import Progress
from tui.cli.options import common
from tui.cli.output import answer, data, say
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run
from widgets.format import bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.unpacking import Copied


def split_place(word: str) -> tuple[str, str] | None:
    """ "NAME:PATH" as its two parts; None for a path of this machine, which "/", "." or a "/" before ":" tells."""
    name, mark, path = word.partition(":")
    if not mark or not name or word.startswith((".", "/")) or "/" in name:
        return None
    return name, path or "/"


def _owner(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, int]:
    if value is None:
        return 0, 0
    user, mark, group = value.partition(":")
    if not user.isdecimal() or (mark and not group.isdecimal()):
        raise click.BadParameter("write UID or UID:GID, in numbers")
    return int(user), int(group or user)


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option("--force", "-f", is_flag=True, help="Overwrite files that are there; else the copy is refused.")
@click.option("--owner", metavar="UID[:GID]", callback=_owner, help="Of what goes into a container; else root.")
@click.option("--from", "from_engine", metavar="ENGINE", help="The engine of the source's container.")
@click.option("--to", "to_engine", metavar="ENGINE", help="The engine of the target's container.")
@common
@pass_invocation
def cp(
    invocation: Invocation,
    source: str,
    target: str,
    force: bool,
    owner: tuple[int, int],
    from_engine: str | None,
    to_engine: str | None,
) -> None:
    """Copy files: NAME:PATH is in a container, running or not; anything else is on this machine.

    Into a folder that is there, else under the new name. On the way out links that lead elsewhere are left out, and
    said.
    """
    here, there = split_place(source), split_place(target)
    if here is None and there is None:
        raise click.UsageError("neither side is in a container: write NAME:PATH")
    wanted = {name for name in (from_engine, to_engine) if name}

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        row = the_container(view, here[0], from_engine) if here is not None else None
        other = the_container(view, there[0], to_engine) if there is not None else None
        from backends.services.file_copies import copy_across, copy_in, copy_out

        with Progress(f"copy {source} to {target}", source) as progress:
            if row is not None and other is not None:
                assert here is not None
                assert there is not None
                done = await copy_across(fleet, row, here[1], other, there[1], progress.flow, overwrite=force)
            elif row is not None:
                assert here is not None
                done = await copy_out(fleet, row, here[1], absolute(Path(target)), progress.flow, overwrite=force)
            else:
                assert other is not None
                assert there is not None
                done = await copy_in(fleet, other, Path(source), there[1], progress.flow, overwrite=force, owner=owner)
        tell_copied(done, source, other.name if other is not None else None, as_json=invocation.json)
        return Exit.DONE

    both = here is not None and there is not None
    run(invocation, body, only=frozenset(wanted) if wanted and (not both or len(wanted) == 2) else frozenset())


def tell_copied(done: Copied, source: str, container: str | None, *, as_json: bool) -> None:
    """What was copied, and where it is now. container: the one that it is in, None = this machine."""
    for note in done.notes:
        say(note)
    if as_json:
        answer(
            action="cp",
            source=source,
            container=container,
            target=done.target,
            moved_bytes=done.moved_bytes,
            files=done.files or None,
            notes=list(done.notes),
            error=None,
        )
    else:
        where = f"{container}:{done.target}" if container else done.target
        data(inert(f"{source} is in {where} ({bytes_text(done.moved_bytes)})"))


__all__ = ["cp", "split_place", "tell_copied"]
