"""GPU requests in the form that the target understands. Pure; may not ask an engine or a driver."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from backends.model.capabilities import Capability, EngineInfo
from backends.model.ids import EngineId, EngineKind
from backends.model.settings import DeviceSpec
from backends.model.workload import NVIDIA_CDI_KIND, GpuRequest

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
    """

    request: GpuRequest | None
    reason: str = ""
    missing: tuple[str, ...] = ()
    unknown: bool = False


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


def describe(request: GpuRequest) -> str:
    """The request for people."""
    if request.cdi_devices:
        return ", ".join(request.cdi_devices)
    what = (
        "all" if request.count < 0 else f"the first {request.count}" if request.count else ", ".join(request.device_ids)
    )
    return f"{what} ({request.driver or 'default driver'})"
