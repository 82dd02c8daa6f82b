"""Container ids in cgroup paths. Pure: may not open anything.

Directory names, by engine, driver and version (cgroup v1, v2 and hybrid alike):
  docker/ID, docker-ID.scope, buildkit's docker/buildkit/…          Docker: cgroupfs, systemd
  libpod_parent/libpod-ID, libpod-ID.scope, libpod-ID/container     Podman: cgroupfs, systemd, split
  user.slice/user-1000.slice/user@1000.service/…/libpod-ID.scope    rootless Podman with systemd
  kubepods/burstable/podUID/ID, cri-containerd-ID.scope, crio-ID    Kubernetes
Not containers: libpod-conmon-ID and crio-conmon-ID (the monitor), libpod_pod_ID and
machine-libpod_pod_ID.slice (the pod around its containers), init.scope and the like.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

# 64 hex digits with no further letter or digit beside them.
_ID = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{64})(?![0-9A-Za-z])")
_NOT_A_CONTAINER = ("conmon-", "libpod_pod_")


def id_in_directory(name: str) -> str:
    """The container id that a cgroup directory's name carries; "" where it is not a container's directory."""
    match = _ID.search(name)
    if match is None or name[: match.start()].endswith(_NOT_A_CONTAINER):
        return ""
    return match.group(1)


def container_ids_in(cgroup_text: str) -> tuple[str, ...]:
    """Ids in the text of /proc/PID/cgroup, outermost container first, each once.

    A process has one path per hierarchy (v1) or one in all (v2); the longest chain of ids is taken, since
    some hierarchies may leave the process at the root (rootless Podman on v1, partly delegated controllers).
    """
    chains = (tuple(dict.fromkeys(_ids_in_path(path))) for path in _paths(cgroup_text))
    return max(chains, key=len, default=())


def container_id_in(cgroup_text: str, known: Collection[str] | None = None) -> str:
    """The container of a process from the text of its /proc/PID/cgroup, "" where it is in none.

    Of nested ones (Docker in Docker, kind) the innermost; with `known`, the innermost of those that are known.
    """
    return innermost(container_ids_in(cgroup_text), known)


def innermost(ids: tuple[str, ...], known: Collection[str] | None = None) -> str:
    """Of nested containers, outermost first, the innermost one that is known, else the innermost; "" of none."""
    for candidate in reversed(ids):
        if known is None or candidate in known:
            return candidate
    return ids[-1] if ids else ""


def _paths(cgroup_text: str) -> Iterator[str]:
    for line in cgroup_text.splitlines():
        parts = line.split(":", 2)  # "hierarchy:controllers:path", the path may hold colons
        if len(parts) == 3:
            yield parts[2]


def _ids_in_path(path: str) -> Iterator[str]:
    for name in path.split("/"):
        if found := id_in_directory(name):
            yield found
