"""Pure: a WorkloadSpec as the SpecGenerator JSON of `POST /libpod/containers/create`. Makes no calls.

Source of the keys and types: github.com/containers/podman, pkg/specgen/specgen.go and pkg/specgen/volumes.go (v5).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from backends.engines.podman_asked import MADE_BY, annotation
from backends.engines.podman_spec_lacking import lacking
from backends.engines.podman_spec_limits import add_resources
from backends.engines.podman_spec_network import add_namespaces, add_network
from backends.engines.podman_spec_parts import add_health, add_log, add_process, add_security
from backends.engines.podman_translate import CDI_LABEL
from backends.model.capabilities import EngineInfo
from backends.model.container import MountKind, Port
from backends.model.errors import Refused
from backends.model.reference import full_reference, is_image_id
from backends.model.workload import MountSpec, WorkloadSpec


def image_reference(text: str) -> str:
    """A name in full, an id as it is. Raises Refused where it is neither."""
    if is_image_id(text):
        return text.removeprefix("sha256:")
    try:
        return full_reference(text)
    except ValueError as error:
        raise Refused("No valid image name", detail=str(error)) from error


def create_body(
    spec: WorkloadSpec, info: EngineInfo, *, own_runtime: str = "", seccomp_path: str = ""
) -> dict[str, Any]:
    """The body that creates this container on that engine.

    own_runtime: the engine's OCI runtime. seccomp_path: where it finds the profile of spec.security.seccomp.
    Raises Refused for an image without a valid name, and Unsupported, which names the field, for what Podman cannot do.
    """
    body: dict[str, Any] = {
        "name": spec.name,
        "image": image_reference(spec.image),
        "env": dict(spec.env),
        "labels": dict(spec.labels),
        "annotations": {**spec.process.annotations, MADE_BY: annotation(spec)},
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
    _add_ports(body, spec.ports)
    _add_mounts(body, spec.mounts)
    add_process(body, spec.process)
    published = "portmappings" in body or spec.network.publish_all
    add_network(body, spec.network, published=published, rootless=info.rootless)
    add_namespaces(body, spec.namespaces)
    add_security(body, spec.security, info, seccomp_path)
    add_resources(body, spec, info, own_runtime)
    add_health(body, spec.health)
    add_log(body, spec.log)
    _add_devices(body, spec)
    return body


def _add_devices(body: dict[str, Any], spec: WorkloadSpec) -> None:
    """libpod takes CDI names and "host:container:rights" in the same list."""
    names = spec.gpu.cdi_names() if spec.gpu else ()
    devices = [{"path": name} for name in names]
    for device in spec.security.devices:
        devices.append({"path": f"{device.host_path}:{device.container_path}:{device.permissions}"})
    if devices:
        body["devices"] = devices
        # An empty list says that nodes were asked for as nodes.
        body["labels"][CDI_LABEL] = json.dumps(list(names))


def _add_ports(body: dict[str, Any], ports: Sequence[Port]) -> None:
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
    exposed: dict[str, list[str]] = {}
    for port in ports:
        if port.host_port is None:
            exposed.setdefault(str(port.container_port), []).append(port.protocol)
    if exposed:
        body["expose"] = {number: ",".join(protocols) for number, protocols in exposed.items()}


def _add_mounts(body: dict[str, Any], mounts: Sequence[MountSpec]) -> None:
    for mount in mounts:
        if mount.kind is MountKind.BIND:
            body.setdefault("mounts", []).append(_bind(mount))
        elif mount.kind is MountKind.TMPFS:
            body.setdefault("mounts", []).append(_tmpfs(mount))
        elif mount.kind is MountKind.VOLUME:
            # specgen.NamedVolume has no JSON tags, hence the capitals. IsAnonymous lets `rm --volumes` take it along.
            body.setdefault("volumes", []).append(
                {
                    "Name": mount.source,
                    "Dest": mount.destination,
                    "Options": [*(["ro"] if mount.read_only else []), *_copying(mount, "copy"), *_further(mount)],
                    "IsAnonymous": mount.anonymous,
                    **({"SubPath": mount.subpath} if mount.subpath else {}),
                }
            )
        else:
            raise lacking(f"mounts at {mount.destination}", mount.kind.value, "Leave this mount out.")


def _further(mount: MountSpec) -> list[str]:
    return [word for word in (mount.propagation, mount.relabel, *mount.options) if word]


def _copying(mount: MountSpec, word: str) -> list[str]:
    return [] if mount.no_copy is None else [f"no{word}" if mount.no_copy else word]


def _bind(mount: MountSpec) -> dict[str, Any]:
    if mount.subpath:
        raise lacking(f"mounts at {mount.destination}, subpath", mount.subpath, "Bind the folder itself.")
    options = ["rbind" if mount.recursive else "bind", "ro" if mount.read_only else "rw", *_further(mount)]
    return {"type": "bind", "source": mount.source, "destination": mount.destination, "options": options}


def _tmpfs(mount: MountSpec) -> dict[str, Any]:
    options = [*(["ro"] if mount.read_only else []), *_copying(mount, "tmpcopyup"), *_further(mount)]
    if mount.size_bytes:
        options.append(f"size={mount.size_bytes}")
    if mount.mode is not None:
        options.append(f"mode={mount.mode:o}")
    return {"type": "tmpfs", "destination": mount.destination, "options": options}


__all__ = ["create_body", "image_reference"]
