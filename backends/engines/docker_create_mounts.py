"""Mounts of a recipe as HostConfig.Binds, Mounts and Tmpfs. Pure; used by docker_create alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backends.engines.docker_create_host import cannot
from backends.model.container import MountKind
from backends.model.workload import MountSpec

_CREATES_SOURCE = (1, 42)  # first version with BindOptions.CreateMountpoint
_FORCES_READ_ONLY = (1, 44)  # first version with BindOptions.ReadOnlyForceRecursive


def host_mounts(mounts: Iterable[MountSpec], api: tuple[int, ...]) -> dict[str, Any]:
    """Mounts makes no missing bind source, and knows no SELinux label; Binds knows labels, and makes the source."""
    host: dict[str, Any] = {"Mounts": []}
    for mount in mounts:
        if mount.kind is MountKind.TMPFS:
            host.setdefault("Tmpfs", {})[mount.destination] = _tmpfs(mount)
        elif mount.kind not in {MountKind.BIND, MountKind.VOLUME}:
            cannot(f"mounts[{mount.destination}].kind", mount.kind.value, "Docker knows no such mount")
        elif mount.relabel or (mount.create_source and _plain(mount)):
            host.setdefault("Binds", []).append(_words(mount))
        else:
            host["Mounts"].append(_item(mount, api))
    return host


def _plain(mount: MountSpec) -> bool:
    """Binds can say it."""
    return mount.recursive and not mount.options and ":" not in mount.source + mount.destination


def _words(mount: MountSpec) -> str:
    if not mount.source or not _plain(mount) or mount.subpath:
        cannot(
            f"mounts[{mount.destination}].relabel", mount.relabel, "Docker labels plain named binds and volumes only"
        )
    words = [
        "ro" if mount.read_only else "rw",
        mount.relabel,
        mount.propagation if mount.kind is MountKind.BIND else "",
        "nocopy" if mount.no_copy and mount.kind is MountKind.VOLUME else "",
    ]
    return f"{mount.source}:{mount.destination}:{','.join(word for word in words if word)}"


def _item(mount: MountSpec, api: tuple[int, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {"Type": mount.kind.value, "Target": mount.destination, "ReadOnly": mount.read_only}
    if mount.source:
        body["Source"] = mount.source
    options: dict[str, Any] = {}
    more = set(mount.options)
    if mount.kind is MountKind.BIND:
        if mount.propagation:
            options["Propagation"] = mount.propagation
        if not mount.recursive:
            options["NonRecursive"] = True
        if mount.create_source:
            if api < _CREATES_SOURCE:
                cannot(f"mounts[{mount.destination}].create_source", "true", "this Docker is too old for it")
            options["CreateMountpoint"] = True
        if "rro" in more and api >= _FORCES_READ_ONLY:
            more.remove("rro")
            options["ReadOnlyForceRecursive"] = True
    else:
        if mount.no_copy:
            options["NoCopy"] = True
        if mount.subpath:
            options["Subpath"] = mount.subpath
    if more:
        cannot(f"mounts[{mount.destination}].options", ",".join(sorted(more)), "Docker knows no such mount option")
    if options:
        body["BindOptions" if mount.kind is MountKind.BIND else "VolumeOptions"] = options
    return body


def _tmpfs(mount: MountSpec) -> str:
    if mount.no_copy is False:
        cannot(f"mounts[{mount.destination}].no_copy", "false", "Docker mounts a tmpfs empty")
    words = ["ro"] if mount.read_only else []
    if mount.size_bytes:
        words.append(f"size={mount.size_bytes}")
    if mount.mode is not None:
        words.append(f"mode={mount.mode:o}")
    return ",".join([*words, *mount.options])


__all__ = ["host_mounts"]
