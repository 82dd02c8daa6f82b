"""The parts of a recipe that stand in WorkloadSpec itself: ports and GPUs. Pure; used by the recipe modules alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from backends.engines.ports import port_key, port_order
from backends.model.container import Port
from backends.model.workload import GpuRequest

Json: TypeAlias = Mapping[str, Any]

_PLAIN_GPU = (("gpu",),)


class Left(dict[str, tuple[Any, str]]):
    """What is left over: path → (value, reason)."""

    def add(self, path: str, value: object, reason: str) -> None:
        """Report a setting that the recipe does not say."""
        self[path] = (value, reason)


def ports(config: Json, host: Json, base: Json, left: Left) -> tuple[Port, ...]:
    """Published ports, and those exposed beyond the image's."""
    found: set[Port] = set()
    published: set[str] = set()
    for name, bindings in (host.get("PortBindings") or {}).items():
        key = port_key(name)
        for binding in bindings or ():
            number, dash, _ = str(binding.get("HostPort") or "0").partition("-")
            if key is None or not number.isdecimal():
                left.add(f"HostConfig.PortBindings[{name}]", bindings, "it is no port of a container and of a host")
                continue
            if dash:
                reason = "Docker takes any free port of the range; the recipe names its first"
                left.add(f"HostConfig.PortBindings[{name}]", bindings, reason)
            found.add(Port(*key, str(binding.get("HostIp") or ""), int(number)))
            published.add(name)
    for name in config.get("ExposedPorts") or ():
        key = port_key(name)
        if key is None:
            left.add(f"Config.ExposedPorts[{name}]", {}, "it is no port")
        elif name not in published and name not in (base.get("ExposedPorts") or ()):
            found.add(Port(*key))
    return tuple(sorted(found, key=port_order))


def gpu_request(host: Json, env: Mapping[str, str], left: Left) -> GpuRequest | None:
    """DeviceRequests, or the nvidia runtime with NVIDIA_VISIBLE_DEVICES (not the variable alone: images bake it in).

    Several requests become one by CDI names, which is what Docker 28.2 and later make of each of them too.
    """
    chosen: GpuRequest | None = None
    for index, request in enumerate(host.get("DeviceRequests") or ()):
        path = f"HostConfig.DeviceRequests[{index}]"
        one = _one_request(request)
        if one is None:
            left.add(path, dict(request), "no other engine knows this driver's devices")
        elif chosen is None:
            chosen = one
        else:
            for other in (chosen, one):
                if other.options or other.capabilities not in {(), _PLAIN_GPU}:
                    left.add(path, dict(request), "several requests are one by CDI names, which give all capabilities")
            chosen = GpuRequest(cdi_devices=(*chosen.cdi_names(), *one.cdi_names()))
    if chosen is None and "nvidia" in str(host.get("Runtime") or ""):
        return _from_visible(env)
    return chosen


def _one_request(request: Json) -> GpuRequest | None:
    driver, ids = str(request.get("Driver") or ""), tuple(map(str, request.get("DeviceIDs") or ()))
    options = {str(key): str(value) for key, value in (request.get("Options") or {}).items()}
    if driver == "cdi":
        return GpuRequest(cdi_devices=ids, options=options) if ids else None
    wanted = tuple(tuple(map(str, group)) for group in request.get("Capabilities") or ())
    if driver != "nvidia" and not any("gpu" in group for group in wanted):
        return None
    count = int(request.get("Count") or 0)
    return GpuRequest(count=count, device_ids=ids, driver=driver, capabilities=wanted, options=options)


def _from_visible(env: Mapping[str, str]) -> GpuRequest | None:
    """Source: NVIDIA Container Toolkit, "GPU enumeration" and "Driver capabilities"."""
    value = env.get("NVIDIA_VISIBLE_DEVICES", "")
    if value in {"", "none", "void"}:
        return None
    ids = tuple(part.strip() for part in value.split(",") if part.strip())
    if ids and all("=" in part for part in ids):
        return GpuRequest(cdi_devices=ids)
    request = GpuRequest(driver="nvidia", capabilities=_PLAIN_GPU)
    return replace(request, count=-1) if value == "all" else replace(request, device_ids=ids)


__all__ = ["Json", "Left", "gpu_request", "ports"]
