"""Containers read as what an export is made of, and exports by their target. Changes nothing; writes no file."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import cast

from backends.engine import Engine
from backends.export.exported import Exported, Member
from backends.migration.order import in_order, needs
from backends.migration.pods import unfold
from backends.model.container import Container, MountKind
from backends.model.errors import NotFound
from backends.model.ids import ContainerKey, EngineId
from backends.model.image import ImageFacts
from backends.model.workload import VolumeSpec, WorkloadSpec
from backends.services.fleet import Fleet

_POD_NOTE = "io.kubernetes.cri-o.SandboxID"
"""Source: podman, pkg/specgen/generate/kube and libpod/container_internal.go."""


class Target(StrEnum):
    """What an export is for."""

    RUN = "run"
    QUADLET = "quadlet"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"


async def read_members(fleet: Fleet, containers: Sequence[Container]) -> tuple[Member, ...]:
    """What each container is made of, in the order of their needs; pods as containers that name their pod.

    Raises what an engine raises: Unreachable, NotFound.
    """
    by_engine: dict[EngineId, list[Container]] = {}
    for one in containers:
        if not one.infra:
            by_engine.setdefault(one.key.engine, []).append(one)
    if not by_engine:
        raise NotFound("there is no container to export", hint="name one, or a project, that has containers")
    read = await asyncio.gather(*(members_of(fleet.engine(id), rows) for id, rows in by_engine.items()))
    return tuple(member for members in read for member in members)


async def members_of(engine: Engine, rows: Sequence[Container]) -> list[Member]:
    """The same for containers of one engine, none of which is a pod's infra container."""
    recipes = await asyncio.gather(*(engine.workload_spec(row.key.id) for row in rows))
    specs = {row.key: spec for row, spec in zip(rows, recipes, strict=True)}
    pods = dict.fromkeys(row.pod for row in rows if row.pod)
    everyone = await engine.list_containers() if pods else []
    for pod in pods:
        infra = next((one for one in everyone if one.infra and one.pod == pod), None)
        if infra is not None:
            specs |= await _unfolded(engine, infra, {row.key: specs[row.key] for row in rows if row.pod == pod})
    networks = {network.spec.name: network.spec for network in await engine.list_networks() if not network.default}
    order = {spec.name: spec for spec in specs.values()}
    needed = needs(order)
    members = {}
    for row in rows:
        spec = specs[row.key]
        members[spec.name] = Member(
            spec=spec,
            kind=engine.id.kind,
            volumes=await _volumes(engine, spec),
            networks=tuple(networks[end.network] for end in spec.network.networks if end.network in networks),
            image=await _image(engine, spec),
            project=row.project,
            pod=row.pod,
            needs=tuple(sorted(needed[spec.name])),
        )
    return [members[name] for name in in_order(order)]


async def _unfolded(
    engine: Engine, infra: Container, specs: dict[ContainerKey, WorkloadSpec]
) -> dict[ContainerKey, WorkloadSpec]:
    """A pod's recipes, the first of them with the pod's ports and networks."""
    keys = {spec.name: key for key, spec in specs.items()}
    by_name = {spec.name: spec for spec in specs.values()}
    lead = in_order(by_name)[0]
    plain = unfold(by_name, await engine.workload_spec(infra.key.id), lead)
    return {keys[name]: _without_pods_own(spec) for name, spec in plain.items()}


def _without_pods_own(spec: WorkloadSpec) -> WorkloadSpec:
    """Without what Podman gave the container for this pod: its cgroup, and a note with the pod's id."""
    notes = {key: value for key, value in spec.process.annotations.items() if key != _POD_NOTE}
    resources = replace(spec.resources, cgroup_parent="")
    return replace(spec, process=replace(spec.process, annotations=notes), resources=resources)


async def _volumes(engine: Engine, spec: WorkloadSpec) -> tuple[VolumeSpec, ...]:
    names = sorted({one.source for one in spec.mounts if one.kind is MountKind.VOLUME and not one.anonymous})
    found = await asyncio.gather(*(engine.inspect_volume(name) for name in names if name))
    return tuple(VolumeSpec(one.name, one.labels, one.driver_options) for one in found)


async def _image(engine: Engine, spec: WorkloadSpec) -> ImageFacts | None:
    try:
        return await engine.image_facts(spec.image_id or spec.image)
    except NotFound:
        return None  # a container outlives its image's name, and its recipe is told all the same


def export(target: Target, members: Sequence[Member], **options: object) -> Exported:
    """The files of a target. options: the target's own (`Scope` of Quadlet, `Workload` of Kubernetes)."""
    module, name = _MAKERS[target]
    make = cast("Callable[..., Exported]", getattr(importlib.import_module(module), name))
    return make(members, **options)


_MAKERS = {
    Target.RUN: ("backends.export.run_lines", "run_lines"),
    Target.QUADLET: ("backends.export.quadlet", "quadlet"),
    Target.COMPOSE: ("backends.export.compose", "compose"),
    Target.KUBERNETES: ("backends.export.kubernetes", "kubernetes"),
}
"""The function that makes a target's files, imported when it is asked for."""


__all__ = ["Target", "export", "members_of", "read_members"]
