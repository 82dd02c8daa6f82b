"""Says anew what images there are whenever that may have changed: events of the engines and changes of containers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from backends.engine import Engine
from backends.model.errors import BackendError
from backends.model.events import EventKind
from backends.model.fleet import FleetView
from backends.model.image_sharing import ImageList
from backends.services.fleet import Fleet
from backends.services.images import FleetImages

SETTLE_S = 0.3
"""After a look, before the next: a build or a pull tells of dozens of changes within a second."""

RETRY_S = 2.0
"""Before an engine whose events ended is asked for them again."""

_log = logging.getLogger(__name__)


async def watched(
    fleet: Fleet, images: FleetImages, *, settle_s: float = SETTLE_S, retry_s: float = RETRY_S
) -> AsyncGenerator[ImageList, None]:
    """The images now, and again after each change. Never ends by itself; close it."""
    changed = asyncio.Event()
    changed.set()
    seen: object = None
    last: FleetView | None = None

    def look_over(view: FleetView) -> None:
        """Whether engines came or went, or other containers use other images."""
        nonlocal seen, last
        if last is not None and view.containers is last.containers and view.engines is last.engines:
            return
        last = view
        links = frozenset((id, engine.connection.link) for id, engine in view.engines.items())
        now = (links, frozenset((key, row.name, row.image_id) for key, row in view.containers.items()))
        if now != seen:
            seen = now
            changed.set()

    look_over(fleet.store.view)
    unsubscribe = fleet.store.subscribe(look_over)
    listeners = [
        asyncio.create_task(_listen(engine, changed, retry_s), name=f"image events of {engine.id}")
        for engine in fleet.engines
    ]
    try:
        while True:
            await changed.wait()
            changed.clear()
            yield await images.look()
            await asyncio.sleep(settle_s)
    finally:
        unsubscribe()
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)


async def _listen(engine: Engine, changed: asyncio.Event, retry_s: float) -> None:
    while True:
        try:
            async with engine.subscribe() as events:
                changed.set()  # what happened while nobody listened
                async for event in events:
                    if event.kind is EventKind.IMAGE:
                        changed.set()
        except BackendError as error:  # the engine is lost: its supervisor says so
            _log.info("no events of images: %s", error)
        await asyncio.sleep(retry_s)


__all__ = ["watched"]
