"""Each rule about an engine, what sockets tell of themselves, and where the engines' answers tell the facts."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.engines import docker_host, podman_host
from backends.model.capabilities import EngineInfo, EnginePolicy
from backends.model.ids import EngineId, EngineKind
from backends.security.examine import examine_engine
from backends.security.facts import EngineFacts, SocketSeen
from backends.security.finding import Severity
from backends.services.security import see_socket

POLICY = EnginePolicy(userns_remap=True, live_restore=True, no_new_privileges=True)
INFO = EngineInfo(
    "26.1", "1.45", rootless=True, local=True, cgroup_version="2", seccomp=True, apparmor=True, policy=POLICY
)
CLEAN = EngineFacts(EngineId(EngineKind.DOCKER, "docker"), "unix:///run/docker.sock", INFO)
PODMAN = replace(CLEAN, engine=EngineId(EngineKind.PODMAN, "podman"), info=replace(INFO, policy=EnginePolicy()))


def with_info(**changes: Any) -> EngineFacts:
    """The clean engine, otherwise."""
    return replace(CLEAN, info=replace(INFO, **changes))


def with_policy(**changes: Any) -> EngineFacts:
    """The clean engine with other settings of its own."""
    return with_info(policy=replace(POLICY, **changes))


def with_socket(mode: int, group: str = "docker", members: tuple[str, ...] = (), shut_by: str = "") -> EngineFacts:
    """The clean engine behind such a socket."""
    return replace(CLEAN, socket=SocketSeen("/run/docker.sock", mode, "root", group, members, shut_by))


_ONE: Mapping[str, tuple[EngineFacts, str, Severity]] = {
    "tcp": (replace(CLEAN, endpoint="tcp://10.0.0.5:2375"), "engine-tcp-plain", Severity.CRITICAL),
    "tcp, loopback": (replace(CLEAN, endpoint="tcp://127.0.0.1:2375"), "engine-tcp-plain", Severity.HIGH),
    "open socket": (with_socket(0o666), "engine-socket-open", Severity.CRITICAL),
    "open socket, shut away": (with_socket(0o666, shut_by="/run/user/1"), "engine-socket-open", Severity.LOW),
    "group": (with_socket(0o660, members=("ann", "bob")), "engine-socket-group", Severity.MEDIUM),
    "empty group": (with_socket(0o660), "engine-socket-group", Severity.INFO),
    "rootful, mapped": (with_info(rootless=False), "engine-rootful", Severity.INFO),
    "seccomp": (with_info(seccomp=False), "engine-no-seccomp", Severity.HIGH),
    "no confinement": (with_info(apparmor=False, selinux=False), "engine-no-lsm", Severity.LOW),
    "setuid": (with_policy(no_new_privileges=False), "engine-new-privileges", Severity.INFO),
    "live-restore": (with_policy(live_restore=False), "engine-no-live-restore", Severity.INFO),
    "cgroup v1, rootless": (with_info(cgroup_version="1"), "engine-cgroup-v1", Severity.MEDIUM),
    "registry": (
        with_policy(insecure_registries=("127.0.0.0/8", "10.0.0.0/8")), "engine-insecure-registry", Severity.MEDIUM),
    "short names": (
        replace(PODMAN, info=replace(PODMAN.info, policy=EnginePolicy(search_registries=("docker.io", "quay.io")))),
        "engine-short-names", Severity.LOW),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "id", "severity"), _ONE.values(), ids=_ONE.keys())
def test_one_fault_is_one_finding(facts: EngineFacts, id: str, severity: Severity) -> None:
    [one] = examine_engine(facts).findings
    assert (one.id, one.severity) == (id, severity)
    assert all((one.title, one.field, one.fact, one.why, one.remedy))


@pytest.mark.parametrize(
    "facts",
    [
        CLEAN,
        PODMAN,
        replace(CLEAN, endpoint="https://10.0.0.5:2376"),
        replace(CLEAN, endpoint="ssh://ann@gpu/var/run/docker.sock"),
        with_socket(0o600),
        with_socket(0o660, group="root"),
        with_policy(insecure_registries=("127.0.0.0/8", "::1/128", "127.0.0.1:5000", "localhost:5000")),
        with_policy(search_registries=("docker.io",)),
        with_info(apparmor=None, selinux=None, seccomp=None, cgroup_version=""),
    ],
)
def test_what_gives_nothing_away_is_let_be(facts: EngineFacts) -> None:
    assert examine_engine(facts).findings == ()


def test_a_rootful_docker_that_maps_nobody() -> None:
    facts = replace(
        with_policy(userns_remap=False), info=replace(INFO, rootless=False, policy=EnginePolicy(False, True))
    )
    assert {one.id for one in examine_engine(facts).findings} == {"engine-rootful", "engine-no-userns"}


def test_a_socket_is_seen_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    tmp_path.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o666)
        seen = see_socket(f"unix://{path}")
        assert seen is not None
        assert seen.mode == 0o666
        tmp_path.chmod(0o700)
        shut = see_socket(f"unix://{path}")
        assert shut is not None
        assert shut.shut_by == str(tmp_path)
    assert see_socket(f"unix://{tmp_path}/none.sock") is None
    assert see_socket("tcp://127.0.0.1:2375") is None


def test_docker_tells_its_settings() -> None:
    told = docker_host.described(
        INFO,
        {
            "SecurityOptions": ["name=seccomp,profile=builtin", "name=userns", "name=no-new-privileges"],
            "LiveRestoreEnabled": True,
            "Swarm": {"LocalNodeState": "active"},
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                "IndexConfigs": {"docker.io": {"Secure": True}, "10.0.0.9:5000": {"Secure": False}},
            },
        },
    ).policy
    assert (told.userns_remap, told.live_restore, told.no_new_privileges, told.swarm) == (True, True, True, True)
    assert told.insecure_registries == ("10.0.0.9:5000", "127.0.0.0/8")
    nothing = docker_host.described(INFO, {}).policy
    assert (nothing.userns_remap, nothing.live_restore, nothing.swarm) == (False, None, None)


def test_podman_tells_its_settings() -> None:
    told = podman_host.described(
        INFO,
        {
            "host": {"security": {"capabilities": "CAP_KILL,CAP_CHOWN"}},
            "registries": {
                "search": ["docker.io"],
                "a.example": {"Insecure": True, "Blocked": False},
                "b.example": {"Insecure": False, "Blocked": True},
            },
        },
    ).policy
    assert told.default_caps == ("CAP_CHOWN", "CAP_KILL")
    assert (told.insecure_registries, told.blocked_registries) == (("a.example",), ("b.example",))
    assert told.search_registries == ("docker.io",)
    assert podman_host.described(INFO, {}).policy == EnginePolicy()
