"""Which way each engine's containers are read: pure, from the view of the fleet. May not read anything itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from backends.model.capabilities import Capability, EngineInfo
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing

ROOTLESS_V1 = Missing("rootless on cgroup v1 has no cgroup")


class Route(Enum):
    """How an engine's containers are read."""

    CGROUPS = auto()  # from this machine's cgroup files
    API = auto()  # from the engine's stats stream
    NOWHERE = auto()  # not at all, for a reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The route of one engine, its living containers, and the reason where the route is NOWHERE."""

    route: Route
    alive: frozenset[ContainerKey]
    reason: Missing = ROOTLESS_V1


def plan_routes(view: FleetView, elsewhere: Collection[EngineId] = ()) -> Mapping[EngineId, Plan]:
    """The plan of every connected engine. elsewhere: those whose containers turned out not to run on this machine."""
    alive: dict[EngineId, set[ContainerKey]] = {}
    for key, container in view.containers.items():
        if container.state.alive:
            alive.setdefault(key.engine, set()).add(key)
    return {
        id: _plan(engine.info, frozenset(alive.get(id, ())), id in elsewhere)
        for id, engine in view.engines.items()
        if engine.info is not None and not engine.stale
    }


def streamed(
    engine: EngineView, alive: frozenset[ContainerKey], watched: Collection[ContainerKey]
) -> frozenset[ContainerKey]:
    """Those to stream over the API: Podman has one stream for all; Docker needs one for each, so only those watched.

    200 streams cost a Docker daemon 40 % of a core.
    """
    return alive if engine.id.kind is not EngineKind.DOCKER else alive.intersection(watched)


def _plan(info: EngineInfo, alive: frozenset[ContainerKey], elsewhere: bool) -> Plan:
    if info.local and info.rootless and info.cgroup_version == "1":
        return Plan(Route.NOWHERE, alive)
    if info.local and not elsewhere:
        return Plan(Route.CGROUPS, alive)
    if not info.capabilities.can(Capability.STATS_API):
        return Plan(Route.NOWHERE, alive, Missing(info.capabilities.why_not(Capability.STATS_API)))
    return Plan(Route.API, alive)
