"""What a person asked for about volumes, networks and files, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.events import EventKind
from backends.model.ids import EngineId
from backends.model.network import NetworkSpec
from backends.model.stores import NetworkRow, StoreKey, VolumeRow
from backends.model.values import Missing
from backends.model.workload import VolumeSpec
from tui.messages import NetworksSeen, VolumesSeen
from tui.telling import told
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


class StoreCommands:
    """Starts workers on behalf of the screens. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    # -- looking ---------------------------------------------------------------------------------
    def follow_volumes(self, reply: Reply) -> Worker[None]:
        """Tell what volumes there are, now and after each change (VolumesSeen), until the worker is cancelled."""
        return self._work(partial(self._volumes, reply), name="look at volumes", group="stores", exclusive=True)

    async def _volumes(self, reply: Reply) -> None:
        from backends.services.store_looks import changes
        from backends.services.stores import FleetStores

        fleet = self._fleet()
        stores = FleetStores(fleet)
        sizes: dict[StoreKey, int | Missing] = {}
        async with aclosing(changes(fleet, EventKind.VOLUME)) as times:
            async for _ in times:
                seen = await stores.volumes()
                reply(VolumesSeen(seen, sizes))
                if {row.key for row in seen.rows} - sizes.keys():
                    sizes = {row.key: row.size_bytes for row in (await stores.sized(seen)).rows}
                    reply(VolumesSeen(seen, sizes))

    def follow_networks(self, reply: Reply) -> Worker[None]:
        """The same for networks: NetworksSeen."""
        return self._work(partial(self._networks, reply), name="look at networks", group="stores", exclusive=True)

    async def _networks(self, reply: Reply) -> None:
        from backends.services.store_looks import changes
        from backends.services.stores import FleetStores

        fleet = self._fleet()
        async with aclosing(changes(fleet, EventKind.NETWORK)) as times:
            async for _ in times:
                reply(NetworksSeen(await FleetStores(fleet).networks()))

    # -- doing -----------------------------------------------------------------------------------
    def remove(self, rows: Sequence[VolumeRow | NetworkRow]) -> None:
        """Remove them one after the other; one that fails does not keep the rest."""

        async def each() -> None:
            from backends.services.stores import FleetStores

            stores = FleetStores(self._fleet())
            for row in rows:
                call = stores.remove_volume(row) if isinstance(row, VolumeRow) else stores.remove_network(row)
                await told(self._fleet().operations, call)

        self._work(each, name="remove volumes or networks", group="store-changes")

    def create(self, engine: EngineId, spec: VolumeSpec | NetworkSpec) -> None:
        """Make one."""

        async def do() -> None:
            from backends.services.stores import FleetStores

            stores = FleetStores(self._fleet())
            if isinstance(spec, VolumeSpec):
                await told(self._fleet().operations, stores.create_volume(engine, spec))
            else:
                await told(self._fleet().operations, stores.create_network(engine, spec))

        self._work(do, name=f"create {spec.name}", group="store-changes")


__all__ = ["StoreCommands"]
