"""Pure mapping of libpod's JSON to the model: containers, engine facts, events, volumes. Makes no calls.

Shapes: libpod API 5 (also 4 where they differ), recorded from Podman 5.4.2 in tests/recorded/podman.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from backends.engines.ports import port_order
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import (
    ChangedPath,
    ChangeKind,
    Container,
    ContainerState,
    Health,
    Mount,
    MountKind,
    Port,
)
from backends.model.events import EngineEvent, EventKind
from backends.model.ids import ContainerKey, EngineId
from backends.model.workload import RestartName, RestartPolicy, Volume
from backends.wire.times import from_unix, parse_time

CDI_LABEL = "io.tranship.cdi"
"""Our label on what we create: JSON list of CDI names, which `podman inspect` does not tell."""

Json = Mapping[str, Any]

_STATES = {
    "configured": ContainerState.CREATED,
    "initialized": ContainerState.CREATED,
    "stopped": ContainerState.EXITED,
}
CDI_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+=[A-Za-z0-9_.:-]+")
_PORTS = 65536
_NVIDIA_NODE = re.compile(r"/dev/nvidia(\d+)")


def state_of(word: str) -> ContainerState:
    """libpod's state word in our vocabulary; UNKNOWN for one that we do not know."""
    known = _STATES.get(word)
    if known:
        return known
    try:
        return ContainerState(word)
    except ValueError:
        return ContainerState.UNKNOWN


def health_of(word: str) -> Health:
    """libpod's health word; NONE for none and for unknown ones ("stopped" since 5.5 is none)."""
    try:
        return Health(word)
    except ValueError:
        return Health.NONE


def moment(value: object) -> datetime | None:
    """A time as libpod gives it (RFC 3339, or unix seconds); None for Go's zero time (before 1970)."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, int | float) and value > 0:
        return from_unix(value)
    return None


def bare_id(image_id: str) -> str:
    """Bare hex of an image id."""
    return image_id.removeprefix("sha256:")


def strings(value: object) -> tuple[str, ...]:
    """A list of words; an entrypoint of Podman 4 is one string."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def labels_of(value: object) -> Mapping[str, str]:
    """A read-only copy of a JSON map of strings; null is empty."""
    items = value.items() if isinstance(value, dict) else ()
    return MappingProxyType({str(key): str(item) for key, item in items})


def host_ip(text: str) -> str:
    """ "" for every address."""
    return "" if text in {"0.0.0.0", "::"} else text


def listed_ports(published: object, exposed: object) -> tuple[Port, ...]:
    """Ports of the list JSON: ranges are expanded; exposed ones that are not published have no host port."""
    ports: set[Port] = set()
    for entry in published if isinstance(published, list) else ():
        for offset in range(min(max(1, int(entry.get("range") or 1)), _PORTS)):
            for protocol in str(entry.get("protocol") or "tcp").split(","):
                ports.add(
                    Port(
                        int(entry["container_port"]) + offset,
                        protocol,
                        host_ip(str(entry.get("host_ip") or "")),
                        int(entry.get("host_port") or 0) + offset,
                    )
                )
    taken = {(port.container_port, port.protocol) for port in ports}
    for number, protocols in (exposed if isinstance(exposed, dict) else {}).items():
        ports.update(Port(int(number), name) for name in strings(protocols) if (int(number), name) not in taken)
    return tuple(sorted(ports, key=port_order))


def split_port(text: str) -> tuple[int, str]:
    """ "80/tcp" → (80, "tcp")."""
    number, _, protocol = text.partition("/")
    return int(number), protocol or "tcp"


def inspected_ports(bindings: object) -> tuple[Port, ...]:
    """Ports of NetworkSettings.Ports or HostConfig.PortBindings; null bindings are exposed only."""
    ports: set[Port] = set()
    for name, hosts in (bindings if isinstance(bindings, dict) else {}).items():
        number, protocol = split_port(name)
        if not hosts:
            ports.add(Port(number, protocol))
        for host in hosts or ():
            ports.add(Port(number, protocol, host_ip(host.get("HostIp") or ""), int(host.get("HostPort") or 0)))
    return tuple(sorted(ports, key=port_order))


def mount_of(entry: Json) -> Mount:
    """One of inspect's Mounts."""
    kind = {"bind": MountKind.BIND, "volume": MountKind.VOLUME, "tmpfs": MountKind.TMPFS}.get(
        str(entry.get("Type")), MountKind.OTHER
    )
    source = entry.get("Name") if kind is MountKind.VOLUME else entry.get("Source")
    if kind is MountKind.BIND and not str(source or "").startswith("/"):
        kind = MountKind.OTHER  # libpod says "bind" of devpts, ramfs, … as well; their source is no path
    return Mount(kind, str(source or ""), str(entry.get("Destination") or ""), not entry.get("RW", True))


def labelled_cdi(labels: Mapping[str, str]) -> tuple[str, ...]:
    """CDI names that our own label tells; none where it is absent or no JSON list of strings."""
    try:
        names = json.loads(labels.get(CDI_LABEL, "[]"))
    except (ValueError, RecursionError):
        return ()
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def options_of(command: Sequence[str], image: str, own: Sequence[str]) -> Sequence[str]:
    """The words of a `podman run|create` before the image. own: the container's command, which follows the image."""
    places = [at for at, word in enumerate(command) if image in {word, f"{word}:latest"} or _ends_with(image, word)]
    exact = [at for at in places if list(command[at + 1 :]) == list(own) or at == len(command) - 1]
    end = (exact or places or [len(command)])[0]
    return command[:end]


def _ends_with(image: str, word: str) -> bool:
    return bool(word) and (image.endswith(f"/{word}") or image.endswith(f"/{word}:latest"))


def _commanded_cdi(options: Sequence[str]) -> tuple[str, ...]:
    """CDI names among the options of a `podman run|create`."""
    names: list[str] = []
    for word, following in zip(options, [*options, ""][1:], strict=True):
        flag, equals, value = word.partition("=")
        value = value if equals else following
        if flag == "--gpus":
            value = f"nvidia.com/gpu={value}"
        if flag in {"--device", "--gpus"} and CDI_NAME.fullmatch(value):
            names.append(value)
    return tuple(names)


def create_options(inspect: Json) -> Sequence[str]:
    """The options that the container was made with on the command line; none where an API made it."""
    config = inspect.get("Config") or {}
    command = strings(config.get("CreateCommand"))
    return options_of(command, str(inspect.get("ImageName") or ""), strings(config.get("Cmd")))


def gpus_of(inspect: Json) -> tuple[str, ...]:
    """CDI names of the GPUs that a container was given: by our label, by its command line, by its device nodes.

    Where our label or the command line tells none, nodes were asked for as nodes.
    """
    config, host = inspect.get("Config") or {}, inspect.get("HostConfig") or {}
    labels = labels_of(config.get("Labels"))
    named = labelled_cdi(labels) or _commanded_cdi(create_options(inspect))
    if named or CDI_LABEL in labels or config.get("CreateCommand"):
        return named
    nodes = [_NVIDIA_NODE.fullmatch(str(device.get("PathInContainer"))) for device in host.get("Devices") or ()]
    return tuple(f"nvidia.com/gpu={node[1]}" for node in nodes if node)


def listed_container(entry: Json, engine: EngineId) -> Container:
    """One row of `GET /libpod/containers/json?all=true`."""
    state = state_of(str(entry.get("State")))
    finished = moment(entry.get("ExitedAt")) if not state.alive else None
    labels = labels_of(entry.get("Labels"))
    names = strings(entry.get("Names"))
    return Container(
        key=ContainerKey(engine, str(entry["Id"])),
        name=names[0] if names else str(entry["Id"])[:12],
        image=str(entry.get("Image") or ""),
        image_id=bare_id(str(entry.get("ImageID") or "")),
        state=state,
        created_at=moment(entry.get("Created")) or from_unix(0),
        started_at=moment(entry.get("StartedAt")),
        finished_at=finished,
        exit_code=int(entry.get("ExitCode") or 0) if finished else None,
        health=health_of(str(entry.get("Status") or "")),
        command=strings(entry.get("Command")),
        ports=listed_ports(entry.get("Ports"), entry.get("ExposedPorts")),
        mounts=tuple(Mount(MountKind.OTHER, "", path) for path in sorted(strings(entry.get("Mounts")))),
        labels=labels,
        networks=strings(entry.get("Networks")),
        gpus_given=labelled_cdi(labels),
        pod=str(entry.get("PodName") or ""),
        infra=bool(entry.get("IsInfra")),
    )


def inspected_container(inspect: Json, engine: EngineId) -> Container:
    """One container of `GET /libpod/containers/{id}/json`."""
    config, status = inspect.get("Config") or {}, inspect.get("State") or {}
    network = inspect.get("NetworkSettings") or {}
    state = state_of(str(status.get("Status")))
    finished = moment(status.get("FinishedAt")) if not state.alive else None
    health = status.get("Health") or status.get("Healthcheck") or {}
    return Container(
        key=ContainerKey(engine, str(inspect["Id"])),
        name=str(inspect.get("Name") or ""),
        image=str(inspect.get("ImageName") or ""),
        image_id=bare_id(str(inspect.get("Image") or "")),
        state=state,
        created_at=moment(inspect.get("Created")) or from_unix(0),
        started_at=moment(status.get("StartedAt")),
        finished_at=finished,
        exit_code=int(status.get("ExitCode") or 0) if finished else None,
        health=health_of(str(health.get("Status") or "")),
        command=strings(config.get("Cmd")),
        ports=inspected_ports(network.get("Ports")),
        mounts=tuple(mount_of(entry) for entry in inspect.get("Mounts") or ()),
        labels=labels_of(config.get("Labels")),
        networks=tuple(network.get("Networks") or ()),
        gpus_given=gpus_of(inspect),
        infra=bool(inspect.get("IsInfra")),
        oom_killed=bool(status.get("OOMKilled")),
    )


_CHANGES = {0: ChangeKind.CHANGED, 1: ChangeKind.ADDED, 2: ChangeKind.DELETED}
"""Source: containers/storage, pkg/archive/changes.go."""


def changes_of(entries: object, inspect: Json) -> tuple[ChangedPath, ...]:
    """`GET /libpod/containers/{id}/changes`, without the places where something is mounted."""
    mounted = [str(mount.get("Destination")).rstrip("/") for mount in inspect.get("Mounts") or ()]
    mounted += [str(place).rstrip("/") for place in (inspect.get("HostConfig") or {}).get("Tmpfs") or ()]
    found = [
        ChangedPath(str(entry["Path"]), _CHANGES[int(entry["Kind"])])
        for entry in (entries if isinstance(entries, list) else ())
    ]
    return tuple(
        one for one in sorted(found) if not any(one.path == at or one.path.startswith(f"{at}/") for at in mounted)
    )


def restart_of(inspect: Json) -> RestartPolicy:
    """The restart policy in inspect JSON."""
    policy = (inspect.get("HostConfig") or {}).get("RestartPolicy") or {}
    return RestartPolicy(
        RestartName(str(policy.get("Name") or "no")), max(0, int(policy.get("MaximumRetryCount") or 0))
    )


def check_timeout_s(inspect: Json) -> float | None:
    """How long its health check may take; None where it has no check."""
    check = (inspect.get("Config") or {}).get("Healthcheck") or {}
    if strings(check.get("Test"))[:1] in {(), ("NONE",), ("none",)}:
        return None
    return int(check.get("Timeout") or 0) / 1e9


def engine_info(info: Json, *, local: bool) -> EngineInfo:
    """What `GET /libpod/info` says, with what this engine cannot do and why."""
    host, version, store = info.get("host") or {}, info.get("version") or {}, info.get("store") or {}
    rootless = bool((host.get("security") or {}).get("rootless"))
    cgroup = str(host.get("cgroupVersion") or "").removeprefix("v")
    return EngineInfo(
        version=str(version.get("Version") or ""),
        api_version=str(version.get("APIVersion") or ""),
        rootless=rootless,
        local=local,
        os=str(host.get("os") or ""),
        arch=str(host.get("arch") or ""),
        kernel=str(host.get("kernel") or ""),
        cgroup_version=cgroup,
        cpus=int(host.get("cpus") or 0),
        memory_bytes=int(host.get("memTotal") or 0),
        graph_root=str(store.get("graphRoot") or ""),
        host=str(host.get("hostname") or ""),
        capabilities=Capabilities(MappingProxyType(_lacking(host, rootless, cgroup))),
    )


def _lacking(host: Json, rootless: bool, cgroup: str) -> dict[Capability, str]:
    lacking: dict[Capability, str] = {}
    if rootless and cgroup == "1":
        # Measured on 5.4 and 5.8.
        where = "rootless Podman on cgroup v1"
        lacking[Capability.PAUSE] = f"{where} has no cgroup to freeze"
        lacking[Capability.STATS_API] = f"{where} gives no statistics"
        lacking[Capability.RESOURCE_LIMITS] = f"{where} ignores memory and CPU limits"
    if str(host.get("cgroupManager") or "") != "systemd":
        # libpod runs health checks by systemd timers; without a systemd session it falls back to cgroupfs.
        lacking[Capability.HEALTHCHECK] = "Podman runs health checks by systemd timers, and there is no systemd here"
    return lacking


def event_of(entry: Json, engine: EngineId) -> EngineEvent:
    """One line of `GET /libpod/events`."""
    actor = entry.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    try:
        kind = EventKind(str(entry.get("Type")))
    except ValueError:
        kind = EventKind.OTHER
    name = str(attributes.get("name") or "")
    nanoseconds = int(entry.get("timeNano") or 0) or int(entry.get("time") or 0) * 1_000_000_000
    # Volume and network events carry no id: their name is what names them.
    code = str(attributes.get("containerExitCode") or "")
    return EngineEvent(
        engine,
        kind,
        str(entry.get("Action") or ""),
        str(actor.get("ID") or name),
        from_unix(nanoseconds / 1e9),
        name,
        int(code) if code.isdecimal() else None,
    )


def volume_of(entry: Json) -> Volume:
    """One volume of the list or of inspect."""
    return Volume(
        str(entry["Name"]),
        str(entry.get("Driver") or "local"),
        labels_of(entry.get("Labels")),
        labels_of(entry.get("Options")),
        bool(entry.get("Anonymous")),
        str(entry.get("Mountpoint") or ""),
        moment(entry.get("CreatedAt")),
    )
