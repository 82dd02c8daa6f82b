"""Pure: mounts, ports and devices of a container's inspect JSON as parts of a recipe. Used by podman_recipe alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from backends.engines.podman_asked import Asked
from backends.engines.podman_defaults import unmapped
from backends.engines.podman_translate import Json, inspected_ports, mount_of, split_port, strings
from backends.engines.ports import port_order
from backends.model.container import MountKind, Port
from backends.model.settings import DeviceSpec
from backends.model.workload import MountSpec, UnmappedField

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_MOUNT_KEYS = {"Type", "Name", "Source", "Destination", "Driver", "Mode", "Options", "RW", "Propagation", "SubPath"}
_SAID_ELSEWHERE = {"rbind", "bind", "rw", "ro", "rprivate", "private"}
_OWN = {"nosuid", "nodev"}
"""Podman adds them to volumes and tmpfs by itself."""
_PROPAGATIONS = {"shared", "rshared", "slave", "rslave", "unbindable", "runbindable"}
_GPU_NODES = re.compile(r"/dev/nvidia.*|/dev/dri/.*|/dev/kfd|/dev/dxg")


def _bytes(text: str) -> int | None:
    """A tmpfs' size ("5m"; powers of 1024, tmpfs(5)); None for a share of the memory ("50%")."""
    number = re.fullmatch(r"(\d+)([kmg]?)b?", text.lower())
    return int(number[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[number[2]] if number else None


def mounts(inspect: Json, asked: Asked) -> Iterator[MountSpec]:
    """Binds, volumes and tmpfs. What is of another kind stands in `mount_details`."""
    told = {str(entry.get("destination")): entry for entry in asked.entries("mounts")}
    for entry in inspect.get("Mounts") or ():
        mount = mount_of(entry)
        said = told.get(mount.destination, {})
        if mount.kind is MountKind.BIND or mount.kind is MountKind.VOLUME:
            yield _mounted(entry, said)
    for place, text in ((inspect["HostConfig"] or {}).get("Tmpfs") or {}).items():
        yield _tmpfs(str(place), str(text), told.get(str(place), {}))


def _mounted(entry: Json, said: Json) -> MountSpec:
    mount = mount_of(entry)
    named = mount.kind is MountKind.VOLUME
    words = strings(entry.get("Options"))
    no_copy: bool | None = None
    if named and ("nocopy" in words or "copy" in words):
        no_copy = "nocopy" in words
    propagation = str(entry.get("Propagation") or "")
    if propagation in {"rprivate", "private"} and said.get("propagation") != propagation:
        propagation = ""
    return MountSpec(
        mount.kind,
        mount.source,
        mount.destination,
        mount.read_only,
        anonymous=bool(said.get("anonymous")) or (named and bool(_ANONYMOUS.fullmatch(mount.source))),
        subpath=str(entry.get("SubPath") or "") if named else "",
        no_copy=no_copy,
        propagation=propagation,
        relabel=str(entry.get("Mode") or "") if entry.get("Mode") in {"z", "Z"} else "",
        options=_further(words, said, own=_OWN if named else set()),
        recursive=named or "bind" not in words,
        create_source=bool(said.get("create_source")),
    )


def _further(words: Iterable[str], said: Json, *, own: set[str]) -> tuple[str, ...]:
    """Mount options beyond those that other fields say and that Podman adds by itself, sorted."""
    words = set(words)
    asked = words & set(strings(said.get("options")))
    skip = _SAID_ELSEWHERE | _PROPAGATIONS | {"nocopy", "copy", "z", "Z"} | own
    return tuple(sorted((words - skip) | asked))


def _tmpfs(place: str, text: str, said: Json) -> MountSpec:
    words = [word for word in text.split(",") if word]
    size, mode, rest = 0, None, []
    for word in words:
        name, equals, value = word.partition("=")
        if name == "size" and (number := _bytes(value)) is not None:
            size = number
        elif name == "mode" and equals and re.fullmatch(r"[0-7]+", value):
            mode = int(value, 8)
        elif name not in {"tmpcopyup", "notmpcopyup"}:
            rest.append(word)
    # Podman writes its own default, tmpcopyup, out; without it nothing is copied.
    no_copy = None if "tmpcopyup" in words else True
    if no_copy is None and said.get("no_copy") is False:
        no_copy = False
    propagation = next((word for word in words if word in _PROPAGATIONS), "")
    return MountSpec(
        MountKind.TMPFS,
        "",
        place,
        "ro" in words,
        no_copy=no_copy,
        propagation=propagation,
        options=_further(rest, said, own=_OWN),
        size_bytes=size,
        mode=mode,
    )


def mount_details(entries: Iterable[Json]) -> Iterator[UnmappedField]:
    """Mounts of other kinds, and what of the others a MountSpec does not say."""
    for entry in entries:
        path = f"Mounts[{entry.get('Destination')}]"
        kind = mount_of(entry).kind
        if kind is MountKind.TMPFS:
            continue
        if kind is MountKind.OTHER:
            yield unmapped(path, dict(entry), f"mounts of type {entry.get('Type') or 'unknown'} are not carried")
            continue
        odd: dict[str, Any] = {key: value for key, value in entry.items() if key not in _MOUNT_KEYS and value}
        if entry.get("SubPath") and kind is MountKind.BIND:
            odd["SubPath"] = entry["SubPath"]
        if entry.get("Mode") not in (None, "", "z", "Z"):
            odd["Mode"] = entry["Mode"]
        if entry.get("Driver") not in (None, "", "local"):
            odd["Driver"] = entry["Driver"]
        if odd:
            yield unmapped(path, odd)


def ports(config: Json, settings: Json, image: Json, asked: Asked) -> tuple[Port, ...]:
    """Published ports, and exposed ones that the image does not expose itself.

    A number that the engine chose is 0 where it is known that the choice was left to it.
    """
    published = inspected_ports(settings.get("PortBindings"))
    everything = bool(settings.get("PublishAllPorts"))
    of_image = {split_port(name) for name in image.get("ExposedPorts") or ()}
    exposed = {split_port(name) for name in config.get("ExposedPorts") or ()}
    wanted = asked.entries("ports") if asked.ours else asked.entries("ports.published")
    if asked.known and (wanted or everything):
        published = _as_asked(published, wanted, everything=everything)
    elif everything:
        published = ()
    taken = {(port.container_port, port.protocol) for port in published} | of_image
    return (*published, *(Port(number, protocol) for number, protocol in sorted(exposed - taken)))


def _place(entry: Mapping[str, Any]) -> tuple[int, str, str]:
    return int(entry.get("container_port") or 0), str(entry.get("protocol")), str(entry.get("host_ip") or "")


def _as_asked(
    published: tuple[Port, ...], entries: tuple[Mapping[str, Any], ...], *, everything: bool
) -> tuple[Port, ...]:
    """What was published one by one, where it is there; what publish-all added is left to publish-all."""
    wanted = {_place(entry): entry.get("host_port") for entry in entries}
    found: list[Port] = []
    for port in published:
        place = (port.container_port, port.protocol, port.host_ip)
        if place in wanted:
            found.append(replace(port, host_port=0) if wanted[place] == 0 else port)
        elif not everything:
            found.append(port)
    return tuple(sorted(found, key=port_order))


def devices(settings: Json, asked: Asked, *, has_gpu: bool) -> tuple[DeviceSpec, ...]:
    """Device nodes, without those that a GPU brought. Podman does not tell rights: "rwm" where they are not known."""
    told = asked.entries("security.devices")
    if asked.known and (told or has_gpu):
        return tuple(
            DeviceSpec(str(one.get("host_path")), str(one.get("container_path")), str(one.get("permissions") or "rwm"))
            for one in told
        )
    return tuple(
        DeviceSpec(
            str(one.get("PathOnHost")), str(one.get("PathInContainer")), str(one.get("CgroupPermissions") or "rwm")
        )
        for one in settings.get("Devices") or ()
        if not (has_gpu and _GPU_NODES.fullmatch(str(one.get("PathInContainer"))))
    )


__all__ = ["devices", "mount_details", "mounts", "ports"]
