"""Everything that can change the view of the fleet, as frozen facts. Knows nothing of who applies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from backends.model.capabilities import EngineInfo
from backends.model.container import Container, StatsReading
from backends.model.events import ConnectionState, OperationUpdate
from backends.model.fleet import EngineView
from backends.model.gpu import GpuSnapshot, GpuTrace, GpuUse
from backends.model.ids import ContainerKey, EngineId


@dataclass(frozen=True, slots=True)
class EngineAdded:
    """An engine joins the fleet, connected or not."""

    view: EngineView


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The connection to an engine changed. info: what it says of itself, None = as said before."""

    engine: EngineId
    connection: ConnectionState
    info: EngineInfo | None = None


@dataclass(frozen=True, slots=True)
class ContainersListed:
    """All containers of one engine, at one moment: what is not named here is gone."""

    engine: EngineId
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """One container, freshly read."""

    container: Container


@dataclass(frozen=True, slots=True)
class ContainerGone:
    """One container is there no longer."""

    key: ContainerKey


@dataclass(frozen=True, slots=True)
class StatsSampled:
    """Readings of some containers of one engine; those not named keep their last one."""

    engine: EngineId
    readings: Mapping[ContainerKey, StatsReading]


@dataclass(frozen=True, slots=True)
class GpusSampled:
    """All GPUs at one moment, and what each container takes of them (those not named take nothing).

    traces: what each device did lately, by uuid; None = as known before.
    """

    snapshot: GpuSnapshot
    use: Mapping[ContainerKey, GpuUse]
    traces: Mapping[str, GpuTrace] | None = None


@dataclass(frozen=True, slots=True)
class OperationChanged:
    """An operation began, went on, or ended."""

    update: OperationUpdate


Change: TypeAlias = (
    EngineAdded
    | LinkChanged
    | ContainersListed
    | ContainerSeen
    | ContainerGone
    | StatsSampled
    | GpusSampled
    | OperationChanged
)
"""One step from a view of the fleet to the next."""
