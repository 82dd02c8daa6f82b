"""The parts of a recipe with rules of their own: ports, mounts, GPUs, networks. Pure; used by docker_recipe alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from backends.engines.docker_defaults import ENDPOINT_FACTS, NOT_YET, HostDefaults, is_empty
from backends.engines.docker_translate import ANONYMOUS_NAME
from backends.model.container import MountKind, Port
from backends.model.workload import GpuRequest, MountSpec

Json: TypeAlias = Mapping[str, Any]

_BIND_OPTIONS_CARRIED = {"", "rw", "ro", "rprivate"}
_VOLUME_OPTIONS_CARRIED = {"NoCopy", "Subpath"}
_DEFAULT_PROPAGATION = {None, "", "rprivate"}
_DEFAULT_NETWORKS = {"bridge", "default"}
_WHOLE_MODES = {"host", "none"}  # NetworkMode alone says everything


class Left(dict[str, tuple[Any, str]]):
    """What is left over: path → (value, reason)."""

    def add(self, path: str, value: object, reason: str) -> None:
        """Report a setting that the recipe does not say."""
        self[path] = (value, reason)


def _key(text: str) -> tuple[int, str] | None:
    number, _, protocol = text.partition("/")
    return (int(number), protocol or "tcp") if number.isdecimal() and 0 < int(number) < 65536 else None


def ports(config: Json, host: Json, base: Json, left: Left) -> tuple[Port, ...]:
    """Published ports, and those exposed beyond the image's. PublishAllPorts gives each exposed one any host port."""
    found: set[Port] = set()
    published: set[str] = set()
    for name, bindings in (host.get("PortBindings") or {}).items():
        key = _key(name)
        for binding in bindings or ():
            number = str(binding.get("HostPort") or "0")
            if key is None or not number.isdecimal():
                left.add(f"HostConfig.PortBindings[{name}]", bindings, "a range of host ports is not carried yet")
                continue
            found.add(Port(*key, str(binding.get("HostIp") or ""), int(number)))
            published.add(name)
    everything = bool(host.get("PublishAllPorts"))
    for name in config.get("ExposedPorts") or ():
        key = _key(name)
        if key is None:
            left.add(f"Config.ExposedPorts[{name}]", {}, NOT_YET)
        elif name not in published and (everything or name not in (base.get("ExposedPorts") or ())):
            found.add(Port(*key, host_port=0 if everything else None))
    if everything and not config.get("ExposedPorts"):
        left.add("HostConfig.PublishAllPorts", True, "it exposes no port")
    return tuple(
        sorted(found, key=lambda port: (port.container_port, port.protocol, port.host_ip, port.host_port or 0))
    )


def mounts(inspect: Json, config: Json, host: Json, left: Left) -> tuple[MountSpec, ...]:
    """Binds and volumes as they are mounted (top-level Mounts); options beyond read-only are left over."""
    found: list[MountSpec] = []
    no_copy, subpaths = _volume_options(host)
    for item in inspect.get("Mounts") or ():
        kind, where = item.get("Type") or "", str(item.get("Destination") or "")
        if kind == "volume":
            name = str(item.get("Name") or "")
            anonymous = ANONYMOUS_NAME.fullmatch(name) is not None
            read_only, subpath = not item.get("RW", True), subpaths.get(where, "")
            found.append(MountSpec(MountKind.VOLUME, name, where, read_only, anonymous, subpath, where in no_copy))
            if item.get("Driver") not in {"local", "", None}:
                left.add(f"Mounts[{where}].Driver", item.get("Driver"), "its data is copied into a local volume")
        elif kind == "bind":
            found.append(MountSpec(MountKind.BIND, str(item.get("Source") or ""), where, not item.get("RW", True)))
            if item.get("Propagation") not in _DEFAULT_PROPAGATION:
                left.add(
                    f"Mounts[{where}].Propagation", item.get("Propagation"), "mount propagation is not carried yet"
                )
        else:
            left.add(f"Mounts[{where}]", dict(item), f"mounts of type {kind or 'unknown'} are not carried yet")
    seen = {mount.destination for mount in found}
    _bind_options(host.get("Binds") or (), seen, left)
    _mount_options(host.get("Mounts") or (), seen, left)
    for where in config.get("Volumes") or ():
        if where.rstrip("/") not in seen and where not in seen:
            left.add(f"Config.Volumes[{where}]", {}, "nothing is mounted there")
    return tuple(sorted(found, key=lambda mount: mount.destination))


def _place(text: object) -> str:
    return str(text).rstrip("/") or "/"


def _volume_options(host: Json) -> tuple[set[str], dict[str, str]]:
    """Where a volume is mounted with nocopy, and the subpath that is mounted, by destination."""
    no_copy: set[str] = set()
    subpaths: dict[str, str] = {}
    for bind in host.get("Binds") or ():
        parts = str(bind).split(":")
        if len(parts) > 2 and not parts[0].startswith("/") and "nocopy" in parts[2].split(","):
            no_copy.add(_place(parts[1]))
    for item in host.get("Mounts") or ():
        options = item.get("VolumeOptions") or {}
        if options.get("NoCopy"):
            no_copy.add(_place(item.get("Target")))
        if options.get("Subpath"):
            subpaths[_place(item.get("Target"))] = str(options["Subpath"])
    return no_copy, subpaths


def _bind_options(binds: Iterable[str], seen: set[str], left: Left) -> None:
    for bind in binds:
        parts = str(bind).split(":")
        options = set(parts[2].split(",")) if len(parts) > 2 else set()
        where = parts[1] if len(parts) > 1 else parts[0]
        if (where.rstrip("/") or "/") not in seen and where not in seen:
            left.add(f"HostConfig.Binds[{where}]", bind, "nothing is mounted there")
            continue
        carried = _BIND_OPTIONS_CARRIED | (set() if parts[0].startswith("/") else {"nocopy"})
        if options - carried:
            more = ",".join(sorted(options - carried))
            left.add(f"HostConfig.Binds[{where}]", more, "mount options beyond read-only are not carried yet")


def _mount_options(items: Iterable[Json], seen: set[str], left: Left) -> None:
    for item in items:
        where = str(item.get("Target") or "")
        if (where.rstrip("/") or "/") not in seen and where not in seen:
            left.add(
                f"HostConfig.Mounts[{where}]", dict(item), "nothing is mounted there, or its type is not carried yet"
            )
            continue
        for key, value in item.items():
            if key in {"Type", "Source", "Target", "ReadOnly"} or _empty_within(value):
                continue
            if key == "BindOptions" and isinstance(value, Mapping) and set(value) == {"Propagation"}:
                continue  # Mounts[].Propagation, seen above, says the same
            if key == "VolumeOptions" and isinstance(value, Mapping):
                value = {name: said for name, said in value.items() if name not in _VOLUME_OPTIONS_CARRIED}
                if _empty_within(value):
                    continue
            left.add(f"HostConfig.Mounts[{where}].{key}", value, "mount options beyond read-only are not carried yet")


def _empty_within(value: object) -> bool:
    return all(map(_empty_within, value.values())) if isinstance(value, Mapping) else is_empty(value)


def gpu_request(host: Json, env: Mapping[str, str], defaults: HostDefaults, left: Left) -> GpuRequest | None:
    """DeviceRequests, or the nvidia runtime with NVIDIA_VISIBLE_DEVICES (not the variable alone: images bake it in)."""
    chosen: GpuRequest | None = None
    for index, request in enumerate(host.get("DeviceRequests") or ()):
        path = f"HostConfig.DeviceRequests[{index}]"
        if not is_empty(request.get("Options")):
            left.add(f"{path}.Options", request["Options"], "driver options are not carried yet")
        one = _one_request(request)
        if one is None or (chosen is not None and not (one.cdi_devices and chosen.cdi_devices)):
            left.add(path, dict(request), "only one kind of GPU request is carried")
        elif chosen is None:
            chosen = one
        else:
            chosen = GpuRequest(cdi_devices=(*chosen.cdi_devices, *one.cdi_devices))
    runtime = str(host.get("Runtime") or "")
    if "nvidia" in runtime and chosen is None:
        chosen = _from_visible(env.get("NVIDIA_VISIBLE_DEVICES", ""))
        if chosen is None and runtime != defaults.runtime:
            left.add("HostConfig.Runtime", runtime, "it makes no GPU visible (NVIDIA_VISIBLE_DEVICES)")
    elif "nvidia" not in runtime and runtime not in {"", defaults.runtime}:
        left.add("HostConfig.Runtime", runtime, "the runtimes of two engines have different names")
    return chosen


def _one_request(request: Json) -> GpuRequest | None:
    driver, ids = str(request.get("Driver") or ""), tuple(map(str, request.get("DeviceIDs") or ()))
    if driver == "cdi":
        return GpuRequest(cdi_devices=ids) if ids else None
    wanted = tuple(tuple(map(str, group)) for group in request.get("Capabilities") or ())
    if driver != "nvidia" and not any("gpu" in group for group in wanted):
        return None
    return GpuRequest(count=int(request.get("Count") or 0), device_ids=ids, driver=driver, capabilities=wanted)


def _from_visible(value: str) -> GpuRequest | None:
    """Source: NVIDIA Container Toolkit, "GPU enumeration"."""
    if value in {"", "none", "void"}:
        return None
    if value == "all":
        return GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))
    ids = tuple(part.strip() for part in value.split(",") if part.strip())
    if ids and all("=" in part for part in ids):
        return GpuRequest(cdi_devices=ids)
    return GpuRequest(device_ids=ids, driver="nvidia", capabilities=(("gpu",),))


def networks(inspect: Json, left: Left) -> None:
    """Networks other than the default one, and what is configured on an endpoint."""
    identifier, name = str(inspect.get("Id") or ""), str(inspect.get("Name") or "").removeprefix("/")
    running = bool((inspect.get("State") or {}).get("Running"))
    mode = (inspect.get("HostConfig") or {}).get("NetworkMode")
    for network, endpoint in ((inspect.get("NetworkSettings") or {}).get("Networks") or {}).items():
        endpoint = endpoint or {}
        settings = {
            key: value for key, value in endpoint.items() if key not in ENDPOINT_FACTS and not _empty_within(value)
        }
        aliases = [alias for alias in endpoint.get("Aliases") or () if alias not in {identifier[:12], name}]
        if aliases:
            settings["Aliases"] = aliases
        if _mac_was_asked_for(endpoint, running):
            settings["MacAddress"] = endpoint["MacAddress"]
        if network in _DEFAULT_NETWORKS:
            for key, value in settings.items():
                left.add(f"NetworkSettings.Networks[{network}].{key}", value, "networks are not carried yet")
        elif not (network in _WHOLE_MODES and network == mode and not settings):
            left.add(f"NetworkSettings.Networks[{network}]", settings, "networks are not carried yet")


def _mac_was_asked_for(endpoint: Json, running: bool) -> bool:
    """A stopped container shows only a configured address. A running one shows the generated one too: made from the
    IPv4 address (02:42:…, moby libnetwork netutils) up to API 1.47; random from 1.48 on, where nothing tells.
    """
    mac = str(endpoint.get("MacAddress") or "").lower()
    if not mac or not running:
        return bool(mac)
    if "GwPriority" in endpoint:  # API 1.48
        return False
    octets = str(endpoint.get("IPAddress") or "").split(".")
    made = "02:42:" + ":".join(f"{int(part):02x}" for part in octets if part.isdecimal())
    return mac != made


__all__ = ["Json", "Left", "gpu_request", "mounts", "networks", "ports"]
