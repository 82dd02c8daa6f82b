"""Volumes and networks of a fleet, as they are listed: with their users, sizes and what could not be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from backends.model.errors import BackendError
from backends.model.ids import EngineId
from backends.model.network import Network
from backends.model.values import Count, Missing
from backends.model.workload import Volume

NOT_COUNTED = Missing("not counted yet")


@dataclass(frozen=True, slots=True, order=True)
class StoreKey:
    """One volume or network of one engine, by its name."""

    engine: EngineId
    name: str


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A volume of a fleet. users: names of the containers that have it mounted."""

    key: StoreKey
    volume: Volume
    users: tuple[str, ...] = ()
    size_bytes: Count = NOT_COUNTED

    @property
    def removable(self) -> bool:
        """Nobody uses it, as far as all of it could be read."""
        return not self.users and not self.volume.why

    @property
    def created_at(self) -> datetime | None:
        """When it was made."""
        return self.volume.created_at


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """A network of a fleet. users: names of the containers that are on it."""

    key: StoreKey
    network: Network
    users: tuple[str, ...] = ()

    @property
    def removable(self) -> bool:
        """Nobody uses it, and it is not the engine's own."""
        return not self.users and not self.network.default and not self.network.why

    @property
    def created_at(self) -> datetime | None:
        """When it was made."""
        return self.network.created_at


R = TypeVar("R", VolumeRow, NetworkRow)


@dataclass(frozen=True, slots=True)
class StoreList(Generic[R]):
    """The volumes, or the networks, of the engines that answered. errors: of those that did not."""

    rows: tuple[R, ...] = ()
    errors: tuple[BackendError, ...] = ()


VolumeList: TypeAlias = StoreList[VolumeRow]
NetworkList: TypeAlias = StoreList[NetworkRow]


__all__ = ["NOT_COUNTED", "NetworkList", "NetworkRow", "StoreKey", "StoreList", "VolumeList", "VolumeRow"]
