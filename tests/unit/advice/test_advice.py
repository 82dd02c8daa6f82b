"""Which engine serves a container: each statement from its fact, the verdict by its rule, boot read from units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.model.advice import Advice, Effect, Statement
from backends.model.capabilities import Capabilities, Capability, EngineInfo, EnginePolicy
from backends.model.container import Container, ContainerState, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import FieldPlan, Finding, Severity, Verdict
from backends.model.settings import HealthSpec, ResourceSpec
from backends.model.workload import GpuRequest, RestartName, RestartPolicy, WorkloadSpec
from backends.security.facts import TrustSeen
from backends.security.trust import ImagePolicy, Requirement
from backends.services.advice import advise
from backends.services.advice_engine import SWARM_LABEL
from backends.services.advice_facts import EngineSeen, Ground, Workload
from backends.services.boot_facts import BootFacts, read_boot
from backends.services.doctor import HostFacts

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
IMAGE = "docker.io/library/redis:7"
INFO = EngineInfo("5.4.2", "1", rootless=False, local=True, cgroup_version="2")
HERE = EngineSeen(DOCKER, replace(INFO, policy=EnginePolicy(live_restore=False)), "unix:///d", True, True)
THERE = EngineSeen(PODMAN, INFO, "unix:///p", False, True)
ROOTLESS = replace(THERE, id=EngineId(EngineKind.PODMAN, "podman-rootless"), info=replace(INFO, rootless=True))
HOST = HostFacts("ann", 1000, "2", 65536, 65536, True, True, "/run/user/1000", frozenset({"cpu", "memory"}))
REFUSING = ImagePolicy((Requirement("reject"),))
GROUND = Ground(HOST, BootFacts(True))
SPEC = WorkloadSpec("web", IMAGE)
CONTAINER = Container(
    ContainerKey(DOCKER, "c" * 64), "web", IMAGE, "b" * 64, ContainerState.RUNNING, datetime(2026, 11, 1, tzinfo=UTC)
)


def advice(*engines: EngineSeen, ground: Ground = GROUND, container: Container = CONTAINER, **changes: Any) -> Advice:
    """The advice about such a container."""
    return advise(Workload(container, replace(SPEC, **changes)), engines or (HERE, THERE), ground)


def about(given: Advice, topic: str, engine: str) -> list[Statement]:
    """The statements of one topic about one engine; each has its fact."""
    assert all(one.source and one.value and one.sentence for one in given.statements)
    return [one for one in given.statements if (one.topic, one.engine) == (topic, engine)]


def only(given: Advice, topic: str, engine: str) -> Statement:
    """The one statement of that topic."""
    [one] = about(given, topic, engine)
    return one


def test_the_rule_decides() -> None:
    assert advice(HERE, THERE).best == "docker"  # equal: where it is
    assert advice(HERE, ROOTLESS).best == "podman-rootless"  # equal: the rootless one
    loses = (FieldPlan("process.annotations", Verdict.DROPPED, "a", "", "Docker has none"),)
    worse = replace(ROOTLESS, dropped=loses)
    given = advice(HERE, worse)
    assert given.best == "docker"
    assert "podman-rootless lacks 1 thing" in given.verdict
    assert only(given, "settings", "podman-rootless").effect is Effect.LACKS
    out = replace(ROOTLESS, blocks=(Finding(Severity.BLOCK, "no user 70000", "up to 65535", "more ids"),))
    given = advice(HERE, out)
    assert given.candidates[-1].blocks == 1
    assert "podman-rootless is out" in given.verdict
    warned = replace(ROOTLESS, warns=(Finding(Severity.WARN, "the socket of an engine"),))
    given = advice(HERE, warned)
    assert given.best == "podman-rootless"
    assert [one.effect for one in about(given, "settings", warned.name)] == [Effect.TELLS, Effect.SERVES]
    blocked = advice(replace(HERE, here=False, blocks=out.blocks), out)
    assert blocked.best == ""
    assert "no engine of the fleet can run web" in blocked.verdict
    assert advise(Workload(CONTAINER, SPEC), (), GROUND).verdict == "no engine could be asked"


def info(engine: EngineSeen, **changes: Any) -> EngineSeen:
    """An engine that says something else of itself."""
    return replace(engine, info=replace(engine.info, **changes))


_GPU = GpuRequest(count=-1)
_NO_LIMITS = Capabilities({Capability.RESOURCE_LIMITS: "cgroup v1"})
_NO_HEALTH = Capabilities({Capability.HEALTHCHECK: "no systemd here"})
_CASES: Mapping[str, tuple[EngineSeen, dict[str, Any], str, Effect, str]] = {
    "GPU by CDI": (info(THERE, cdi_devices=("nvidia.com/gpu=0",)), {"gpu": _GPU}, "GPU", Effect.SERVES, "CDI names"),
    "GPU by runtime": (info(HERE, runtimes=("runc", "nvidia")), {"gpu": _GPU}, "GPU", Effect.SERVES, "NVIDIA's"),
    "no GPU": (info(HERE, runtimes=("runc",)), {"gpu": _GPU}, "GPU", Effect.BLOCKS, "no way to a GPU"),
    "a runtime is Docker's": (info(THERE, runtimes=("nvidia",)), {"gpu": _GPU}, "GPU", Effect.BLOCKS, "no way"),
    "CDI of another machine": (info(THERE, local=False), {"gpu": _GPU}, "GPU", Effect.TELLS, "does not tell"),
    "limits": (THERE, {"memory_bytes": 1}, "limits", Effect.SERVES, "memory limits"),
    "no limits": (info(THERE, capabilities=_NO_LIMITS), {"cpus_nano": 1}, "limits", Effect.LACKS, "cgroup v1"),
    "undelegated": (
        info(ROOTLESS, cgroup_controllers=("memory",)), {"resources": ResourceSpec(pids_limit=9)}, "limits",
        Effect.LACKS, "controllers pids"),
    "health": (
        info(THERE, capabilities=_NO_HEALTH), {"health": HealthSpec(("CMD", "true"))}, "health", Effect.LACKS,
        "no systemd"),
    "low port": (ROOTLESS, {"ports": (Port(80, "tcp", "", 80),)}, "ports", Effect.LACKS, "may not publish 80"),
    "image": (THERE, {}, "image", Effect.SERVES, "has its image"),
    "blocked": (
        replace(info(THERE, policy=EnginePolicy(blocked_registries=("docker.io",))), has_image=False), {}, "image",
        Effect.LACKS, "may not pull"),
    "insecure": (
        replace(info(THERE, policy=EnginePolicy(insecure_registries=("docker.io",))), has_image=False), {}, "image",
        Effect.TELLS, "without proof"),
    "policy": (
        replace(THERE, has_image=False, trust=TrustSeen("/p.json", REFUSING)), {}, "image", Effect.LACKS,
        "would refuse it from docker.io"),
    "short names": (
        replace(info(THERE, policy=EnginePolicy(search_registries=("a.io", "b.io"))), has_image=False), {}, "image",
        Effect.TELLS, "a.io, b.io"),
    "swarm": (HERE, {"labels": {SWARM_LABEL: "api"}}, "orchestration", Effect.LACKS, "service api"),
    "rootless": (ROOTLESS, {}, "rootless", Effect.SERVES, "without root"),
}  # fmt: skip


@pytest.mark.parametrize(("engine", "changes", "topic", "effect", "said"), _CASES.values(), ids=_CASES.keys())
def test_each_statement(engine: EngineSeen, changes: dict[str, Any], topic: str, effect: Effect, said: str) -> None:
    one = only(advice(engine, **changes), topic, engine.name)
    assert one.effect is effect
    assert said in one.sentence


@pytest.mark.parametrize("topic", ["GPU", "limits", "health", "ports", "boot"])
def test_what_it_does_not_want_is_not_judged(topic: str) -> None:
    assert about(advice(info(ROOTLESS, capabilities=_NO_LIMITS)), topic, "podman-rootless") == []


def test_users_ports_begin_where_the_kernel_says() -> None:
    low = (Port(80, "tcp", "", 80), Port(9, "tcp", "", None))
    from_80 = replace(GROUND, unprivileged_port=80)
    assert only(advice(ROOTLESS, ground=from_80, ports=low), "ports", ROOTLESS.name).effect is Effect.SERVES
    from_1024 = replace(GROUND, unprivileged_port=1024)
    one = only(advice(ROOTLESS, ground=from_1024, ports=low), "ports", ROOTLESS.name)
    assert one.remedy.endswith("ip_unprivileged_port_start=80")
    assert about(advice(HERE, ground=from_1024, ports=low), "ports", "docker") == []


_ALWAYS = RestartPolicy(RestartName.ALWAYS)
_BOOTS: Mapping[str, tuple[EngineSeen, BootFacts, Effect, str]] = {
    "Docker": (HERE, BootFacts(True, docker="/etc/x/docker.service"), Effect.SERVES, "starts at boot"),
    "Docker by socket": (HERE, BootFacts(True, docker_by_socket="/etc/x/docker.socket"), Effect.LACKS, "somebody asks"),
    "Docker, not": (HERE, BootFacts(True), Effect.LACKS, "not started at boot"),
    "rootless Docker": (info(HERE, rootless=True), BootFacts(True, user_docker="/h/d"), Effect.SERVES, "at boot"),
    "Podman": (THERE, BootFacts(True, podman_restart="/etc/x/p"), Effect.SERVES, "starts containers"),
    "Podman, not": (THERE, BootFacts(True, user_podman_restart="/h/p"), Effect.LACKS, "is not enabled"),
    "rootless Podman": (ROOTLESS, BootFacts(True, user_podman_restart="/h/p"), Effect.SERVES, "starts containers"),
    "no systemd": (HERE, BootFacts(False), Effect.TELLS, "no systemd"),
    "far": (info(HERE, local=False), BootFacts(True), Effect.TELLS, "another machine"),
}  # fmt: skip


@pytest.mark.parametrize(("engine", "boot", "effect", "said"), _BOOTS.values(), ids=_BOOTS.keys())
def test_start_at_boot(engine: EngineSeen, boot: BootFacts, effect: Effect, said: str) -> None:
    one = only(advice(engine, ground=replace(GROUND, boot=boot), restart=_ALWAYS), "boot", engine.name)
    assert one.effect is effect
    assert said in one.sentence


def test_who_logs_out_takes_rootless_containers_along() -> None:
    ground = Ground(replace(HOST, linger=False), BootFacts(True, user_podman_restart="/h/p"))
    first, second = about(advice(ROOTLESS, ground=ground, restart=_ALWAYS), "boot", ROOTLESS.name)
    assert (first.effect, second.effect) == (Effect.SERVES, Effect.LACKS)
    assert second.remedy == "loginctl enable-linger ann"
    stopped = RestartPolicy(RestartName.UNLESS_STOPPED)
    before, _ = about(advice(THERE, restart=stopped), "boot", "podman")
    assert "Podman 6" in before.sentence
    assert len(about(advice(info(THERE, version="6.0.1"), restart=stopped), "boot", "podman")) == 1


def test_compose_and_pods() -> None:
    shop = replace(CONTAINER, labels={"com.docker.compose.project": "shop"})
    given = advice(container=shop, ground=replace(GROUND, programs={"podman-compose": "/usr/bin/podman-compose"}))
    assert only(given, "orchestration", "docker").effect is Effect.LACKS
    assert about(given, "orchestration", "podman")[0].value == "/usr/bin/podman-compose"
    given = advice(container=replace(CONTAINER, pod="web-pod"))
    assert only(given, "orchestration", "docker").effect is Effect.LACKS
    assert [one.effect for one in about(given, "orchestration", "podman")] == [Effect.SERVES, Effect.TELLS]


def test_this_machine_is_told_where_an_engine_is_on_it() -> None:
    machine = [one for one in advice().statements if not one.engine]
    assert {one.source for one in machine} >= {"/etc/subuid", "/etc/subgid", "PATH", "/sys/fs/cgroup"}
    assert all(one.effect is Effect.TELLS for one in machine)
    few = advice(ground=replace(GROUND, host=replace(HOST, subuids=0, idmap_tools=False)))
    assert any("--add-subuids" in one.remedy for one in few.statements)
    assert not any(not one.engine for one in advice(info(HERE, local=False)).statements)


def test_units_are_found_by_their_links(tmp_path: Path) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    assert read_boot(home, root) == BootFacts(False)
    (root / "run/systemd/system").mkdir(parents=True)
    assert read_boot(home, root) == BootFacts(True)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "docker.service").symlink_to("/lib/systemd/system/docker.service")
    own = home / ".config/systemd/user/default.target.wants"
    own.mkdir(parents=True)
    (own / "podman-restart.service").symlink_to("/usr/lib/systemd/user/podman-restart.service")
    found = read_boot(home, root)
    assert found.docker == str(wants / "docker.service")
    assert found.user_podman_restart == str(own / "podman-restart.service")
    assert (found.podman_restart, found.docker_by_socket, found.user_docker) == ("", "", "")
