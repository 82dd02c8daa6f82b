"""What a move to rootless Podman would change: judged by the fleet's own, or by this machine's files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.engines.demo import DEFAULT_INFO, DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.container import Port
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import RestartName, RestartPolicy, WorkloadSpec
from backends.security.finding import RootlessReport
from backends.services import rootless
from backends.services.doctor import HostFacts
from backends.services.rootless import imagined, rootless_report
from tests.unit.security.test_container_rules import NOW

DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman-rootless")
HERE = replace(DEFAULT_INFO, local=True)
HOST = HostFacts("ann", 1000, "2", 65536, 65536, True, False, "/run/user/1000", frozenset({"memory"}))
REFERENCE = "docker.io/test/tool:1"
DEMANDING = WorkloadSpec(
    "web",
    REFERENCE,
    user="70000",
    ports=(Port(80, "tcp", "", 80),),
    restart=RestartPolicy(RestartName.ALWAYS),
    memory_bytes=1 << 30,
    cpus_nano=10**9,
)


async def judged(
    spec: WorkloadSpec, *engines: EngineView, source: EngineId = DOCKER, info_rootless: bool = False
) -> RootlessReport:
    """The report of a container of that recipe on a demo engine that plays the source."""
    engine = DemoEngine(source, info=replace(HERE, rootless=info_rootless))
    engine.actions.add_image(build([REFERENCE], [BuildStep("ADD x /", 1000)], {"Cmd": ["sh"]}, NOW))
    container = await engine.create_container(spec)
    return await rootless_report(engine, container, engines, {})


async def test_what_an_ordinary_user_cannot_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootless, "read_host", lambda _environ: HOST)
    report = await judged(DEMANDING)
    assert report.imagined
    assert "ann 65536 ids" in report.basis
    said = {(one.verdict, one.what.partition(":")[0]) for one in report.changes}
    assert ("block", "rootless Podman has no user 70000") in said
    assert ("warn", "80 -> 80/tcp") in said
    assert ("warn", "restart policy always") in said
    assert ("dropped", "cpus_nano") in said
    assert not any(what == "memory_bytes" for _, what in said)
    assert [one.verdict for one in report.changes][:1] == ["block"]


async def test_the_fleets_own_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootless, "read_host", lambda _environ: HOST)
    theirs = replace(HERE, rootless=True, id_ranges=((0, 100_000),))
    own = EngineView(PODMAN, ConnectionState(Link.CONNECTED), theirs)
    report = await judged(DEMANDING, own)
    assert (report.target, report.imagined) == ("podman-rootless", False)
    assert not any("no user 70000" in one.what for one in report.changes)
    lost = replace(own, connection=ConnectionState(Link.LOST))
    assert (await judged(DEMANDING, lost)).imagined


async def test_one_that_is_there_already() -> None:
    report = await judged(DEMANDING, source=PODMAN, info_rootless=True)
    assert report.already
    assert report.changes == ()


def test_a_machine_that_is_not_here_is_not_guessed_at() -> None:
    far = imagined(replace(DEFAULT_INFO, cgroup_version="2"), None)
    assert (far.id_ranges, far.cgroup_controllers, far.cgroup_version) == ((), (), "2")
    old = imagined(HERE, replace(HOST, cgroup_version="1"))
    assert old.cgroup_controllers == ()
    assert old.capabilities.lacking
    assert imagined(HERE, replace(HOST, uid=0)).id_ranges == ()
