"""The mounts of a recipe: what is mounted (top-level Mounts), with what was asked for (Binds, Mounts, Tmpfs). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.engines.docker_recipe_parts import Json, Left
from backends.engines.docker_translate_stores import ANONYMOUS_NAME
from backends.model.container import MountKind
from backends.model.workload import MountSpec

PROPAGATIONS = frozenset({"private", "shared", "slave", "rprivate", "rshared", "rslave"})
_RELABELS = frozenset({"z", "Z"})
_CONSISTENCIES = frozenset({"consistent", "cached", "delegated", "default"})
_ACCESS = frozenset({"", "ro", "rw"})
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(slots=True)
class _Asked:
    """What one entry of Binds (words after the second ":") or of Mounts (item) asks for."""

    path: str
    words: frozenset[str] = frozenset()
    bind: bool = False
    item: Json = field(default_factory=dict)

    def options(self, key: str) -> Mapping[str, Any]:
        return self.item.get(key) or {}


def place(text: object) -> str:
    """A destination as Docker keeps it: without a slash at its end."""
    return str(text).rstrip("/") or "/"


def mounts(inspect: Json, config: Json, host: Json, left: Left) -> tuple[MountSpec, ...]:
    """Every mount once. Those of VolumesFrom have no entry of their own: they are taken as they are mounted."""
    asked = dict(_asked(host))
    found: list[MountSpec] = []
    for item in inspect.get("Mounts") or ():
        where = str(item.get("Destination") or "")
        words = frozenset(str(item.get("Mode") or "").split(","))
        wish = asked.pop(place(where), None) or _Asked(f"Mounts[{where}]", words & (_RELABELS | PROPAGATIONS))
        made = _mount(item, where, wish, left)
        if made is not None:
            found.append(made)
    for where, words_of in (host.get("Tmpfs") or {}).items():
        found.append(_tmpfs(place(where), frozenset(str(words_of).split(",")), 0, None, False))
    for wish in asked.values():
        left.add(wish.path, sorted(wish.words) or dict(wish.item), "nothing is mounted there")
    seen = {place(mount.destination) for mount in found}
    for where in config.get("Volumes") or ():
        if place(where) not in seen:
            left.add(f"Config.Volumes[{where}]", {}, "nothing is mounted there")
    return tuple(sorted(found, key=lambda mount: mount.destination))


def _asked(host: Json) -> Iterator[tuple[str, _Asked]]:
    for bind in host.get("Binds") or ():
        parts = str(bind).split(":")
        where = parts[1] if len(parts) > 1 else parts[0]
        words = frozenset(parts[2].split(",")) if len(parts) > 2 else frozenset()
        yield place(where), _Asked(f"HostConfig.Binds[{where}]", words, bind=True)
    for item in host.get("Mounts") or ():
        where = str(item.get("Target") or "")
        yield place(where), _Asked(f"HostConfig.Mounts[{where}]", item=item)


def _mount(item: Json, where: str, wish: _Asked, left: Left) -> MountSpec | None:
    kind = item.get("Type") or ""
    read_only = not item.get("RW", True)
    if kind in {"bind", "volume"}:
        _report(kind, wish, left)
        return (_bind if kind == "bind" else _volume)(item, where, wish, read_only, left)
    if kind == "tmpfs":
        options = wish.options("TmpfsOptions")
        words = frozenset("=".join(map(str, pair)) for pair in options.get("Options") or ())
        read_only = read_only or bool(wish.item.get("ReadOnly"))
        return _tmpfs(
            where, words, int(options.get("SizeBytes") or 0), int(options.get("Mode") or 0) or None, read_only
        )
    left.add(f"Mounts[{where}]", dict(item), f"a mount of type {kind or 'unknown'} is Docker's alone")
    return None


def _bind(item: Json, where: str, wish: _Asked, read_only: bool, _left: Left) -> MountSpec:
    options = wish.options("BindOptions")
    propagation = next(iter(wish.words & PROPAGATIONS), "") or str(options.get("Propagation") or "")
    return MountSpec(
        MountKind.BIND,
        str(item.get("Source") or ""),
        where,
        read_only,
        propagation="" if propagation == "rprivate" else propagation,
        relabel=_relabel(wish),
        options=("rro",) if options.get("ReadOnlyForceRecursive") else (),
        recursive=not options.get("NonRecursive"),
        create_source=wish.bind or bool(options.get("CreateMountpoint")),
    )


def _volume(item: Json, where: str, wish: _Asked, read_only: bool, left: Left) -> MountSpec:
    name, options = str(item.get("Name") or ""), wish.options("VolumeOptions")
    if item.get("Driver") not in {"local", "", None}:
        left.add(f"Mounts[{where}].Driver", item.get("Driver"), "its data is copied into a local volume")
    return MountSpec(
        MountKind.VOLUME,
        name,
        where,
        read_only,
        anonymous=ANONYMOUS_NAME.fullmatch(name) is not None,
        subpath=str(options.get("Subpath") or ""),
        no_copy=True if "nocopy" in wish.words or options.get("NoCopy") else None,
        relabel=_relabel(wish),
    )


def _relabel(wish: _Asked) -> str:
    return next(iter(sorted(wish.words & _RELABELS)), "")


def _tmpfs(where: str, words: frozenset[str], size: int, mode: int | None, read_only: bool) -> MountSpec:
    rest: list[str] = []
    for word in words - _ACCESS:
        key, _, value = word.partition("=")
        number = _bytes(value) if key == "size" else None
        if number is not None:
            size = number
        elif key == "mode" and value and not set(value) - set("01234567"):
            mode = int(value, 8)
        else:
            rest.append(word)
    read_only = read_only or "ro" in words
    return MountSpec(MountKind.TMPFS, "", where, read_only, options=tuple(sorted(rest)), size_bytes=size, mode=mode)


def _bytes(text: str) -> int | None:
    """tmpfs' size as the kernel reads it: None for a share of the memory ("50%")."""
    digits = text.rstrip("bkmgBKMG")
    unit = text[len(digits) :].lower()
    return int(digits) * _UNITS[unit] if digits.isdecimal() and unit in _UNITS else None


_SAID_BIND = {"Propagation", "NonRecursive", "CreateMountpoint", "ReadOnlyForceRecursive"}
_SAID_VOLUME = {"NoCopy", "Subpath"}


def _report(kind: str, wish: _Asked, left: Left) -> None:
    """What was asked for and no field of MountSpec says."""
    said = _ACCESS | _RELABELS | PROPAGATIONS | {"nocopy"}
    if words := wish.words - said - _CONSISTENCIES:
        left.add(wish.path, ",".join(sorted(words)), "Tranship does not know this mount option")
    if words := wish.words & _CONSISTENCIES:
        left.add(
            f"{wish.path}.Consistency", ",".join(sorted(words)), "it has an effect on Docker Desktop for macOS only"
        )
    for key, value in wish.item.items():
        if key in {"Type", "Source", "Target", "ReadOnly"} or empty_within(value):
            continue
        if key == "Consistency":
            left.add(f"{wish.path}.{key}", value, "it has an effect on Docker Desktop for macOS only")
            continue
        carried = {"BindOptions": _SAID_BIND, "VolumeOptions": _SAID_VOLUME}.get(key)
        rest = (
            {part: inner for part, inner in value.items() if part not in carried and not empty_within(inner)}
            if carried is not None and isinstance(value, Mapping)
            else value
        )
        if not rest:
            continue
        reason = f"no other engine says it of a {kind}"
        if isinstance(rest, Mapping) and set(rest) <= {"Labels", "DriverConfig"}:
            reason = "it is the volume's own, and goes with the volume"
        elif isinstance(rest, Mapping) and set(rest) == {"ReadOnlyNonRecursive"}:
            reason = "mounts below a read-only bind stay writable; no recipe says so"
        left.add(f"{wish.path}.{key}", rest, reason)


def empty_within(value: object) -> bool:
    """Nothing is said at any depth."""
    if isinstance(value, Mapping):
        return all(empty_within(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return all(empty_within(inner) for inner in value)
    return not value


__all__ = ["PROPAGATIONS", "empty_within", "mounts", "place"]
