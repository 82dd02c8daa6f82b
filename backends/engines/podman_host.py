"""What Podman says of its host: controllers, security modules, image store, id ranges, CDI devices, free room.

Reads files of this machine only where the engine is on it: call those functions in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backends import cdi
from backends.model.capabilities import EngineInfo, EnginePolicy, Room

_CDI_FOLDERS = ("/etc/cdi", "/var/run/cdi")
"""Source: containers.conf(5), cdi_spec_dirs."""
_BLOCK_IO = "blkio"  # cgroup v1's name of "io"


def described(told: EngineInfo, info: Mapping[str, Any]) -> EngineInfo:
    """`told` with what `GET /libpod/info` says of the host."""
    host, store = info.get("host") or {}, info.get("store") or {}
    rights = host.get("security") or {}
    names = ("io" if name == _BLOCK_IO else str(name) for name in host.get("cgroupControllers") or ())
    ranges = (host.get("idMappings") or {}).get("uidmap") or ()
    return replace(
        told,
        cgroup_controllers=tuple(sorted(names)),
        seccomp=_flag(rights.get("seccompEnabled")),
        apparmor=_flag(rights.get("apparmorEnabled")),
        selinux=_flag(rights.get("selinuxEnabled")),
        image_store=str(store.get("graphDriverName") or ""),
        id_ranges=tuple(sorted((int(one["container_id"]), int(one["size"])) for one in ranges)),
        policy=_policy(info, rights),
    )


def _policy(info: Mapping[str, Any], rights: Mapping[str, Any]) -> EnginePolicy:
    """Its settings: the capabilities that containers.conf gives, and what registries.conf says."""
    told = info.get("registries") or {}
    named = {name: one for name, one in told.items() if isinstance(one, Mapping)}
    return EnginePolicy(
        default_caps=tuple(sorted(name for name in str(rights.get("capabilities") or "").split(",") if name)),
        insecure_registries=tuple(sorted(name for name, one in named.items() if one.get("Insecure"))),
        search_registries=tuple(map(str, told.get("search") or ())),
        blocked_registries=tuple(sorted(name for name, one in named.items() if one.get("Blocked"))),
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def told_by_files(told: EngineInfo) -> EngineInfo:
    """`told` with what only files of the engine's machine say: the names of its CDI devices."""
    return replace(told, cdi_devices=cdi.read_files(_CDI_FOLDERS).names())


def room_told(info: Mapping[str, Any]) -> tuple[Room, int]:
    """What `GET /libpod/info` says of the graph root's file system, and that one's size in bytes (0 = not told).

    Podman unpacks loaded archives in the folder for image copies (podman cmd/podman/root.go: it becomes TMPDIR).
    """
    store = info.get("store") or {}
    size, used = int(store.get("graphRootAllocated") or 0), int(store.get("graphRootUsed") or 0)
    root, temporary = str(store.get("graphRoot") or ""), str(store.get("imageCopyTmpDir") or "")
    return Room(root, max(0, size - used) if size else None, temporary, None), size


def room_here(room: Room, size_bytes: int) -> Room:
    """`room` with what this machine's file systems say. size_bytes: of the one that the engine means.

    The engine's own figure counts what is kept for root; ours does not, where it is the same file system.
    """
    root, temporary = _file_system(room.graph_root), _file_system(room.temp_dir)
    if root is not None and root.f_blocks * root.f_frsize == size_bytes:
        room = replace(room, free_bytes=root.f_bavail * root.f_frsize)
    if temporary is not None:
        room = replace(room, temp_free_bytes=temporary.f_bavail * temporary.f_frsize)
    return room


def _file_system(path: str) -> os.statvfs_result | None:
    """None for another machine's path (of a virtual machine), and one that is not ours to reach."""
    try:
        return os.statvfs(path)
    except OSError:
        return None


__all__ = ["described", "room_here", "room_told", "told_by_files"]
