"""The immutable view of everything that a screen draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import Container, StatsReading
from backends.model.events import ConnectionState, Link, OperationUpdate
from backends.model.gpu import GpuSnapshot, GpuTrace, GpuUse
from backends.model.ids import ContainerKey, EngineId

_EMPTY: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EngineView:
    """One engine: its link, and what it said of itself when last connected (None before)."""

    id: EngineId
    connection: ConnectionState
    info: EngineInfo | None = None
    endpoint: str = ""

    @property
    def stale(self) -> bool:
        """It does not answer now: nothing can be asked of it."""
        return self.connection.link is not Link.CONNECTED

    @property
    def outlived(self) -> bool:
        """Its rows are the last known ones, not the present. While connecting first, they were just listed."""
        return self.connection.link in (Link.LOST, Link.ABSENT)

    def offers(self, capability: Capability) -> bool:
        """It answers now, and can do that."""
        return not self.stale and (self.info is None or self.info.capabilities.can(capability))


@dataclass(frozen=True, slots=True)
class FleetView:
    """Everything at one moment. version grows with each change; two views of one version are equal.

    stats, gpu_use: per container, absent where none was sampled. operations: those in flight, by container.
    gpu_traces: what each device did lately, by its uuid.
    """

    version: int = 0
    engines: Mapping[EngineId, EngineView] = field(default_factory=lambda: _EMPTY)
    containers: Mapping[ContainerKey, Container] = field(default_factory=lambda: _EMPTY)
    stats: Mapping[ContainerKey, StatsReading] = field(default_factory=lambda: _EMPTY)
    gpu_use: Mapping[ContainerKey, GpuUse] = field(default_factory=lambda: _EMPTY)
    gpus: GpuSnapshot = field(default_factory=GpuSnapshot)
    gpu_traces: Mapping[str, GpuTrace] = field(default_factory=lambda: _EMPTY)
    operations: Mapping[ContainerKey, OperationUpdate] = field(default_factory=lambda: _EMPTY)

    def offering(self, capability: Capability) -> list[EngineId]:
        """The engines that answer now and can do that, sorted."""
        return sorted(id for id, engine in self.engines.items() if engine.offers(capability))
