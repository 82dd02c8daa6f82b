"""What `tranship volume` and `tranship network` share: looking, choosing, removing several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from backends.model.errors import BackendError, NotFound, Unreachable
from backends.model.stores import NetworkRow, VolumeRow
from tui.cli.ask import agreed
from tui.cli.exits import Exit
from tui.cli.one_by_one import Subject, one_by_one
from tui.cli.output import complain, data, say
from tui.cli.pick import first_view, not_connected, the_engine, unreachable
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.stores import FleetStores

R = TypeVar("R", VolumeRow, NetworkRow)


async def stores_of(fleet: Fleet, engine: str | None) -> tuple[FleetStores, tuple[BackendError, ...]]:
    """The volumes and networks, and why engines do not answer. Raises Unreachable where the one named does not."""
    from backends.services.stores import FleetStores

    view = await first_view(fleet)
    if engine is not None:
        the_engine(view, engine)
    if view.engines and all(known.stale for known in view.engines.values()):
        raise not_connected(next(iter(view.engines.values())))
    return FleetStores(fleet), tuple(unreachable(view))


def chosen(kind: str, rows: Sequence[R], word: str, engine: str | None, errors: Sequence[BackendError]) -> R:
    """The row of this name. Raises click.UsageError where several engines have one, NotFound or Unreachable."""
    found = [row for row in rows if row.key.name == word and engine in {None, row.key.engine.name}]
    if len(found) == 1:
        return found[0]
    if found:
        engines = " and on ".join(sorted(row.key.engine.name for row in found))
        raise click.UsageError(inert(f"“{word}” is on {engines}: say which with --engine"))
    if errors and engine is None:
        detail = "; ".join(str(error) for error in errors)
        raise Unreachable(f"no {kind} “{word}” on the engines that answer", detail=detail, hint=errors[0].hint)
    raise NotFound(f"no {kind} “{word}”", hint=f"`tranship {kind} ls` lists all")


async def remove_all(
    kind: str,
    rows: Sequence[R],
    remove: Callable[[R], Awaitable[None]],
    *,
    yes: bool,
    as_json: bool,
    warning: str = "",
) -> Exit:
    """Ask, and remove one after the other; one that fails does not keep the rest."""
    if rows and not yes:
        named = ", ".join(f"{row.key.name} on {row.key.engine}" for row in rows)
        if not await agreed(f"Remove {named}?{warning}"):
            say("nothing was removed")
            return Exit.FAILED

    def subject(row: R) -> Subject:
        plain = {"action": f"{kind}.remove", "engine": row.key.engine.name, "name": row.key.name}
        return Subject(f"{row.key.name} on {row.key.engine}", plain)

    code, _ = await one_by_one(rows, remove, subject, "removed", as_json=as_json)
    if not rows and not as_json:
        data("there is nothing to remove")
    return code


def told(errors: Sequence[BackendError]) -> Exit:
    """Say why engines did not answer; the exit code of that."""
    for error in errors:
        complain(error)
    return Exit.UNREACHABLE if errors else Exit.DONE


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """ "name=value" words; a name alone has the value ""."""
    if any(not word.partition("=")[0] for word in words):
        raise click.UsageError(f"{option} takes NAME=VALUE")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


__all__ = ["chosen", "pairs", "remove_all", "stores_of", "told"]
