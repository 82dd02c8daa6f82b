"""Mounts of a recipe as options of `docker run` and `podman run`. Pure; used by `command` alone."""

from __future__ import annotations

from collections.abc import Iterator

from backends.model.container import MountKind
from backends.model.workload import MountSpec

Flag = tuple[str, ...]


def mount_flags(mount: MountSpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """One option. --mount where it says all, since it makes no missing folder; --volume where that is wanted."""
    if mount.kind is MountKind.TMPFS:
        yield _tmpfs(mount, podman)
    elif mount.kind not in {MountKind.BIND, MountKind.VOLUME}:
        unsaid.append(f"the mount at {mount.destination}")
    elif _short(mount, podman):
        yield ("--volume", _words(mount))
    else:
        yield ("--mount", _long(mount, podman, unsaid))


def _short(mount: MountSpec, podman: bool) -> bool:
    """Whether --volume says it, and says it better. Podman's makes no missing folder either."""
    if ":" in mount.source + mount.destination or mount.subpath or not mount.recursive:
        return False
    if not mount.source:
        return not mount.read_only and not mount.options
    if mount.kind is MountKind.BIND:
        return podman or bool(mount.relabel) or (mount.create_source and not mount.options)
    return podman or (not mount.options and not mount.propagation)


def _words(mount: MountSpec) -> str:
    words = ["ro"] if mount.read_only else []
    words += [word for word in (mount.relabel, mount.propagation, *mount.options) if word]
    if mount.no_copy is not None and mount.kind is MountKind.VOLUME:
        words += ["nocopy"] if mount.no_copy else []
    text = f"{mount.source}:{mount.destination}" if mount.source else mount.destination
    return f"{text}:{','.join(words)}" if words else text


def _long(mount: MountSpec, podman: bool, unsaid: list[str]) -> str:
    parts = [f"type={mount.kind.value}"]
    parts += [f"source={mount.source}"] if mount.source else []
    parts += [f"target={mount.destination}"]
    parts += ["readonly"] if mount.read_only else []
    left = list(mount.options)
    if mount.kind is MountKind.BIND:
        parts += [f"bind-propagation={mount.propagation}"] if mount.propagation else []
        parts += [] if mount.recursive else ["bind-nonrecursive"]
        parts += [f"relabel={'shared' if mount.relabel == 'z' else 'private'}"] if podman and mount.relabel else []
        if "rro" in left and not podman:
            left.remove("rro")
            parts.append("bind-recursive=readonly")
    else:
        parts += ["volume-nocopy"] if mount.no_copy else []
        parts += [f"{'subpath' if podman else 'volume-subpath'}={mount.subpath}"] if mount.subpath else []
    unsaid += [f"the option {option} of the mount at {mount.destination}" for option in left]
    return ",".join(f'"{part}"' if "," in part else part for part in parts)


def _tmpfs(mount: MountSpec, podman: bool) -> Flag:
    words = ["ro"] if mount.read_only else []
    words += [f"size={mount.size_bytes}"] if mount.size_bytes else []
    words += [f"mode={mount.mode:o}"] if mount.mode is not None else []
    if podman and mount.no_copy is not None:
        words.append("notmpcopyup" if mount.no_copy else "tmpcopyup")
    words += mount.options
    return ("--tmpfs", f"{mount.destination}:{','.join(words)}" if words else mount.destination)


__all__ = ["mount_flags"]
