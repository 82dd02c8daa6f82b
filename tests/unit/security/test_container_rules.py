"""Each rule about a container: what it finds, what it lets be, and that it never tells a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.capabilities import EngineInfo, EnginePolicy
from backends.model.container import MountKind, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.rights import DOCKER_CAPS
from backends.model.settings import DeviceSpec, NamespaceSpec, NetworkingSpec, ResourceSpec, SecuritySpec
from backends.model.workload import MountSpec, WorkloadSpec
from backends.security.examine import examine_container
from backends.security.facts import ContainerFacts, ImageSeen
from backends.security.finding import SecurityFinding, Severity

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman")
KEY = ContainerKey(DOCKER, "c" * 64)
POLICY = EnginePolicy(userns_remap=False, live_restore=False, no_new_privileges=False)
INFO = EngineInfo(
    "26.1", "1.45", rootless=False, local=True, cgroup_version="2", apparmor=True, selinux=True, policy=POLICY
)
SAFE = SecuritySpec(cap_drop=("ALL",), no_new_privileges=True, read_only_rootfs=True)
PINNED = "docker.io/library/python:3.11@sha256:" + "a" * 64
CLEAN = ContainerFacts(
    engine=DOCKER,
    info=INFO,
    spec=WorkloadSpec("web", PINNED, security=SAFE, resources=ResourceSpec(pids_limit=100)),
    user="1000",
    image_id="b" * 64,
    image=ImageSeen(created_at=NOW - timedelta(days=10), named_now="b" * 64),
    now=NOW,
)


def found(facts: ContainerFacts) -> dict[str, SecurityFinding]:
    """Findings by id."""
    return {one.id: one for one in examine_container(KEY, facts).findings}


def with_spec(**changes: Any) -> ContainerFacts:
    """The clean container with another recipe."""
    return replace(CLEAN, spec=replace(CLEAN.spec, **changes))


def secure(**changes: Any) -> ContainerFacts:
    """The clean container with other rights."""
    return with_spec(security=replace(SAFE, **changes))


def bind(source: str, *, read_only: bool = False) -> ContainerFacts:
    """The clean container with a bind."""
    return with_spec(mounts=(MountSpec(MountKind.BIND, source, "/x", read_only=read_only),))


def info(**changes: Any) -> EngineInfo:
    """The engine, otherwise."""
    return replace(INFO, **changes)


def test_a_careful_container_has_nothing() -> None:
    assert found(CLEAN) == {}


_ONE: Mapping[str, tuple[ContainerFacts, str, Severity]] = {
    "privileged": (secure(privileged=True), "privileged", Severity.CRITICAL),
    "root": (replace(CLEAN, user=""), "root", Severity.MEDIUM),
    "root by number": (replace(CLEAN, user="0:0"), "root", Severity.MEDIUM),
    "root, rootless": (replace(CLEAN, user="root", info=info(rootless=True)), "root-mapped", Severity.INFO),
    "all caps": (secure(cap_add=("ALL",)), "cap-all", Severity.CRITICAL),
    "all caps, rootless": (
        replace(secure(cap_add=("ALL",)), info=info(rootless=True)), "cap-all", Severity.HIGH),
    "sys_admin": (secure(cap_add=("CAP_SYS_ADMIN",)), "cap-added", Severity.HIGH),
    "net_admin": (secure(cap_add=("CAP_NET_ADMIN",)), "cap-added", Severity.MEDIUM),
    "an unknown cap": (secure(cap_add=("CAP_LEASE",)), "cap-added", Severity.LOW),
    "own caps": (secure(cap_drop=()), "cap-default", Severity.INFO),
    "setuid": (secure(no_new_privileges=False), "new-privileges", Severity.LOW),
    "seccomp": (secure(seccomp="unconfined"), "seccomp-off", Severity.HIGH),
    "apparmor": (secure(apparmor="unconfined"), "apparmor-off", Severity.MEDIUM),
    "selinux": (secure(selinux=("disable",)), "selinux-off", Severity.MEDIUM),
    "unmasked": (secure(unmask=("ALL",)), "paths-unmasked", Severity.HIGH),
    "writable": (secure(read_only_rootfs=False), "root-writable", Severity.INFO),
    "pids": (with_spec(resources=ResourceSpec()), "no-pids-limit", Severity.LOW),
    "network": (with_spec(network=NetworkingSpec(mode="host")), "host-network", Severity.HIGH),
    "pid": (with_spec(namespaces=NamespaceSpec(pid="host")), "host-pid", Severity.HIGH),
    "ipc": (with_spec(namespaces=NamespaceSpec(ipc="host")), "host-ipc", Severity.MEDIUM),
    "uts": (with_spec(namespaces=NamespaceSpec(uts="host")), "host-uts", Severity.LOW),
    "cgroup": (with_spec(namespaces=NamespaceSpec(cgroup="host")), "host-cgroup", Severity.LOW),
    "user": (
        replace(with_spec(namespaces=NamespaceSpec(user="host")),
                info=info(policy=replace(POLICY, userns_remap=True))), "host-user", Severity.MEDIUM),
    "socket": (bind("/var/run/docker.sock", read_only=True), "mount-engine-socket", Severity.CRITICAL),
    "podman socket": (bind("/run/user/1000/podman/podman.sock"), "mount-engine-socket", Severity.CRITICAL),
    "sockets' folder": (bind("/run//podman/"), "mount-engine-socket", Severity.CRITICAL),
    "host's root": (bind("/home/../"), "mount-root", Severity.CRITICAL),
    "host's root, read": (bind("/", read_only=True), "mount-root", Severity.HIGH),
    "etc": (bind("/etc"), "mount-system", Severity.HIGH),
    "etc, read": (bind("/etc", read_only=True), "mount-system", Severity.MEDIUM),
    "file of etc": (bind("/etc/hosts"), "mount-system", Severity.MEDIUM),
    "proc": (bind("/proc"), "mount-kernel", Severity.HIGH),
    "sys, read": (bind("/sys/fs/cgroup", read_only=True), "mount-kernel", Severity.MEDIUM),
    "dev": (bind("/dev"), "mount-devices", Severity.HIGH),
    "ssh": (bind("/home/ann/.ssh", read_only=True), "mount-ssh-keys", Severity.HIGH),
    "one key": (bind("/root/.ssh/id_ed25519"), "mount-ssh-keys", Severity.HIGH),
    "kube": (bind("/root/.kube/config"), "mount-kube-credentials", Severity.HIGH),
    "aws": (bind("/home/ann/.aws"), "mount-cloud-credentials", Severity.HIGH),
    "gcloud": (bind("/home/ann/.config/gcloud"), "mount-cloud-credentials", Severity.HIGH),
    "docker config": (bind("/root/.docker/config.json"), "mount-cloud-credentials", Severity.HIGH),
    "storage": (bind("/var/lib/docker/volumes"), "mount-engine-storage", Severity.HIGH),
    "home": (bind("/home/ann"), "mount-home", Severity.MEDIUM),
    "port": (with_spec(ports=(Port(80, "tcp", "", 8080),)), "port-everywhere", Severity.MEDIUM),
    "port v6": (with_spec(ports=(Port(80, "tcp", "::", 0),)), "port-everywhere", Severity.MEDIUM),
    "all ports": (with_spec(network=NetworkingSpec(publish_all=True)), "port-publish-all", Severity.MEDIUM),
    "env": (with_spec(env={"DB_PASSWORD": "hunter2"}), "secret-env", Severity.MEDIUM),
    "env by value": (with_spec(env={"X": "hf_" + "a" * 30}), "secret-env", Severity.MEDIUM),
    "image env": (replace(CLEAN, image=replace(CLEAN.image, secrets=("K",))), "secret-image", Severity.MEDIUM),
    "argument": (with_spec(command=("serve", "--api-key", "k123")), "secret-command", Severity.MEDIUM),
    "disk": (secure(devices=(DeviceSpec("/dev/sda1", "/dev/sda1"),)), "device-raw", Severity.HIGH),
    "memory": (secure(devices=(DeviceSpec("/dev/mem", "/dev/mem"),)), "device-raw", Severity.HIGH),
    "fuse": (secure(devices=(DeviceSpec("/dev/fuse", "/dev/fuse"),)), "device", Severity.LOW),
    "rule": (secure(device_cgroup_rules=("b *:* rwm",)), "device-rule", Severity.HIGH),
    "latest": (with_spec(image="docker.io/library/python:latest"), "image-latest", Severity.LOW),
    "tag": (with_spec(image="docker.io/library/python:3.11"), "image-unpinned", Severity.INFO),
    "old": (replace(CLEAN, image=replace(CLEAN.image, created_at=NOW - timedelta(days=365))), "image-old",
            Severity.LOW),
    "moved": (replace(CLEAN, image=replace(CLEAN.image, named_now="d" * 64)), "image-outdated", Severity.LOW),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "id", "severity"), _ONE.values(), ids=_ONE.keys())
def test_one_fault_is_one_finding(facts: ContainerFacts, id: str, severity: Severity) -> None:
    only = found(facts)
    assert list(only) == [id]
    one = only[id]
    assert one.severity is severity
    assert all((one.title, one.field, one.fact, one.why, one.remedy))


_NONE: Mapping[str, ContainerFacts] = {
    "a data folder": bind("/srv/data/train"),
    "a folder of a home": bind("/home/ann/project"),
    "time zone, read": bind("/etc/localtime", read_only=True),
    "a volume called as a socket": with_spec(mounts=(MountSpec(MountKind.VOLUME, "docker.sock", "/x"),)),
    "a file that is no socket": bind("/srv/docker.sock.txt"),
    "ports of this machine": with_spec(ports=(Port(80, "tcp", "127.0.0.1", 8080), Port(81, "tcp", "", None))),
    "a GPU and InfiniBand": secure(
        devices=(DeviceSpec("/dev/nvidia0", "/dev/nvidia0"), DeviceSpec("/dev/infiniband/uverbs0", "/x"))
    ),
    "words like secrets": with_spec(
        env={
            "TOKENIZERS_PARALLELISM": "false",
            "MAX_TOKENS": "4096",
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
            "DB_PASSWORD_FILE": "/run/secrets/db",
            "GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D",
            "API_KEY": "",
        }
    ),
    "no AppArmor on the host": replace(secure(apparmor="unconfined"), info=info(apparmor=False)),
    "no SELinux on the host": replace(secure(selinux=("disable",)), info=info(selinux=False)),
    "private namespaces": with_spec(namespaces=NamespaceSpec(pid="private", ipc="private", cgroup="private")),
    "cgroup v1 has one": replace(with_spec(namespaces=NamespaceSpec(cgroup="host")), info=info(cgroup_version="1")),
    "the daemon forbids setuid": replace(
        secure(no_new_privileges=False), info=info(policy=replace(POLICY, no_new_privileges=True))
    ),
    "no user is mapped, none is left out": with_spec(namespaces=NamespaceSpec(user="host")),
    "an image that was made here": with_spec(image="localhost/mine:2"),
    "an image by its id": with_spec(image="b" * 64),
    "a build that hides its date": replace(CLEAN, image=replace(CLEAN.image, created_at=None)),
    "Podman limits processes itself": replace(
        with_spec(resources=ResourceSpec()), engine=PODMAN, info=info(policy=EnginePolicy())
    ),
    "one device rule": secure(device_cgroup_rules=("c 10:200 rwm",)),
}


@pytest.mark.parametrize("facts", _NONE.values(), ids=_NONE.keys())
def test_what_gives_nothing_away_is_let_be(facts: ContainerFacts) -> None:
    assert found(facts) == {}


def test_docker_remap_and_podman_userns_stand_between() -> None:
    remapped = replace(CLEAN, user="", info=info(policy=replace(POLICY, userns_remap=True)))
    assert list(found(remapped)) == ["root-mapped"]
    left_out = replace(remapped, spec=replace(remapped.spec, namespaces=NamespaceSpec(user="host")))
    assert {"root", "host-user"} == set(found(left_out))
    own = with_spec(namespaces=NamespaceSpec(user="auto"))
    auto = replace(own, user="", engine=PODMAN, info=info(policy=EnginePolicy()))
    assert list(found(auto)) == ["root-mapped"]


def test_capabilities_are_measured_against_what_the_engine_gives() -> None:
    report = examine_container(KEY, secure(cap_add=("CAP_SYS_ADMIN",), cap_drop=("CAP_NET_RAW",)))
    assert set(report.capabilities) == DOCKER_CAPS - {"CAP_NET_RAW"} | {"CAP_SYS_ADMIN"}
    assert "moby" in report.capabilities_source
    told = replace(
        secure(cap_add=("CAP_NET_RAW",), cap_drop=()), engine=PODMAN,
        info=info(policy=EnginePolicy(default_caps=("CAP_CHOWN",))),
    )  # fmt: skip
    report = examine_container(KEY, told)
    assert report.own_capabilities == ("CAP_CHOWN",)
    assert "told by the engine" in report.capabilities_source
    assert "cap-added" in [one.id for one in report.findings]


def test_remedies_say_the_exact_option() -> None:
    assert found(secure(cap_add=("CAP_SYS_ADMIN",)))["cap-added"].flags == "--cap-drop SYS_ADMIN"
    ports = with_spec(ports=(Port(80, "tcp", "0.0.0.0", 8080),))
    assert found(ports)["port-everywhere"].flags == "--publish 127.0.0.1:8080:80/tcp"
    assert found(bind("/etc"))["mount-system"].flags == "--volume /etc:/x:ro"
    assert found(bind("/etc/$(reboot)"))["mount-system"].flags == "--volume '/etc/$(reboot):/x:ro'"
    named = replace(
        with_spec(env={"PASSWORD_;reboot": "s3cret-value"}), engine=PODMAN, info=info(policy=EnginePolicy())
    )
    assert found(named)["secret-env"].flags == "--secret 'PASSWORD_;reboot',type=env"
    assert found(bind("/run/docker.sock"))["mount-engine-socket"].flags == ""
    digest = "sha256:" + "e" * 64
    tagged = replace(
        with_spec(image="docker.io/library/python:3.11"),
        image=replace(CLEAN.image, digests=(f"docker.io/library/python@{digest}",)),
    )
    assert found(tagged)["image-unpinned"].flags == f"docker.io/library/python@{digest}"


_WORDS = st.text(max_size=30)
_SPECS = st.builds(
    WorkloadSpec,
    name=_WORDS,
    image=_WORDS,
    command=st.none() | st.lists(_WORDS, max_size=3).map(tuple),
    mounts=st.lists(
        st.builds(MountSpec, st.sampled_from(MountKind), _WORDS, _WORDS, st.booleans()), max_size=4
    ).map(tuple),
    ports=st.lists(st.builds(Port, st.integers(), _WORDS, _WORDS, st.none() | st.integers()), max_size=3).map(tuple),
    network=st.builds(NetworkingSpec, mode=st.sampled_from(["", "host", "none"]), publish_all=st.booleans()),
    namespaces=st.builds(NamespaceSpec, ipc=_WORDS, pid=_WORDS, uts=_WORDS, cgroup=_WORDS, user=_WORDS),
    security=st.builds(
        SecuritySpec,
        privileged=st.booleans(),
        cap_add=st.lists(_WORDS | st.just("ALL"), max_size=3).map(tuple),
        cap_drop=st.lists(_WORDS | st.just("ALL"), max_size=3).map(tuple),
        seccomp=_WORDS,
        device_cgroup_rules=st.lists(_WORDS, max_size=2).map(tuple),
        devices=st.lists(st.builds(DeviceSpec, _WORDS, _WORDS, _WORDS), max_size=2).map(tuple),
    ),
)  # fmt: skip
_SECRETS = st.text(alphabet="qzxQZX0123456789", min_size=12, max_size=40).map(lambda text: f"§{text}§")


@settings(max_examples=150, deadline=None)
@given(
    spec=_SPECS,
    user=_WORDS,
    env=st.dictionaries(st.sampled_from(["HF_TOKEN", "A", "DB_PASSWORD", "KEY", "§"]) | _WORDS, _SECRETS, max_size=4),
    rootless=st.booleans(),
    engine=st.sampled_from([DOCKER, PODMAN]),
)
def test_any_recipe_is_judged_and_no_value_is_told(
    spec: WorkloadSpec, user: str, env: dict[str, str], rootless: bool, engine: EngineId
) -> None:
    argument = ("--token", next(iter(env.values()), "§none§"))
    whole = replace(spec, env=env, entrypoint=argument)
    report = examine_container(KEY, replace(CLEAN, spec=whole, user=user, engine=engine, info=info(rootless=rootless)))
    told = repr(report.findings)
    assert not any(value in told for value in (*env.values(), argument[1]))
    ranks = [one.severity.rank for one in report.findings]
    assert ranks == sorted(ranks)
