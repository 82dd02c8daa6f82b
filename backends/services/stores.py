"""The volumes and networks of all engines: looked at, made, removed. Reads no file of a volume.

What changes them is an operation of the fleet: in the store and in the audit log. Raises the errors of the engines;
Refused too where one is in flight, or all is read-only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from backends.engine import Engine
from backends.model.errors import BackendError, Conflict
from backends.model.ids import ContainerKey, EngineId
from backends.model.network import NetworkSpec
from backends.model.stores import NetworkList, NetworkRow, StoreKey, StoreList, VolumeList, VolumeRow
from backends.model.values import Missing
from backends.model.workload import VolumeSpec
from backends.services.fleet import Fleet
from backends.services.store_looks import all_asked


def operation_key(kind: str, key: StoreKey) -> ContainerKey:
    """Under what an operation on a volume or network stands in the store. kind: "volume" or "network"."""
    return ContainerKey(key.engine, f"{kind}:{key.name}")


class FleetStores:
    """The volumes and networks of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    # -- looking ---------------------------------------------------------------------------------
    async def volumes(self) -> VolumeList:
        """All volumes of the engines that answer now, by name, without their sizes."""
        rows, errors = await all_asked(self._fleet, _volumes_of)
        return StoreList(tuple(sorted(rows, key=lambda row: (row.volume.anonymous, row.key.name, row.key))), errors)

    async def sized(self, seen: VolumeList) -> VolumeList:
        """The same with sizes, which the engines may take long to add up; why one does not tell stands in its place."""
        engines = sorted({row.key.engine for row in seen.rows})
        answers = await asyncio.gather(*(self._sizes(engine) for engine in engines))
        told = dict(zip(engines, answers, strict=True))
        rows = []
        for row in seen.rows:
            sizes = told[row.key.engine]
            size = sizes if isinstance(sizes, Missing) else sizes.get(row.key.name, Missing("the engine does not tell"))
            rows.append(replace(row, size_bytes=size))
        return replace(seen, rows=tuple(rows))

    async def _sizes(self, engine: EngineId) -> dict[str, int] | Missing:
        try:
            return dict(await self._fleet.engine(engine).volume_sizes())
        except BackendError as error:
            return Missing(error.title)

    async def networks(self) -> NetworkList:
        """All networks of the engines that answer now, by name, the engines' own last."""
        rows, errors = await all_asked(self._fleet, _networks_of)
        return StoreList(tuple(sorted(rows, key=lambda row: (row.network.default, row.key.name, row.key))), errors)

    # -- doing -----------------------------------------------------------------------------------
    async def create_volume(self, engine: EngineId, spec: VolumeSpec) -> None:
        """Make an empty volume."""
        key = StoreKey(engine, spec.name)
        await self._do("volume", "create", key, lambda reached: reached.create_volume(spec), "created")

    async def remove_volume(self, row: VolumeRow) -> None:
        """Remove it with all that is in it. Conflict where a container has it mounted."""
        if row.users:
            raise Conflict(_used("volume", row), hint="remove these containers first", engine=row.key.engine)
        name = row.key.name
        await self._do("volume", "remove", row.key, lambda reached: reached.remove_volume(name), "removed")

    async def create_network(self, engine: EngineId, spec: NetworkSpec) -> None:
        """Make a network."""
        key = StoreKey(engine, spec.name)
        await self._do("network", "create", key, lambda reached: reached.create_network(spec), "created")

    async def remove_network(self, row: NetworkRow) -> None:
        """Remove it. Conflict where a container is on it, or it is the engine's own."""
        if row.network.default:
            raise Conflict(f"{row.key.name} is the engine's own network, and stays", engine=row.key.engine)
        if row.users:
            raise Conflict(_used("network", row), hint="remove these containers first", engine=row.key.engine)
        name = row.key.name
        await self._do("network", "remove", row.key, lambda reached: reached.remove_network(name), "removed")

    async def _do(
        self, kind: str, verb: str, key: StoreKey, call: Callable[[Engine], Awaitable[None]], result: str
    ) -> None:
        with self._fleet.operations.track(f"{kind}.{verb}", operation_key(kind, key), key.name) as tracked:
            tracked.note(object={"kind": kind, "name": key.name})
            await call(self._fleet.engine(key.engine))
            tracked.done(f"{kind} {key.name} {result}")


async def _volumes_of(engine: Engine) -> list[VolumeRow]:
    volumes, users = await asyncio.gather(engine.list_volumes(), engine.volume_users())
    return [VolumeRow(StoreKey(engine.id, one.name), one, users.get(one.name, ())) for one in volumes]


async def _networks_of(engine: Engine) -> list[NetworkRow]:
    networks, containers = await asyncio.gather(engine.list_networks(), engine.list_containers())
    users: dict[str, set[str]] = {}
    for row in containers:
        for name in row.networks:
            users.setdefault(name, set()).add(row.name)
    return [
        NetworkRow(StoreKey(engine.id, one.spec.name), one, tuple(sorted(users.get(one.spec.name, ()))))
        for one in networks
    ]


def _used(kind: str, row: VolumeRow | NetworkRow, most: int = 3) -> str:
    rest = len(row.users) - most
    names = ", ".join(row.users[:most]) + (f" and {rest} more" if rest > 0 else "")
    return f"the {kind} {row.key.name} is used by {names}"


__all__ = ["FleetStores", "operation_key"]
