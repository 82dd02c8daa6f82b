"""A recipe as the body of POST /containers/create. Pure; says nothing of what the recipe leaves open."""

from __future__ import annotations

from typing import Any

from backends.model.container import MountKind
from backends.model.errors import Unsupported
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec


def create_body(spec: WorkloadSpec) -> dict[str, Any]:
    """Source: Docker Engine API, ContainerCreate. spec.unmapped is ignored. Raises Unsupported for an unknown mount."""
    host: dict[str, Any] = {
        "Mounts": [_mount(mount) for mount in spec.mounts],
        "PortBindings": _bindings(spec),
        "RestartPolicy": {"Name": spec.restart.name.value, "MaximumRetryCount": spec.restart.max_retries},
        "Memory": spec.memory_bytes,
        "NanoCpus": spec.cpus_nano,
    }
    if spec.gpu is not None:
        host["DeviceRequests"] = [_device_request(spec.gpu)]
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in spec.env.items()],
        "Labels": dict(spec.labels),
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "ExposedPorts": {f"{port.container_port}/{port.protocol}": {} for port in spec.ports},
        "HostConfig": host,
    }
    if spec.command is not None:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint) or [""]  # [""] takes the image's entrypoint away, [] keeps it
    for key, value in (("User", spec.user), ("WorkingDir", spec.workdir), ("Hostname", spec.hostname)):
        if value is not None:
            body[key] = value
    return body


def _bindings(spec: WorkloadSpec) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        if port.host_port is not None:
            entry = {"HostIp": port.host_ip, "HostPort": str(port.host_port) if port.host_port else ""}
            bindings.setdefault(f"{port.container_port}/{port.protocol}", []).append(entry)
    return bindings


def _mount(mount: MountSpec) -> dict[str, Any]:
    """As HostConfig.Mounts: a missing bind source is an error, where Binds would make an empty folder in silence."""
    if mount.kind not in {MountKind.BIND, MountKind.VOLUME, MountKind.TMPFS}:
        raise Unsupported(f"Docker cannot make the mount at {mount.destination}", detail=mount.kind.value)
    body: dict[str, Any] = {"Type": mount.kind.value, "Target": mount.destination, "ReadOnly": mount.read_only}
    if mount.source:
        body["Source"] = mount.source
    if mount.no_copy or mount.subpath:
        options = {"NoCopy": mount.no_copy} | ({"Subpath": mount.subpath} if mount.subpath else {})
        body["VolumeOptions"] = options
    return body


def _device_request(gpu: GpuRequest) -> dict[str, Any]:
    if gpu.cdi_devices:
        return {"Driver": "cdi", "DeviceIDs": list(gpu.cdi_devices)}
    capabilities = [list(group) for group in gpu.capabilities] or [["gpu"]]
    request: dict[str, Any] = {"Driver": gpu.driver, "Count": gpu.count, "Capabilities": capabilities}
    if gpu.device_ids:
        request |= {"Count": 0, "DeviceIDs": list(gpu.device_ids)}
    return request


__all__ = ["create_body"]
