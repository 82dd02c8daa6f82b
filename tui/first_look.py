"""The fleet at first sight: its engines, and the containers of those on this machine. Keeps no connection."""

from __future__ import annotations

from collections.abc import Sequence

from backends.engines.discover import Found
from backends.engines.glance import glance
from backends.model.errors import Unreachable
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.services.changes import ContainersListed, EngineAdded
from backends.services.store import Store


async def first_look(found: Sequence[Found], *, serving: bool) -> FleetView:
    """Engines connecting, or absent with their reason; the containers of those that answered at once.

    serving: a Podman service of our own is started where there is none, so that engine is not absent yet.
    """
    store = Store()
    for one in found:
        there = one.endpoint is not None or (serving and one.startable)
        absent = ConnectionState(Link.ABSENT, Unreachable(one.absent, hint=one.hint, engine=one.id))
        link = ConnectionState(Link.CONNECTING) if there else absent
        store.apply(EngineAdded(EngineView(one.id, link, endpoint=str(one.endpoint or ""))))
    for engine, containers in (await glance(found)).items():
        store.apply(ContainersListed(engine, containers))
    return store.view


__all__ = ["first_look"]
