"""In which order the containers of a project are moved: what others need comes first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from backends.model.container import Container
from backends.model.errors import Conflict
from backends.model.workload import WorkloadSpec

DEPENDS_ON = "com.docker.compose.depends_on"
"""Docker Compose's label: "db:service_healthy:true,cache:service_started:false". Source: compose pkg/api/labels.go."""

_SERVICES = ("com.docker.compose.service", "io.podman.compose.service")


def members(containers: Iterable[Container], project: str) -> list[Container]:
    """The containers of a Compose project, by name."""
    return sorted((one for one in containers if project and one.project == project), key=lambda one: one.name)


def service_of(labels: Mapping[str, str]) -> str:
    """The Compose service that a container is of, "" where it is of none."""
    return next((labels[label] for label in _SERVICES if labels.get(label)), "")


def _named(spec: WorkloadSpec) -> set[str]:
    """Containers that this one's configuration names: namespaces that it joins, links."""
    spaces = spec.namespaces
    modes = (spec.network.mode, spaces.ipc, spaces.pid, spaces.uts, spaces.cgroup, spaces.user)
    joined = {mode.removeprefix("container:") for mode in modes if mode.startswith("container:")}
    return joined | {link.partition(":")[0].removeprefix("/") for link in spec.network.links}


def needs(specs: Mapping[str, WorkloadSpec]) -> dict[str, frozenset[str]]:
    """Per container name, the names of those (among these) that it needs.

    Compose says services: every container of a service that is needed counts.
    """
    by_service: dict[str, set[str]] = {}
    for name, spec in specs.items():
        by_service.setdefault(service_of(spec.labels), set()).add(name)
    by_service.pop("", None)
    found: dict[str, frozenset[str]] = {}
    for name, spec in specs.items():
        wanted = _named(spec) & specs.keys()
        for part in spec.labels.get(DEPENDS_ON, "").split(","):
            wanted |= by_service.get(part.partition(":")[0].strip(), set())
        found[name] = frozenset(wanted - {name})
    return found


def in_order(specs: Mapping[str, WorkloadSpec]) -> tuple[str, ...]:
    """Names, what others need first; the same for the same input. Raises Conflict where they form a ring."""
    sorter = TopologicalSorter({name: needed for name, needed in sorted(needs(specs).items())})
    try:
        sorter.prepare()
    except CycleError as error:
        ring = " → ".join(str(name) for name in error.args[1])
        raise Conflict("containers of the project need each other in a ring", detail=ring) from error
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)
