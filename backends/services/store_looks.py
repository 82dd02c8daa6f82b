"""Looks at what engines store: when images, volumes or networks are worth another look; all engines asked at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from backends.engine import Engine
from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from backends.model.events import EventKind
from backends.model.fleet import FleetView
from backends.services.fleet import Fleet

SETTLE_S = 0.3
"""After a look, before the next: a build or a pull tells of dozens of changes within a second."""

RETRY_S = 2.0
"""Before an engine whose events ended is asked for them again."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def all_asked(
    fleet: Fleet, ask: Callable[[Engine], Awaitable[Sequence[T]]]
) -> tuple[list[T], tuple[BackendError, ...]]:
    """What the engines with stores that answer now say, one after the other; and the errors of the others."""
    view = fleet.store.view
    engines = [engine for engine in fleet.engines if view.engines[engine.id].offers(Capability.STORES)]
    answers = await asyncio.gather(*(ask(engine) for engine in engines), return_exceptions=True)
    told: list[T] = []
    errors: list[BackendError] = []
    for answer in answers:
        if isinstance(answer, BackendError):
            errors.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            told += answer
    return told, tuple(errors)


async def changes(
    fleet: Fleet, kind: EventKind, *, settle_s: float = SETTLE_S, retry_s: float = RETRY_S
) -> AsyncGenerator[None, None]:
    """Now, and whenever what events of this kind tell of, or who uses it, may have changed.

    Never ends by itself; close it.
    """
    changed = asyncio.Event()
    changed.set()
    seen: object = None
    last: FleetView | None = None

    def look_over(view: FleetView) -> None:
        """Engines may have come or gone, or other containers may use other things."""
        nonlocal seen, last
        if last is not None and view.containers is last.containers and view.engines is last.engines:
            return
        last = view
        links = frozenset((id, engine.connection.link) for id, engine in view.engines.items())
        now = (links, frozenset((key, row.name, row.image_id, row.networks) for key, row in view.containers.items()))
        if now != seen:
            seen = now
            changed.set()

    look_over(fleet.store.view)
    unsubscribe = fleet.store.subscribe(look_over)
    listeners = [
        asyncio.create_task(_listen(engine, kind, changed, retry_s), name=f"{kind} events of {engine.id}")
        for engine in fleet.engines
    ]
    try:
        while True:
            await changed.wait()
            changed.clear()
            yield
            await asyncio.sleep(settle_s)
    finally:
        unsubscribe()
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)


async def _listen(engine: Engine, kind: EventKind, changed: asyncio.Event, retry_s: float) -> None:
    while True:
        try:
            async with engine.subscribe() as events:
                changed.set()  # what happened while nobody listened
                async for event in events:
                    if event.kind is kind or event.why:
                        changed.set()
        except BackendError as error:  # the engine is lost: its supervisor says so
            _log.info("no events of %ss: %s", kind.value, error)
        await asyncio.sleep(retry_s)


__all__ = ["RETRY_S", "SETTLE_S", "all_asked", "changes"]
