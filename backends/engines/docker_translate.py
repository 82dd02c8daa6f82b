"""Docker's JSON to the model: containers, events, the engine itself. Pure; makes no calls.

Source: Docker Engine API 1.45 reference; fields that older or newer versions leave out are taken as empty.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from backends.engines.ports import port_key, port_order
from backends.engines.row_by_row import text_of
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import ChangedPath, ChangeKind, Container, ContainerState, Health, Mount, MountKind, Port
from backends.model.errors import Protocol, Unsupported
from backends.model.events import EngineEvent, EventKind
from backends.model.ids import ContainerKey, EngineId
from backends.wire.times import from_unix, parse_time

Json = Mapping[str, Any]

OLDEST_API, NEWEST_API = (1, 40), (1, 51)  # 1.40: Docker 19.03, first with DeviceRequests; 1.51: newest one tried
_EXIT_CODE = re.compile(r"\((\d+)\)")
_QUOTED, _WORD = re.compile(r"['\"\\]"), re.compile(r"[^ \t\r\n]+")  # shlex's quotes, and its white space
_EVERYWHERE = {"", "0.0.0.0", "::"}
EVENT_ACTIONS = (
    *("create", "start", "restart", "stop", "die", "kill", "pause", "unpause", "rename", "destroy", "update", "oom"),
    *("health_status", "pull", "load", "import", "tag", "untag", "delete", "connect", "disconnect", "remove"),
)
"""What changes something that is shown; without the noise of exec, attach, mount and top."""
_CHANGES = (ChangeKind.CHANGED, ChangeKind.ADDED, ChangeKind.DELETED)  # Docker Engine API, ContainerChanges


def bare(digest: str) -> str:
    """An image id without "sha256:"."""
    return digest.removeprefix("sha256:")


def state_of(word: str) -> ContainerState:
    """Docker's State.Status; what it does not know becomes UNKNOWN."""
    try:
        return ContainerState(word.lower())
    except ValueError:
        return ContainerState.UNKNOWN


def health_of(word: str) -> Health:
    """State.Health.Status, or the words in brackets of a list's Status."""
    try:
        return Health(word.removeprefix("health: ").lower())
    except ValueError:
        return Health.NONE


def _status(text: str) -> tuple[int | None, Health]:
    """ "Exited (3) 2 hours ago" → 3; "Up 2 hours (healthy)" → healthy. Source: moby container/state.go."""
    if text.startswith(("Exited", "Restarting")):
        match = _EXIT_CODE.search(text)
        return (int(match[1]) if match else None), Health.NONE
    inside = text.rpartition("(")[2].removesuffix(")") if text.endswith(")") else ""
    return None, health_of(inside)


def _command(text: str) -> tuple[str, ...]:
    """The list's one string: Docker quotes words with spaces; where the quotes do not close it stays one word."""
    try:  # shlex reads letter by letter: a third of a long list's time
        return tuple(shlex.split(text) if _QUOTED.search(text) else _WORD.findall(text))
    except ValueError:
        return (text,)


def _mount(item: Json) -> Mount:
    word = item.get("Type") or ""
    kind = MountKind(word) if word in {"bind", "volume", "tmpfs"} else MountKind.OTHER
    source = text_of(item, "Name" if kind is MountKind.VOLUME else "Source")
    return Mount(kind, source, text_of(item, "Destination"), not item.get("RW", True))


def _address(text: str) -> str:
    return "" if text in _EVERYWHERE else text


def texts_of(table: Mapping[str, Any] | None) -> dict[str, str]:
    """A JSON map of texts; null is empty."""
    return {str(key): str(value) for key, value in (table or {}).items()}


def _port(item: Json) -> Port:
    public = item.get("PublicPort")
    protocol, address = text_of(item, "Type") or "tcp", _address(text_of(item, "IP"))
    return Port(int(item["PrivatePort"]), protocol, address, None if public is None else int(public))


def container_from_list(engine: EngineId, item: Json) -> Container:
    """One entry of GET /containers/json. Start and end times and GPUs are not in it."""
    exit_code, health = _status(text_of(item, "Status"))
    ports = {_port(port) for port in item.get("Ports") or ()}
    return Container(
        key=ContainerKey(engine, item["Id"]),
        name=_own_name(item.get("Names") or ()) or item["Id"][:12],
        image=text_of(item, "Image"),
        image_id=bare(text_of(item, "ImageID")),
        state=state_of(text_of(item, "State")),
        created_at=from_unix(item.get("Created") or 0),
        exit_code=exit_code,
        health=health,
        command=_command(text_of(item, "Command")),
        ports=tuple(sorted(ports, key=port_order)),
        mounts=tuple(sorted(_mount(mount) for mount in item.get("Mounts") or ())),
        labels=texts_of(item.get("Labels")),
        networks=tuple(sorted(map(str, (item.get("NetworkSettings") or {}).get("Networks") or ()))),
    )


def _own_name(names: Iterable[str]) -> str:
    """Its own name: links add names of the form "/other/alias"."""
    stripped = [name.removeprefix("/") for name in names]
    return next((name for name in stripped if "/" not in name), stripped[0] if stripped else "")


def _inspect_ports(networks: Json, config: Json) -> tuple[Port, ...]:
    ports: set[Port] = set()
    for name, bindings in {**dict.fromkeys(config.get("ExposedPorts") or ()), **(networks.get("Ports") or {})}.items():
        key = port_key(name)
        if key is None:
            continue
        for binding in bindings or ():
            number = str(binding.get("HostPort") or "0")
            ports.add(Port(*key, _address(text_of(binding, "HostIp")), int(number) if number.isdecimal() else 0))
        if not bindings:
            ports.add(Port(*key))
    return tuple(sorted(ports, key=port_order))


def container_from_inspect(engine: EngineId, item: Json) -> Container:
    """GET /containers/{id}/json."""
    state, config = item.get("State") or {}, item.get("Config") or {}
    host, networks = item.get("HostConfig") or {}, item.get("NetworkSettings") or {}
    status = state_of(text_of(state, "Status"))
    never = parse_time(state.get("StartedAt") or "") is None
    ended = not status.alive and not never
    return Container(
        key=ContainerKey(engine, item["Id"]),
        name=text_of(item, "Name").removeprefix("/"),
        image=text_of(config, "Image"),
        image_id=bare(text_of(item, "Image")),
        state=status,
        created_at=parse_time(item.get("Created") or "") or datetime.fromtimestamp(0, UTC),
        started_at=parse_time(state.get("StartedAt") or ""),
        finished_at=parse_time(state.get("FinishedAt") or ""),
        exit_code=state.get("ExitCode") if ended or status is ContainerState.RESTARTING else None,
        health=health_of((state.get("Health") or {}).get("Status") or ""),
        command=(str(item["Path"]), *map(str, item.get("Args") or ())) if item.get("Path") else (),
        ports=_inspect_ports(networks, config),
        mounts=tuple(sorted(_mount(mount) for mount in item.get("Mounts") or ())),
        labels=texts_of(config.get("Labels")),
        networks=tuple(sorted(map(str, networks.get("Networks") or ()))),
        gpus_given=gpus_given(host.get("DeviceRequests") or ()),
        oom_killed=bool(state.get("OOMKilled")),
    )


def gpus_given(requests: Iterable[Json]) -> tuple[str, ...]:
    """What HostConfig.DeviceRequests gives, in words: CDI names, device ids, "all", or a number."""
    given: list[str] = []
    for request in requests:
        ids = request.get("DeviceIDs") or ()
        count = request.get("Count") or 0
        given += [str(device) for device in ids]
        if not ids and count:
            given.append("all" if count < 0 else str(count))
    return tuple(given)


def engine_info(version: Json, info: Json, *, api_version: str, local: bool) -> EngineInfo:
    """GET /version and GET /info."""
    cdi = tuple(
        device["ID"]
        for device in info.get("DiscoveredDevices") or ()
        if device.get("Source") == "cdi" and device.get("ID")
    )
    return EngineInfo(
        version=version.get("Version") or info.get("ServerVersion") or "",
        api_version=api_version,
        rootless=any("name=rootless" in option for option in info.get("SecurityOptions") or ()),
        local=local,
        os=info.get("OperatingSystem") or "",
        arch=version.get("Arch") or "",
        kernel=info.get("KernelVersion") or "",
        cgroup_version=str(info.get("CgroupVersion") or ""),
        cpus=info.get("NCPU") or 0,
        memory_bytes=info.get("MemTotal") or 0,
        graph_root=info.get("DockerRootDir") or "",
        host=info.get("Name") or "",
        cdi_devices=cdi,
        runtimes=tuple(sorted(map(str, info.get("Runtimes") or ()), key=lambda one: one != info.get("DefaultRuntime"))),
        cdi_folders=tuple(map(str, info.get("CDISpecDirs") or ())),
        capabilities=Capabilities(_lacking(info)),
    )


def negotiated(engine: EngineId, version: Json) -> str:
    """The API version to speak, of GET /version. Raises Unsupported where there is none in common, Protocol where
    it tells none.
    """
    newest, oldest = str(version["ApiVersion"]), str(version.get("MinAPIVersion") or "1.12")
    try:
        theirs, least = (tuple(int(part) for part in text.split(".")) for text in (newest, oldest))
    except ValueError as error:
        raise Protocol("Docker tells no API version", detail=newest, engine=engine) from error
    chosen = min(theirs, NEWEST_API)
    if chosen < OLDEST_API or least > NEWEST_API:
        detail = f"it speaks API {oldest} to {newest}, Tranship 1.40 to 1.51"
        raise Unsupported("This Docker is too old or too new", detail=detail, engine=engine)
    return ".".join(map(str, chosen))


def _lacking(info: Json) -> dict[Capability, str]:
    lacking: dict[Capability, str] = {}
    if info.get("CgroupDriver") == "none":
        # Measured on Docker 26.1: rootless on cgroup v1 it reports the whole machine's figures as the container's.
        lacking[Capability.PAUSE] = "rootless Docker without cgroup v2 cannot freeze processes"
        lacking[Capability.STATS_API] = "rootless Docker without cgroup v2 measures the whole machine"
        lacking[Capability.RESOURCE_LIMITS] = "rootless Docker without cgroup v2 enforces no limits"
    elif not info.get("MemoryLimit", True):
        lacking[Capability.RESOURCE_LIMITS] = "this host's kernel enforces no memory limit"
    if not info.get("CDISpecDirs"):
        lacking[Capability.CDI] = "CDI is off in this Docker (features.cdi in daemon.json, Docker 25 and later)"
    return lacking


def mount_points(item: Json) -> frozenset[str]:
    """Where something is mounted in a container, of GET /containers/{id}/json."""
    tmpfs = (item.get("HostConfig") or {}).get("Tmpfs") or {}
    places = (*(mount.get("Destination") or "" for mount in item.get("Mounts") or ()), *tmpfs)
    return frozenset(str(place).rstrip("/") for place in places if place)


def changed_paths(items: Iterable[Json], mounted: Iterable[str]) -> tuple[ChangedPath, ...]:
    """GET /containers/{id}/changes, sorted; without the places where something is mounted, and what is below."""
    places = set(mounted)

    def ours(path: str) -> bool:
        parts = path.split("/")
        return not any("/".join(parts[:count]) in places for count in range(2, len(parts) + 1))

    found = (ChangedPath(str(item["Path"]), _CHANGES[int(item["Kind"])]) for item in items)
    return tuple(sorted(change for change in found if ours(change.path)))


def event(engine: EngineId, item: Json) -> EngineEvent:
    """One message of GET /events."""
    word = item.get("Type") or ""
    kind = EventKind(word) if word in {"container", "image", "volume", "network"} else EventKind.OTHER
    actor = item.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    nanoseconds = int(item.get("timeNano") or 0) or int(item.get("time") or 0) * 1_000_000_000
    return EngineEvent(
        engine=engine,
        kind=kind,
        action=text_of(item, "Action") or text_of(item, "status"),
        id=text_of(actor, "ID") or text_of(item, "id"),
        at=from_unix(nanoseconds / 1e9),
        name=text_of(attributes, "name"),
        exit_code=int(code) if (code := str(attributes.get("exitCode") or "")).isdecimal() else None,
    )


__all__ = [
    "EVENT_ACTIONS",
    "bare",
    "changed_paths",
    "container_from_inspect",
    "container_from_list",
    "engine_info",
    "event",
    "gpus_given",
    "mount_points",
    "negotiated",
    "texts_of",
]
