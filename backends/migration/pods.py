"""A pod's containers as containers that share the namespaces of one of them, which any engine can say. Pure.

Docker has no pods, and a pod of Podman is an infra container that holds namespaces, ports and networks and does nothing
else. The first of the others takes its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backends.model.plan import FieldPlan, Finding, Severity, Verdict
from backends.model.settings import NamespaceSpec, NetworkingSpec
from backends.model.workload import WorkloadSpec

POD = "Pod"
"""Where Podman's inspect says the pod, and so a recipe's unmapped field."""

_SHARED = "container:"
_SPACES = ("ipc", "pid", "uts", "cgroup", "user")


def unfold(specs: Mapping[str, WorkloadSpec], infra: WorkloadSpec, lead: str) -> dict[str, WorkloadSpec]:
    """The recipes of a pod's containers, by name, without the pod. infra: of the infra container; lead: who takes its
    part, one of the names.
    """
    return {name: _lead(spec, infra) if name == lead else _other(spec, infra, lead) for name, spec in specs.items()}


def _without_pod(spec: WorkloadSpec) -> WorkloadSpec:
    return replace(spec, unmapped=tuple(entry for entry in spec.unmapped if entry.path != POD))


def _lead(spec: WorkloadSpec, infra: WorkloadSpec) -> WorkloadSpec:
    """What the infra container held, it holds itself."""
    held = f"{_SHARED}{infra.name}"
    own = spec.namespaces
    shared: dict[str, Any] = {name: getattr(infra.namespaces, name) for name in _SPACES if getattr(own, name) == held}
    if "ipc" in shared:
        shared["ipc"] = "shareable"
    namespaces = replace(own, **shared)
    if "ipc" in shared:
        namespaces = replace(namespaces, shm_bytes=infra.namespaces.shm_bytes)
    plain = replace(_without_pod(spec), namespaces=namespaces)
    if spec.network.mode == held:
        published = {(port.container_port, port.protocol) for port in infra.ports}
        exposed = tuple(port for port in spec.ports if (port.container_port, port.protocol) not in published)
        plain = replace(plain, network=infra.network, ports=(*infra.ports, *exposed))
    return replace(plain, hostname=infra.hostname or spec.hostname)


def _other(spec: WorkloadSpec, infra: WorkloadSpec, lead: str) -> WorkloadSpec:
    """It joins the lead where it joined the infra container."""
    held, joined = f"{_SHARED}{infra.name}", f"{_SHARED}{lead}"
    own = spec.namespaces
    shared: dict[str, Any] = {name: joined for name in _SPACES if getattr(own, name) == held}
    # Who shares the network shares the host name's file too, and Docker knows no shared UTS namespace.
    shared |= {"uts": ""} if "uts" in shared else {}
    namespaces: NamespaceSpec = replace(own, **shared)
    plain = replace(_without_pod(spec), namespaces=namespaces)
    if spec.network.mode != held:
        return plain
    return replace(plain, network=NetworkingSpec(mode=joined), ports=(), hostname=None)


def said(pod: str, name: str, lead: str, target: str) -> tuple[FieldPlan, Finding]:
    """What the plan of a pod's container says of the pod."""
    if name == lead:
        becomes, what = "the namespaces are its own", f"{name} takes the part of the pod's infra container"
    else:
        becomes, what = f"shares the namespaces of {lead}", f"{name} joins {lead}, as it joined the pod"
    reason = "a pod becomes containers that share the namespaces of the first"
    detail = f"On {target} they are containers of their own: {lead} holds ports and networks."
    return FieldPlan("pod", Verdict.CONVERTED, pod, becomes, reason), Finding(Severity.NOTE, what, detail)
