"""GPU requests in the form that the target understands: as the source has them, or as they were chosen anew.

Pure; may not ask an engine or a driver.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backends.giving import Refusal, give, words
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import NO_LABELS
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import FieldPlan, Verdict
from backends.model.settings import DeviceSpec
from backends.model.wish import GpuWish, wish_words
from backends.model.workload import NVIDIA_CDI_KIND, GpuRequest, WorkloadSpec

PLAIN = frozenset({(), (("gpu",),)})
"""DeviceRequests capabilities that ask for nothing but a GPU."""

_NODE = re.compile(r"/dev/nvidia(?P<index>\d+)")
_COMPANIONS = re.compile(r"/dev/(?:nvidiactl|nvidia-uvm(?:-tools)?|nvidia-modeset|nvidia-caps/.+)")
"""Nodes that go with every NVIDIA GPU. Source: nvidia-container-toolkit, pkg/nvcdi (common edits)."""

AMD_NODES = re.compile(r"/dev/(?:kfd|dri(?:/.+)?)")
"""Nodes of AMD's compute driver. Source: ROCm documentation, running containers."""


@dataclass(frozen=True, slots=True)
class GpuMove:
    """request: for the target, None where it cannot be given. reason: why it differs, "" where it is the same.

    missing: CDI names that the target says it has not. unknown: the target does not tell which names it has.
    chosen: a person chose them anew; refused: why the target cannot give these, None where it can. nodes, env: what
    belongs to chosen ones besides the request.
    """

    request: GpuRequest | None
    reason: str = ""
    missing: tuple[str, ...] = ()
    unknown: bool = False
    chosen: bool = False
    refused: Refusal | None = None
    nodes: tuple[DeviceSpec, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class RawNodes:
    """GPUs that were given as plain device nodes.

    request: the CDI names that mean the same, None where they stay nodes. took: nodes that it stands for, each with
    the reason. left: nodes that stay. why: why they do.
    """

    request: GpuRequest | None = None
    took: Mapping[str, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    why: str = ""


def _driver_request(names: Collection[str]) -> GpuRequest | None:
    """Docker's nvidia form of CDI names; None where a name is of another vendor."""
    wanted = [name.partition("=") for name in names]
    if any(kind != NVIDIA_CDI_KIND for kind, _, _ in wanted):
        return None
    if any(device == "all" for _, _, device in wanted):
        return GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))
    return GpuRequest(device_ids=tuple(device for _, _, device in wanted), driver="nvidia", capabilities=(("gpu",),))


def raw_nodes(devices: Sequence[DeviceSpec], info: EngineInfo) -> RawNodes:
    """NVIDIA's nodes as CDI names, where the target says that it knows each of them.

    Nodes alone bring none of the driver's libraries, a CDI device does. AMD's nodes work as they are on both engines.
    """
    amd = tuple(device.host_path for device in devices if AMD_NODES.fullmatch(device.host_path))
    nodes = {device.host_path: _NODE.fullmatch(device.host_path) for device in devices}
    names = {path: f"{NVIDIA_CDI_KIND}={found['index']}" for path, found in nodes.items() if found}
    if not names:
        return RawNodes(left=amd)
    unknown = sorted(name for name in names.values() if name not in info.cdi_devices)
    if unknown or not info.capabilities.can(Capability.CDI):
        return RawNodes(
            left=(*names, *amd), why=f"the target does not know {', '.join(unknown)}" if unknown else "no CDI"
        )
    took = {path: f"{name} brings this node and the driver's libraries" for path, name in names.items()}
    together = ", ".join(names.values())
    for device in devices:
        if _COMPANIONS.fullmatch(device.host_path):
            took[device.host_path] = f"comes with {together}"
    return RawNodes(GpuRequest(cdi_devices=tuple(names.values())), took, amd)


def move(request: GpuRequest, source: EngineId, target: EngineId, info: EngineInfo) -> GpuMove:
    """The request for the target engine.

    request: the source's. info: what the target said of itself.
    """
    both_docker = source.kind is EngineKind.DOCKER and target.kind is EngineKind.DOCKER
    if both_docker and not request.cdi_devices:
        return GpuMove(request)
    names = request.cdi_names()
    if not info.capabilities.can(Capability.CDI):
        why = info.capabilities.why_not(Capability.CDI)
        if target.kind is EngineKind.DOCKER and (driver := _driver_request(names)) is not None:
            return GpuMove(driver, f"the target has no CDI ({why}), so its nvidia driver is asked")
        return GpuMove(None, f"the target cannot give GPUs by CDI name: {why}")
    known = info.cdi_devices
    missing = tuple(name for name in names if name not in known) if known else ()
    reason = "" if request == GpuRequest(cdi_devices=names) else "asked for by CDI name, which the target understands"
    if reason and request.capabilities not in PLAIN:
        reason += "; a CDI device brings all driver capabilities"
    return GpuMove(GpuRequest(cdi_devices=names), reason, missing, unknown=not known)


def choose(wish: GpuWish, request: GpuRequest | None, target: EngineId, info: EngineInfo, seen: GpuSnapshot) -> GpuMove:
    """The request for the target engine, as a person chose it.

    request: the source's. seen: GPUs of the target's machine, empty where they are not known here.
    """
    gift = give(wish, target.kind, info, seen)
    if isinstance(gift, Refusal):
        return GpuMove(None, gift.reason, chosen=True, refused=gift)
    same = not gift.devices and _names(request) == _names(gift.request)
    reason = "" if same and gift.request == request else "; ".join(filter(None, (_chosen(wish), gift.why)))
    return GpuMove(gift.request, reason, unknown=gift.unsure, chosen=True, nodes=gift.devices, env=gift.env)


def _chosen(wish: GpuWish) -> str:
    return f"chosen: {wish_words(wish)}"


def _names(request: GpuRequest | None) -> frozenset[str]:
    return frozenset(request.cdi_names() if request else ())


def given_nodes(devices: Sequence[DeviceSpec]) -> dict[str, str]:
    """Nodes of GPUs among these, each with the reason why it goes where GPUs were chosen anew."""
    patterns = (_NODE, _COMPANIONS, AMD_NODES)
    found = (one.host_path for one in devices if any(pattern.fullmatch(one.host_path) for pattern in patterns))
    return dict.fromkeys(found, "the GPUs that were chosen take its place")


def with_chosen(spec: WorkloadSpec, move: GpuMove | None) -> WorkloadSpec:
    """The target's recipe with the request, and what belongs to it."""
    if move is None:
        return spec
    if move.request is not None:
        spec = replace(spec, gpu=move.request)
    if move.nodes:
        devices = (*spec.security.devices, *move.nodes)
        spec = replace(spec, security=replace(spec.security, devices=devices))
    return replace(spec, env={**spec.env, **move.env}) if move.env else spec


def chosen_fields(spec: WorkloadSpec, move: GpuMove | None) -> list[FieldPlan]:
    """What the plan says of chosen GPUs beyond the fields that the source has. spec: the source's."""
    if move is None or not move.chosen or move.refused is not None:
        return []
    found = [FieldPlan(f"env.{name}", Verdict.CONVERTED, "-", text, move.reason) for name, text in move.env.items()]
    found += [
        FieldPlan(f"security.devices.{node.container_path}", Verdict.CONVERTED, "-", node.host_path, move.reason)
        for node in move.nodes
    ]
    if spec.gpu is None and move.request is not None:
        found.insert(0, FieldPlan("gpu", Verdict.CONVERTED, "none", describe(move.request), move.reason))
    return found


def describe(request: GpuRequest) -> str:
    """The request for people."""
    return words(request)
