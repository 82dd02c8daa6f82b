"""Pure: a WorkloadSpec as the SpecGenerator JSON of `POST /libpod/containers/create`. Makes no calls.

Source of the keys and types: github.com/containers/podman, pkg/specgen/specgen.go and pkg/specgen/volumes.go (v5).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from backends.engines.podman_recipe import MADE_BY
from backends.engines.podman_translate import CDI_LABEL
from backends.model.container import MountKind, Port
from backends.model.errors import Refused
from backends.model.reference import full_reference, is_image_id
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec

CPU_PERIOD_US = 100_000  # the kernel's default; Docker's NanoCpus and `podman --cpus` use it too
_NVIDIA = "nvidia.com/gpu="


def image_reference(text: str) -> str:
    """A name in full, an id as it is. Raises Refused where it is neither."""
    if is_image_id(text):
        return text.removeprefix("sha256:")
    try:
        return full_reference(text)
    except ValueError as error:
        raise Refused("No valid image name", detail=str(error)) from error


def cdi_names(gpu: GpuRequest) -> tuple[str, ...]:
    """The CDI names that stand for a request; Docker's nvidia driver counts from 0 (moby devices_nvidia_linux.go)."""
    if gpu.cdi_devices:
        return gpu.cdi_devices
    if gpu.device_ids:
        return tuple(name if "=" in name else f"{_NVIDIA}{name}" for name in gpu.device_ids)
    if gpu.count < 0:
        return (f"{_NVIDIA}all",)
    return tuple(f"{_NVIDIA}{index}" for index in range(gpu.count))


def create_body(spec: WorkloadSpec, *, rootless: bool) -> dict[str, Any]:
    """The body that creates this container. Raises Refused for an image that has no valid name.

    Rootless engines keep their default network (pasta): a bridge there is a namespace of its own without a route from
    the host's addresses, and hides the client's address. Rootful ones are told `bridge`, which is their default too,
    so that a containers.conf with another default does not make published ports an error.
    """
    body: dict[str, Any] = {
        "name": spec.name,
        "image": image_reference(spec.image),
        "env": dict(spec.env),
        "labels": dict(spec.labels),
        "annotations": {MADE_BY: json.dumps(sorted(spec.env))},
        "terminal": spec.tty,
        "stdin": spec.stdin_open,
        # Docker makes a missing working directory; libpod does so only when told.
        "create_working_dir": True,
        "restart_policy": spec.restart.name.value,
    }
    if spec.restart.max_retries:
        body["restart_tries"] = spec.restart.max_retries
    if spec.command is not None:
        body["command"] = list(spec.command)
    if spec.entrypoint is not None:
        # [""] is libpod's "none at all"; an empty list would bring the image's command back.
        body["entrypoint"] = list(spec.entrypoint) or [""]
    for key, value in (("user", spec.user), ("work_dir", spec.workdir), ("hostname", spec.hostname)):
        if value:
            body[key] = value
    _add_ports(body, spec.ports, rootless)
    _add_mounts(body, spec.mounts)
    limits = _limits(spec)
    if limits:
        body["resource_limits"] = limits
    names = cdi_names(spec.gpu) if spec.gpu else ()
    if names:
        body["devices"] = [{"path": name} for name in names]
        body["labels"][CDI_LABEL] = json.dumps(list(names))
    return body


def _add_ports(body: dict[str, Any], ports: Sequence[Port], rootless: bool) -> None:
    published = [port for port in ports if port.host_port is not None]
    if published:
        body["portmappings"] = [
            {
                "container_port": port.container_port,
                "host_port": port.host_port,
                "host_ip": port.host_ip,
                "protocol": port.protocol,
            }
            for port in published
        ]
        if not rootless:
            body["netns"] = {"nsmode": "bridge"}
    exposed: dict[str, list[str]] = {}
    for port in ports:
        if port.host_port is None:
            exposed.setdefault(str(port.container_port), []).append(port.protocol)
    if exposed:
        body["expose"] = {number: ",".join(protocols) for number, protocols in exposed.items()}


def _add_mounts(body: dict[str, Any], mounts: Sequence[MountSpec]) -> None:
    binds = [mount for mount in mounts if mount.kind is MountKind.BIND]
    volumes = [mount for mount in mounts if mount.kind is MountKind.VOLUME]
    if binds:
        body["mounts"] = [
            {
                "type": "bind",
                "source": mount.source,
                "destination": mount.destination,
                "options": ["rbind", "ro" if mount.read_only else "rw"],
            }
            for mount in binds
        ]
    if volumes:
        # specgen.NamedVolume has no JSON tags, hence the capitals. IsAnonymous lets `rm --volumes` take it along.
        body["volumes"] = [
            {
                "Name": mount.source,
                "Dest": mount.destination,
                "Options": [*(["ro"] if mount.read_only else []), *(["nocopy"] if mount.no_copy else [])],
                "IsAnonymous": mount.anonymous,
                **({"SubPath": mount.subpath} if mount.subpath else {}),
            }
            for mount in volumes
        ]


def _limits(spec: WorkloadSpec) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if spec.memory_bytes:
        limits["memory"] = {"limit": spec.memory_bytes}
    if spec.cpus_nano:
        quota = max(1000, spec.cpus_nano * CPU_PERIOD_US // 1_000_000_000)  # the kernel refuses under 1 ms
        limits["cpu"] = {"quota": quota, "period": CPU_PERIOD_US}
    return limits
