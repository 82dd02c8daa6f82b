"""Namespaces of the host that a container shares. Pure. Source: CIS Docker Benchmark 1.6, 5.9, 5.15, 5.16, 5.20."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backends.security.facts import ContainerFacts
from backends.security.finding import SecurityFinding, Severity


@dataclass(frozen=True, slots=True)
class _Space:
    """One namespace. field: in inspect. severity: where the host's is shared. gives: what that opens."""

    name: str
    field: str
    severity: Severity
    gives: str
    remedy: str
    flags: str


_SPACES = (
    _Space("network", "HostConfig.NetworkMode", Severity.HIGH,
           "It reaches services on the host's loopback and listens on every port, past all publishing.",
           "Publish the ports that it serves, on the address that they are for.", "--publish 127.0.0.1:PORT:PORT"),
    _Space("pid", "HostConfig.PidMode", Severity.HIGH,
           "It sees all processes of the host, their environment too, and as root it may trace and end them.",
           "Make it again without --pid host.", ""),
    _Space("ipc", "HostConfig.IpcMode", Severity.MEDIUM,
           "It reads and writes shared memory of all processes of the host.",
           "Give it its own /dev/shm, large enough for the data loaders.", "--ipc=private --shm-size 8g"),
    _Space("uts", "HostConfig.UTSMode", Severity.LOW, "With CAP_SYS_ADMIN it renames the host.",
           "Give it its own.", "--hostname NAME"),
    _Space("cgroup", "HostConfig.CgroupnsMode", Severity.LOW, "It sees the control groups of the whole host.",
           "Give it its own.", "--cgroupns=private"),
    _Space("user", "HostConfig.UsernsMode", Severity.MEDIUM,
           "The daemon maps users, and this container is left out: root in it is root of the host.",
           "Make it again without this option.", ""),
)  # fmt: skip


def spaces(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """One finding for each of the host's namespaces that it shares because somebody asked for it."""
    own = facts.spec.namespaces
    modes = {
        "network": facts.spec.network.mode, "pid": own.pid, "ipc": own.ipc, "uts": own.uts,
        "cgroup": own.cgroup, "user": own.user,
    }  # fmt: skip
    for space in _SPACES:
        if modes[space.name] != "host" or _usual(space.name, facts):
            continue
        yield SecurityFinding(
            f"host-{space.name}", space.severity.lowered() if facts.info.rootless else space.severity,
            f"shares the host's {space.name} namespace", space.field, "host", space.gives, space.remedy, space.flags,
        )  # fmt: skip


def _usual(name: str, facts: ContainerFacts) -> bool:
    """Whether "host" is what the engine gives anyhow: cgroups on version 1, users where nothing maps them."""
    if name == "cgroup":
        return facts.info.cgroup_version != "2"
    return name == "user" and not (facts.docker and bool(facts.info.policy.userns_remap))


__all__ = ["spaces"]
