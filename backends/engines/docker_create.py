"""A recipe as the body of POST /containers/create. Pure; says nothing of what the recipe leaves open.

What Docker cannot do is refused (Unsupported, with the field's name), never left out.
"""

from __future__ import annotations

from typing import Any

from backends.engines.docker_create_host import cannot, host_limits, host_rights
from backends.engines.docker_create_mounts import host_mounts
from backends.engines.docker_create_networks import networking
from backends.engines.health_check import health_body
from backends.model.settings import HealthSpec, ProcessSpec
from backends.model.workload import GpuRequest, WorkloadSpec

NEWEST = (1, 51)


def create_body(spec: WorkloadSpec, api: tuple[int, ...] = NEWEST) -> dict[str, Any]:
    """Source: Docker Engine API, ContainerCreate. api: the version spoken. spec.unmapped is ignored.

    Networks that this version cannot take at creation are docker_create_networks.later's.
    """
    _refuse(spec)
    _refuse_newer(spec, api)
    process = spec.process
    mode, endpoints, mac, host_network = networking(spec.network, api)
    host: dict[str, Any] = {
        "PortBindings": _bindings(spec),
        "RestartPolicy": {"Name": spec.restart.name.value, "MaximumRetryCount": spec.restart.max_retries},
        "Memory": spec.memory_bytes,
        "NanoCpus": spec.cpus_nano,
        "GroupAdd": list(process.groups),
        "AutoRemove": process.auto_remove,
        **host_mounts(spec.mounts, api),
        **host_network,
        **host_rights(spec.security, spec.namespaces),
        **host_limits(spec.resources),
    }
    if mode:
        host["NetworkMode"] = mode
    if process.init:
        host["Init"] = True
    if process.annotations:
        host["Annotations"] = dict(process.annotations)
    if spec.log is not None:
        host["LogConfig"] = {"Type": spec.log.driver, "Config": dict(spec.log.options)}
    if spec.gpu is not None:
        host["DeviceRequests"] = [_device_request(spec.gpu)]
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [*(f"{key}={value}" for key, value in spec.env.items()), *process.unset_env],  # a bare name takes away
        "Labels": dict(spec.labels),
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "StdinOnce": process.stdin_once,
        "ExposedPorts": {f"{port.container_port}/{port.protocol}": {} for port in spec.ports},
        "HostConfig": host,
    }
    if endpoints:
        body["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    if spec.command is not None:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint) or [""]  # [""] takes the image's entrypoint away, [] keeps it
    if spec.health is not None:
        body["Healthcheck"] = _health(spec.health)
    for key, value in (
        *(("User", spec.user), ("WorkingDir", spec.workdir), ("Hostname", spec.hostname)),
        *(("StopSignal", process.stop_signal), ("StopTimeout", process.stop_timeout_s)),
        *(("Domainname", process.domainname or None), ("MacAddress", mac or None)),
    ):
        if value is not None:
            body[key] = value
    return body


def _refuse(spec: WorkloadSpec) -> None:
    """What only Podman has, where it is set to something else than what Docker does anyway."""
    process: ProcessSpec = spec.process
    if process.http_proxy:
        cannot("process.http_proxy", "true", "Docker's clients pass proxy variables, its daemon does not")
    if process.systemd not in {"", "false"}:
        cannot("process.systemd", process.systemd, "Docker has no such mode")
    for field, value in (("process.timezone", process.timezone), ("process.umask", process.umask)):
        if value not in {"", "0022"}:
            cannot(field, value, "Docker has no such setting")
    if "keep-groups" in process.groups:
        cannot("process.groups", "keep-groups", "a daemon has no groups of its caller")


def _refuse_newer(spec: WorkloadSpec, api: tuple[int, ...]) -> None:
    """What an older daemon would leave out without a word. Source: Docker Engine API, version history."""
    start_interval_ns = spec.health.start_interval_ns if spec.health else 0
    for field, value, since in (
        ("namespaces.cgroup", spec.namespaces.cgroup, (1, 41)),
        ("process.annotations", ", ".join(sorted(spec.process.annotations)), (1, 43)),
        ("health.start_interval_ns", str(start_interval_ns or ""), (1, 44)),
        *((f"mounts[{mount.destination}].subpath", mount.subpath, (1, 45)) for mount in spec.mounts),
    ):
        if value and api < since:
            cannot(field, value, f"this Docker speaks API {'.'.join(map(str, api))}, older than {since[0]}.{since[1]}")


def _bindings(spec: WorkloadSpec) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        if port.host_port is not None:
            entry = {"HostIp": port.host_ip, "HostPort": str(port.host_port) if port.host_port else ""}
            bindings.setdefault(f"{port.container_port}/{port.protocol}", []).append(entry)
    return bindings


def _health(health: HealthSpec) -> dict[str, Any]:
    if health.on_failure not in {"", "none"}:
        cannot("health.on_failure", health.on_failure, "Docker does nothing by itself for an unhealthy container")
    if health.startup is not None:
        cannot("health.startup", " ".join(health.startup.test), "Docker has no startup check")
    return health_body(health)


def _device_request(gpu: GpuRequest) -> dict[str, Any]:
    options = {"Options": dict(gpu.options)} if gpu.options else {}
    if gpu.cdi_devices or gpu.driver == "cdi":
        return {"Driver": "cdi", "DeviceIDs": list(gpu.cdi_names()), **options}
    capabilities = [list(group) for group in gpu.capabilities] or [["gpu"]]
    request: dict[str, Any] = {"Driver": gpu.driver, "Count": gpu.count, "Capabilities": capabilities, **options}
    if gpu.device_ids:
        request |= {"Count": 0, "DeviceIDs": list(gpu.device_ids)}
    return request


__all__ = ["create_body"]
