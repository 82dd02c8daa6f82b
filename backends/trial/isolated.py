"""A recipe made over for a trial: names, volumes and ports of its own, nothing of the original's in reach. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backends.model.container import MountKind, Port
from backends.model.settings import NamespaceSpec, NetworkingSpec
from backends.model.workload import RestartPolicy, WorkloadSpec

_FOREIGN = "container:"
LOOPBACK = "127.0.0.1"


def isolated(
    spec: WorkloadSpec, name: str, labels: Mapping[str, str], volumes: Mapping[str, str]
) -> tuple[WorkloadSpec, tuple[str, ...]]:
    """The recipe for a copy, and what is otherwise than with the original, in words.

    labels: instead of all of its own, so that no other program takes it for one of its own. volumes: the names of the
    copies, by those of the originals. Ports go to free ones of 127.0.0.1, folders of the host can only be read, and it
    is neither started again by the engine nor removed by it.
    """
    notes: list[str] = []
    mounts = []
    for mount in spec.mounts:
        if mount.kind is MountKind.VOLUME and mount.source in volumes:
            mounts.append(replace(mount, source=volumes[mount.source], anonymous=False))
        elif mount.anonymous:
            mounts.append(replace(mount, source=""))
            notes.append(f"the volume without a name at {mount.destination} is a new one")
        elif mount.kind is MountKind.BIND and not mount.read_only:
            mounts.append(replace(mount, read_only=True, create_source=False))
            notes.append(f"{mount.source} of the host is mounted read-only at {mount.destination}")
        else:
            mounts.append(mount)
    network = spec.network
    if network.networks or network.mode.startswith(_FOREIGN) or network.mode == "host":
        what = ", ".join(one.network for one in network.networks) or network.mode
        notes.append(f"it is on the engine's default network instead of {what}")
    network = NetworkingSpec(
        mode="none" if network.mode == "none" else "",
        dns=network.dns,
        dns_search=network.dns_search,
        dns_options=network.dns_options,
        extra_hosts=network.extra_hosts,
    )
    made = replace(
        spec,
        name=name,
        labels=dict(labels),
        mounts=tuple(mounts),
        ports=tuple(_free(port) for port in spec.ports),
        network=network,
        namespaces=_own(spec.namespaces, notes),
        restart=RestartPolicy(),
        process=replace(spec.process, auto_remove=False),
        unmapped=(),
    )
    return made, tuple(notes)


def _free(port: Port) -> Port:
    return port if port.host_port is None else replace(port, host_ip=LOOPBACK, host_port=0)


def _own(spaces: NamespaceSpec, notes: list[str]) -> NamespaceSpec:
    """Namespaces that are not another container's."""
    made = replace(
        spaces,
        ipc=_not_foreign(spaces.ipc),
        pid=_not_foreign(spaces.pid),
        uts=_not_foreign(spaces.uts),
        cgroup=_not_foreign(spaces.cgroup),
        user=_not_foreign(spaces.user),
    )
    if made != spaces:
        notes.append("namespaces that it shares with another container are its own")
    return made


def _not_foreign(space: str) -> str:
    return "" if space.startswith(_FOREIGN) else space


__all__ = ["LOOPBACK", "isolated"]
