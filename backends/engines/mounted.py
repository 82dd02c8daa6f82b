"""Which containers have which volumes mounted, of what an engine tells of containers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backends.model.container import Container, MountKind

SIZES_TIMEOUT_S = 300.0
"""For sizes of all volumes: the engines walk through all their files."""


def mounted_in(containers: Iterable[Container]) -> Mapping[str, tuple[str, ...]]:
    """Names of containers by the volume that they have mounted, sorted."""
    users: dict[str, set[str]] = {}
    for row in containers:
        for mount in row.mounts:
            if mount.kind is MountKind.VOLUME and mount.source:
                users.setdefault(mount.source, set()).add(row.name)
    return {volume: tuple(sorted(names)) for volume, names in users.items()}


__all__ = ["SIZES_TIMEOUT_S", "mounted_in"]
