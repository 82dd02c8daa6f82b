"""What `tranship volume` and `tranship network` share: looking, choosing, making, removing several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import click

from backends.model.errors import BackendError, NotFound, Unreachable
from backends.model.ids import EngineId
from backends.model.stores import NetworkList, NetworkRow, StoreList, VolumeList, VolumeRow
from tui.cli.ask import agreed, check_can_ask
from tui.cli.exits import Exit, worst
from tui.cli.one_by_one import Subject, one_by_one
from tui.cli.options import only
from tui.cli.output import answer, complain, data, say
from tui.cli.pick import first_view, not_connected, one_engine, the_engine, unreachable
from tui.cli.session import Invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.stores import FleetStores

R = TypeVar("R", VolumeRow, NetworkRow)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """Volumes, or networks. word: what one is called; look: all of them; warning: what is lost with them."""

    word: str
    look: Callable[[Fleet, str | None], Awaitable[tuple[FleetStores, StoreList[R]]]]
    remove: Callable[[FleetStores, R], Awaitable[None]]
    warning: str = ""


async def volumes_of(fleet: Fleet, engine: str | None) -> tuple[FleetStores, VolumeList]:
    """All volumes; errors: also why engines do not answer. Raises Unreachable where the one named does not."""
    stores, silent = await _stores_of(fleet, engine)
    seen = await stores.volumes()
    return stores, replace(seen, errors=(*seen.errors, *silent))


async def networks_of(fleet: Fleet, engine: str | None) -> tuple[FleetStores, NetworkList]:
    """All networks, as volumes_of."""
    stores, silent = await _stores_of(fleet, engine)
    seen = await stores.networks()
    return stores, replace(seen, errors=(*seen.errors, *silent))


VOLUMES: Kind[VolumeRow] = Kind(
    "volume", volumes_of, lambda stores, row: stores.remove_volume(row), warning=" Their data is lost."
)
NETWORKS: Kind[NetworkRow] = Kind("network", networks_of, lambda stores, row: stores.remove_network(row))


async def _stores_of(fleet: Fleet, engine: str | None) -> tuple[FleetStores, tuple[BackendError, ...]]:
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


def make(
    invocation: Invocation,
    kind: Kind[R],
    name: str,
    engine: str | None,
    create: Callable[[FleetStores, EngineId], Awaitable[None]],
) -> None:
    """Make one on the engine, which must be named where several answer. Exits."""

    async def body(fleet: Fleet) -> Exit:
        target = await one_engine(fleet, engine)
        stores, _ = await _stores_of(fleet, engine)
        await create(stores, target)
        if invocation.json:
            answer(action=f"{kind.word}.create", engine=target.name, name=name, error=None)
        else:
            data(inert(f"{name} on {target}: created"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


def remove_named(invocation: Invocation, kind: Kind[R], names: Sequence[str], engine: str | None, *, yes: bool) -> None:
    """Ask, and remove those of these names. Exits."""
    check_can_ask(yes)

    async def body(fleet: Fleet) -> Exit:
        stores, seen = await kind.look(fleet, engine)
        found = [chosen(kind.word, seen.rows, name, engine, seen.errors) for name in names]
        each = list({row.key: row for row in found}.values())
        return await _remove_all(kind, stores, each, yes=yes, as_json=invocation.json)

    run(invocation, body, only=only(engine))


def prune(invocation: Invocation, kind: Kind[R], wanted: Callable[[R], bool], engine: str | None, *, yes: bool) -> None:
    """Ask, and remove those that nobody uses and that are wanted away. Exits."""
    check_can_ask(yes)

    async def body(fleet: Fleet) -> Exit:
        stores, seen = await kind.look(fleet, engine)
        found = [row for row in seen.rows if row.removable and wanted(row)]
        code = await _remove_all(kind, stores, found, yes=yes, as_json=invocation.json)
        return worst([code, told(seen.errors)])

    run(invocation, body, only=only(engine))


async def _remove_all(kind: Kind[R], stores: FleetStores, rows: Sequence[R], *, yes: bool, as_json: bool) -> Exit:
    """Ask, and remove one after the other; one that fails does not keep the rest."""
    if rows and not yes:
        named = ", ".join(f"{row.key.name} on {row.key.engine}" for row in rows)
        if not await agreed(f"Remove {named}?{kind.warning}"):
            say("nothing was removed")
            return Exit.FAILED

    def subject(row: R) -> Subject:
        plain = {"action": f"{kind.word}.remove", "engine": row.key.engine.name, "name": row.key.name}
        return Subject(f"{row.key.name} on {row.key.engine}", plain)

    code, _ = await one_by_one(rows, lambda row: kind.remove(stores, row), subject, "removed", as_json=as_json)
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


__all__ = [
    "NETWORKS",
    "VOLUMES",
    "Kind",
    "chosen",
    "make",
    "networks_of",
    "pairs",
    "prune",
    "remove_named",
    "told",
    "volumes_of",
]
