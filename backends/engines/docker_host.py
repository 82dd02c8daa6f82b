"""What Docker says of its host: controllers, security modules, image store, id ranges, free room.

Reads files of this machine only where the engine is on it: call those functions in a thread.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends import cdi
from backends.engines.docker_defaults import HostDefaults
from backends.model.capabilities import EngineInfo, EnginePolicy, Room
from backends.wire.endpoint import Endpoint, Scheme

_SUBUID = Path("/etc/subuid")

_CONTAINERD_STORE = "io.containerd.snapshotter"
_NO_IO = ("No io.max", "No blkio throttle")  # moby pkg/sysinfo's warnings


def described(told: EngineInfo, info: Mapping[str, Any]) -> EngineInfo:
    """`told` with what GET /info says of the host. Docker names no controllers: its flags say what it found usable."""
    options = [
        dict(part.partition("=")[::2] for part in str(one).split(",")) for one in info.get("SecurityOptions") or ()
    ]
    names = {option.get("name") for option in options}
    found = [name for name, key in (("cpuset", "CPUSet"), ("pids", "PidsLimit")) if info.get(key)]
    found += ["memory"] if info.get("MemoryLimit") else []
    found += ["cpu"] if info.get("CPUShares", info.get("CpuCfsQuota")) else []
    warnings = [str(text) for text in info.get("Warnings") or ()]
    found += ["io"] if found and not any(sign in text for text in warnings for sign in _NO_IO) else []
    return replace(
        told,
        cgroup_controllers=tuple(sorted(found)) if info.get("CgroupDriver") != "none" else (),
        seccomp="seccomp" in names,
        apparmor="apparmor" in names,
        selinux="selinux" in names,
        image_store="containerd" if containerd_store(info) else str(info.get("Driver") or ""),
        policy=_policy(info, names),
    )


def _policy(info: Mapping[str, Any], options: set[str | None]) -> EnginePolicy:
    """Its settings by GET /info. Docker does not tell the capabilities that it gives: they are in its source."""
    registries = info.get("RegistryConfig") or {}
    plain = [name for name, one in (registries.get("IndexConfigs") or {}).items() if one.get("Secure") is False]
    live, state = info.get("LiveRestoreEnabled"), (info.get("Swarm") or {}).get("LocalNodeState")
    return EnginePolicy(
        userns_remap="userns" in options,
        live_restore=live if isinstance(live, bool) else None,
        no_new_privileges="no-new-privileges" in options,
        swarm=None if state is None else state == "active",
        insecure_registries=tuple(sorted({*map(str, registries.get("InsecureRegistryCIDRs") or ()), *plain})),
        search_registries=("docker.io",),
    )


def containerd_store(info: Mapping[str, Any]) -> bool:
    """Whether images lie in containerd's store, whose ids are manifest digests."""
    return any(_CONTAINERD_STORE in str(part) for pair in info.get("DriverStatus") or () for part in pair)


def host_defaults(told: EngineInfo, info: Mapping[str, Any]) -> HostDefaults:
    """What this daemon gives to a container that asks for nothing."""
    return HostDefaults(
        told.cgroup_version,
        str(info.get("DefaultRuntime") or "runc"),
        str(info.get("LoggingDriver") or "json-file"),
        str(info.get("Name") or ""),
        info.get("SwapLimit") is not False,
    )


def told_by_files(told: EngineInfo, info: Mapping[str, Any], endpoint: Endpoint) -> EngineInfo:
    """`told` with what only files of the engine's machine say: CDI names before API 1.50, ranges of ids."""
    if not told.cdi_devices:
        told = replace(told, cdi_devices=cdi.read_files(info.get("CDISpecDirs") or ()).names())
    return replace(told, id_ranges=_id_ranges(told, info, endpoint))


def _id_ranges(told: EngineInfo, info: Mapping[str, Any], endpoint: Endpoint) -> tuple[tuple[int, int], ...]:
    """() where every id exists, and where it cannot be read. Source: subuid(5); moby docs, userns-remap."""
    try:
        text = _SUBUID.read_text(encoding="utf-8", errors="replace")
        owner = os.stat(endpoint.address).st_uid if endpoint.scheme is Scheme.UNIX else -1
    except OSError:
        return ()  # not ours to read: the ranges are not told, as they are not for a remote engine
    if told.rootless:
        if count := sum(count for _, count in _ranges(text, _names(owner))):
            return ((0, 1), (1, count))
        return ()
    if not any("name=userns" in str(option) for option in info.get("SecurityOptions") or ()):
        return ()
    start = Path(told.graph_root).name.partition(".")[0]  # DockerRootDir ends in "UID.GID" of the remapped root
    for first, count in _ranges(text, None):
        if str(first) == start:
            return ((0, count),)
    return ()


def _names(uid: int) -> set[str]:
    try:
        return {str(uid), pwd.getpwuid(uid).pw_name}
    except (KeyError, OverflowError):
        return {str(uid)}


def _ranges(text: str, owners: set[str] | None) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for line in text.splitlines():
        parts: Sequence[str] = line.strip().split(":")
        if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal() and (not owners or parts[0] in owners):
            found.append((int(parts[1]), int(parts[2])))
    return found


def room_here(graph_root: str) -> Room:
    """Free room of a graph root on this machine. Docker unpacks loaded archives in its folder "tmp"."""
    room = Room(graph_root, None, f"{graph_root}/tmp", None)
    try:
        free = os.statvfs(graph_root)
    except OSError:
        return room  # another machine's path (Docker Desktop), or not ours to reach
    room = replace(room, free_bytes=free.f_bavail * free.f_frsize)
    try:
        temporary = os.statvfs(room.temp_dir)
    except OSError:
        return replace(room, temp_free_bytes=room.free_bytes)  # only root may look inside; it is a plain folder there
    return replace(room, temp_free_bytes=temporary.f_bavail * temporary.f_frsize)


__all__ = ["containerd_store", "described", "host_defaults", "room_here", "told_by_files"]
