"""GPU requests in the form that the target understands. Pure; may not ask an engine or a driver."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from backends.model.capabilities import Capability, EngineInfo
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import GpuRequest

NVIDIA = "nvidia.com/gpu"
"""The CDI kind of NVIDIA's devices. Source: nvidia-container-toolkit, `nvidia-ctk cdi generate`."""

PLAIN = frozenset({(), (("gpu",),)})
"""DeviceRequests capabilities that ask for nothing but a GPU."""


@dataclass(frozen=True, slots=True)
class GpuMove:
    """request: for the target, None where it cannot be given. reason: why it differs, "" where it is the same.

    missing: CDI names that the target says it has not. unknown: the target does not tell which names it has.
    """

    request: GpuRequest | None
    reason: str = ""
    missing: tuple[str, ...] = ()
    unknown: bool = False


def cdi_names(request: GpuRequest) -> tuple[str, ...]:
    """The CDI names that mean what the request means.

    Docker's nvidia driver gives the *first* n devices for Count=n ([moby] daemon/devices_nvidia_linux.go), so that
    the names are 0..n-1. A vendor other than NVIDIA has its own kind ("amd" → "amd.com/gpu").
    """
    if request.cdi_devices:
        return request.cdi_devices
    kind = NVIDIA if request.driver in {"", "nvidia", "cdi"} else f"{request.driver}.com/gpu"
    if request.count < 0:
        return (f"{kind}=all",)
    if request.count:
        return tuple(f"{kind}={index}" for index in range(request.count))
    return tuple(name if "=" in name else f"{kind}={name}" for name in request.device_ids)


def _driver_request(names: Collection[str]) -> GpuRequest | None:
    """Docker's nvidia form of CDI names; None where a name is of another vendor."""
    wanted = [name.partition("=") for name in names]
    if any(kind != NVIDIA for kind, _, _ in wanted):
        return None
    if any(device == "all" for _, _, device in wanted):
        return GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))
    return GpuRequest(device_ids=tuple(device for _, _, device in wanted), driver="nvidia", capabilities=(("gpu",),))


def move(request: GpuRequest, source: EngineId, target: EngineId, info: EngineInfo) -> GpuMove:
    """The request for the target engine.

    request: the source's. info: what the target said of itself.
    """
    both_docker = source.kind is EngineKind.DOCKER and target.kind is EngineKind.DOCKER
    if both_docker and not request.cdi_devices:
        return GpuMove(request)
    names = cdi_names(request)
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
