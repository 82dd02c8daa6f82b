"""From the words of a command line to engines and containers of the view. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.model.errors import BackendError, NotFound, Refused, Unreachable
from backends.model.events import Link
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId
from backends.model.wish import GpuWish, WishKind
from tui.cli.session import READY_TIMEOUT_S
from tui.config import nearest
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.store import Store


GPU_TIMEOUT_S = 5.0
"""The driver may take seconds to wake up a GPU that nobody uses."""


async def first_view(fleet: Fleet) -> FleetView:
    """The view once every engine was listed, or failed to answer."""
    await fleet.ready(READY_TIMEOUT_S)
    return fleet.store.view


async def view_where(store: Store, wanted: Callable[[FleetView], bool], timeout_s: float) -> FleetView:
    """The first view that is as wanted; the last one seen where none is within the time."""
    changed = asyncio.Event()
    unsubscribe = store.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(timeout_s):
            while not wanted(store.view):
                changed.clear()
                await changed.wait()
    except TimeoutError:
        pass  # what there is by now is the answer
    finally:
        unsubscribe()
    return store.view


async def gpus_for(fleet: Fleet, wish: GpuWish) -> GpuSnapshot:
    """This machine's GPUs, where a wish needs to know them; empty where the driver does not answer in time."""
    if wish.keeps or wish.kind is WishKind.NONE:
        return GpuSnapshot()
    looked = await view_where(fleet.store, lambda view: bool(view.gpus.readings or view.gpus.absent), GPU_TIMEOUT_S)
    return looked.gpus


def unreachable(view: FleetView) -> list[BackendError]:
    """Why engines do not answer. Those that are merely not installed count only where no engine answers at all.

    One whose address somebody wrote wrongly (Refused) is missed.
    """
    engines = list(view.engines.values())
    lost = [
        engine
        for engine in engines
        if engine.connection.link not in {Link.CONNECTED, Link.ABSENT} or isinstance(engine.connection.error, Refused)
    ]
    if not lost and all(engine.stale for engine in engines):
        lost = engines
    return [not_connected(engine) for engine in lost]


def not_connected(engine: EngineView) -> Unreachable:
    """The error of an engine without a connection, in its own words."""
    cause = engine.connection.error
    if cause is None:
        return Unreachable("does not answer", detail=engine.endpoint, engine=engine.id)
    return Unreachable(cause.title, detail=cause.detail, hint=cause.hint, engine=engine.id)


def the_engine(view: FleetView, name: str) -> EngineView:
    """The engine of this name, connected. Raises Unreachable where it is not, click.UsageError where there is none."""
    for engine in view.engines.values():
        if engine.id.name == name:
            if engine.stale:
                raise not_connected(engine)
            return engine
    raise click.UsageError(inert(f"no engine is called “{name}”; there are: {', '.join(engine_names(view))}"))


def engine_names(view: FleetView) -> list[str]:
    """All names of the fleet, sorted."""
    return sorted(engine.name for engine in view.engines)


def the_container(view: FleetView, word: str, engine: str | None = None, *, option: str = "--engine") -> Container:
    """The container of this name, or whose id begins so. option: the one that names the engine.

    Raises click.UsageError where several fit, NotFound where none does, and Unreachable where none does
    and an engine that may have it does not answer.
    """
    if not word:
        raise click.UsageError("a container's name is empty")  # as of an unset variable: no beginning of any id
    if engine is not None:
        the_engine(view, engine)
    candidates = [row for row in view.containers.values() if engine is None or row.key.engine.name == engine]
    found = [row for row in candidates if row.name == word] or [
        row for row in candidates if row.key.id.startswith(word)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(inert(_several(word, found, option)))
    where = ", ".join(sorted(view.id.name for view in view.engines.values() if not view.stale)) or "no engine"
    silent = unreachable(view)
    if silent:
        raise Unreachable(
            f"no container “{word}” on {where}, and not all engines answer",
            detail="; ".join(str(error) for error in silent),
            hint=silent[0].hint,
        )
    meant = nearest(word, [row.name for row in candidates])
    hint = f"did you mean “{meant}”? " if meant else ""
    raise NotFound(f"no container “{word}” on {where}", hint=f"{hint}`tranship ps` lists all")


def _several(word: str, found: list[Container], option: str) -> str:
    engines = sorted({row.key.engine.name for row in found})
    if len(engines) > 1:
        return f"“{word}” is on {' and on '.join(engines)}: say which with {option}"
    names = ", ".join(sorted(f"{row.name} ({row.key.short})" for row in found))
    return f"“{word}” fits several containers of {engines[0]}: {names}"


async def one_engine(fleet: Fleet, name: str | None, *, option: str = "--engine") -> EngineId:
    """The engine of this name, or the only one that answers and has images of its own. option: that names it.

    Raises click.UsageError where several do.
    """
    view = await first_view(fleet)
    if name is not None:
        return the_engine(view, name).id
    connected = sorted(known.id.name for known in view.engines.values() if known.offers(Capability.STORES))
    if len(connected) > 1:
        raise click.UsageError(inert(f"say on which engine with {option}: {', '.join(connected)}"))
    if not connected:
        known = next(iter(view.engines.values()), None)
        raise not_connected(known) if known else NotFound("there is no engine")
    return the_engine(view, connected[0]).id
