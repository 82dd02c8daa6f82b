"""Containers that belong together, on two demo engines: in their order, all or none, finished or taken back later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.migration import list_journals
from backends.migration.journal import Status
from backends.migration.order import DEPENDS_ON
from backends.migration.pods import unfold
from backends.migration.project import find_group, plan_project
from backends.migration.together import resume_together, run_together, undo_together, waiting
from backends.migration.unfinished import next_step
from backends.model.container import Container, ContainerState, MountKind, Port
from backends.model.errors import BackendError, NotFound, Refused
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.network import NetworkSpec
from backends.model.plan import Choices, MigrationReport, Plan, Severity, StepKind, StepProgress, VolumeChoice
from backends.model.settings import NamespaceSpec, NetworkAttachment, NetworkingSpec
from backends.model.workload import MountSpec, UnmappedField, VolumeSpec, WorkloadSpec
from tests.migration_scene import OTHER_TAG, SOURCE, TAG, TARGET, Fault, Saboteur, Scene, picture

PROJECT = "shop"
SERVICE = "com.docker.compose.service"
NETWORK = "shop_default"


def member(name: str, *, needs: str = "", ports: tuple[Port, ...] = ()) -> WorkloadSpec:
    labels = {"com.docker.compose.project": PROJECT, SERVICE: name.removeprefix("shop-")}
    if needs:
        labels[DEPENDS_ON] = f"{needs}:service_started:false"
    mounts = (MountSpec(MountKind.VOLUME, "shared", "/shared"), MountSpec(MountKind.VOLUME, f"{name}-own", "/own"))
    joined = (NetworkAttachment(NETWORK, aliases=(name,)),)
    return WorkloadSpec(
        name,
        TAG,
        command=("sleep", "infinity"),
        labels=labels,
        ports=ports,
        mounts=mounts,
        network=NetworkingSpec(mode=NETWORK, networks=joined),
    )


async def furnished(*, programs: bool = True) -> Scene:
    """`shop-web` needs `shop-db`; both write to one volume, and are on one network. `train` is of no project."""
    scene = Scene(programs=programs)
    await scene.furnish()
    await scene.source.create_network(NetworkSpec(NETWORK))
    for name in ("shared", "shop-db-own", "shop-web-own"):
        await scene.source.create_volume(VolumeSpec(name))
        scene.source.world.volumes[name].put("file", name.encode(), uid=7, mtime=99)
    for spec in (member("shop-web", needs="db", ports=(Port(80, "tcp", "", 8081),)), member("shop-db")):
        await scene.source.start(await scene.source.create_container(spec))
    return scene


def engines(scene: Scene) -> dict[str, object]:
    return {SOURCE.name: scene.source, TARGET.name: scene.target}


def ignore(_plan: Plan, _update: StepProgress) -> None:
    """Nobody looks on."""


async def move(
    scene: Scene,
    state_dir: Path,
    *,
    saboteur: Saboteur | None = None,
    updates: list[tuple[str, StepProgress]] | None = None,
) -> tuple[MigrationReport, ...]:
    plans = await plan_project(scene.source, PROJECT, scene.target)
    assert not any(plan.blocked for plan in plans), [plan.findings for plan in plans]
    watcher = saboteur or Saboteur()
    seen: list[tuple[str, StepProgress]] = [] if updates is None else updates
    return await run_together(
        plans,
        PROJECT,
        watcher.wrap(scene.source),
        watcher.wrap(scene.target),
        on_update=lambda plan, update: seen.append((plan.source_name, update)),
        state_dir=state_dir,
        watch_s=0.0,
    )


async def test_all_move_who_is_needed_first_and_share_what_they_shared(tmp_path: Path) -> None:
    scene = await furnished()
    updates: list[tuple[str, StepProgress]] = []
    reports = await move(scene, tmp_path, updates=updates)
    assert [report.plan.source_name for report in reports] == ["shop-db", "shop-web"]
    assert all(report.equal and report.downtime_s is not None for report in reports)
    begun = [(name, update.step.kind) for name, update in updates if update.phase is Phase.STARTED]
    assert begun.index(("shop-web", StepKind.STOP_SOURCE)) < begun.index(("shop-db", StepKind.STOP_SOURCE))
    assert begun.index(("shop-db", StepKind.STOP_SOURCE)) < begun.index(("shop-db", StepKind.VOLUME))
    assert begun.index(("shop-db", StepKind.START)) < begun.index(("shop-web", StepKind.START))
    for name in ("shop-db", "shop-web"):
        seen = await scene.target.inspect_container(name)
        assert seen.state is ContainerState.RUNNING
        assert NETWORK in seen.networks
        spec = await scene.target.workload_spec(name)
        assert {mount.source for mount in spec.mounts} == {"shared", f"{name}-own"}
        assert (await scene.source.inspect_container(name)).state is ContainerState.EXITED
    volumes = scene.target.world.volumes
    assert volumes["shared"].entries["file"].content == b"shared"
    sent = [step for report in reports for step in report.plan.steps if step.subject == "shared"]
    assert {step.kind for step in sent} == {StepKind.PRECOPY, StepKind.VOLUME}
    assert len(sent) == 2, "a volume that both mount is copied once"
    assert (await scene.source.inspect_container("train")).state is ContainerState.RUNNING


async def test_what_partners_hold_does_not_stand_in_the_way() -> None:
    scene = await furnished()
    plans = await plan_project(scene.source, "shop-web", scene.target)
    assert [plan.source_name for plan in plans] == ["shop-db", "shop-web"]
    titles = [finding.title for plan in plans for finding in plan.findings if finding.severity is not Severity.NOTE]
    assert not any("also mounted by" in title or "taken on" in title for title in titles)
    made = [move.create for plan in plans for move in plan.networks]
    assert made[0] is not None
    assert made[1] is None


async def test_choices_go_to_those_that_they_are_about() -> None:
    scene = await furnished()
    with pytest.raises(Refused, match="keeps its containers' names"):
        await plan_project(scene.source, PROJECT, scene.target, choices=Choices(name="x"))
    chosen = Choices(volumes={"no-such": VolumeChoice.SKIP})
    with pytest.raises(Refused, match="no-such"):
        await plan_project(scene.source, PROJECT, scene.target, choices=chosen)
    chosen = Choices(volumes={"shop-web-own": VolumeChoice.SKIP})
    plans = await plan_project(scene.source, PROJECT, scene.target, choices=chosen)
    assert not any(plan.blocked for plan in plans)
    skipped = [v.source_name for plan in plans for v in plan.volumes if v.choice is VolumeChoice.SKIP]
    assert skipped == ["shop-web-own"]
    for name in ("nobody", "train"):
        with pytest.raises(NotFound):
            await plan_project(scene.source, name, scene.target)


async def calls_of(tmp_path: Path) -> list[str]:
    saboteur = Saboteur()
    await move(await furnished(), tmp_path, saboteur=saboteur)
    return saboteur.calls


EVERY = 3
"""A project's move has hundreds of calls: each third is tried, the rest is as for one container (test_faults)."""


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.CANCEL])
async def test_a_fault_in_one_takes_all_back(fault: Fault, tmp_path: Path) -> None:
    calls = await calls_of(tmp_path / "count")
    for number in range(0, len(calls) - 1, EVERY):
        if fault is Fault.AFTER and calls[number].endswith("export_volume"):
            continue  # the look for a tool reads nothing
        scene = await furnished()
        before = picture(scene.source), picture(scene.target)
        saboteur = Saboteur(number, fault)
        task = asyncio.create_task(move(scene, tmp_path / str(number), saboteur=saboteur))
        saboteur.cancel = task.cancel
        with pytest.raises((BackendError, asyncio.CancelledError)):
            await task
        where = f"{fault} at call {number}, {calls[number]}"
        assert picture(scene.source) == before[0], where
        assert picture(scene.target) == before[1], where
        records = await list_journals(tmp_path / str(number))
        assert all(record.status is Status.UNDONE for record in records), where


class Crash(BaseException):
    """The process dies here."""


async def _die(_run: object) -> None:
    raise Crash


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_crash_is_finished_or_taken_back_later(
    goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = await calls_of(tmp_path / "count")
    monkeypatch.setattr("backends.migration.together.take_back_all", _die)
    cut = 0
    for number in range(1, len(calls) - 1, EVERY):
        scene = await furnished()
        before = picture(scene.source), picture(scene.target)
        state_dir = tmp_path / str(number)
        where = f"at call {number}, {calls[number]}"
        with pytest.raises((Crash, BackendError)):
            await move(scene, state_dir, saboteur=Saboteur(number))
        records = [one for one in await list_journals(state_dir) if one.status is Status.RUNNING]
        if len(records) < 2:
            continue  # it had not begun, or one is over
        cut += 1
        assert f"tranship migrate {PROJECT} --project --resume" in next_step(records[0])
        if goes_on:
            reports = await resume_together(state_dir, PROJECT, engines(scene), on_update=ignore, watch_s=0.0)  # type: ignore[arg-type]
            assert [report.plan.source_name for report in reports] == ["shop-db", "shop-web"], where
            assert all(report.equal for report in reports), where
            assert len(await waiting(state_dir, PROJECT)) == 2, where
        undone = await undo_together(state_dir, PROJECT, engines(scene), finished=True)  # type: ignore[arg-type]
        assert undone.left == (), where
        assert picture(scene.source) == before[0], where
        assert picture(scene.target) == before[1], where
    assert cut >= 15


@pytest.mark.parametrize("later", [True, False])
async def test_copies_go_before_sources_come_back_who_is_needed_first(
    later: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy may hold a port that another one's source needs: a pod's is held by one of its containers."""
    scene = await furnished()
    if later:
        monkeypatch.setattr("backends.migration.together.take_back_all", _die)
    saboteur = Saboteur((await calls_of(tmp_path / "count")).index("there.workload_spec"))
    with pytest.raises((Crash, BackendError)):
        await move(scene, tmp_path, saboteur=saboteur)
    if later:
        both = {SOURCE.name: saboteur.wrap(scene.source), TARGET.name: saboteur.wrap(scene.target)}
        assert (await undo_together(tmp_path, PROJECT, both)).left == ()
    back = [call for call in saboteur.calls if call in {"there.remove", "here.start"}]
    assert back == ["there.remove", "there.remove", "here.start", "here.start"]
    started = [(await scene.source.inspect_container(name)).started_at for name in ("shop-db", "shop-web")]
    assert all(started)
    assert sorted(started, key=str) == started, "shop-web needs shop-db"


async def test_a_finished_one_is_undone_only_where_asked_for(tmp_path: Path) -> None:
    scene = await furnished()
    before = picture(scene.source), picture(scene.target)
    await move(scene, tmp_path)
    with pytest.raises(Refused, match="completed"):
        await undo_together(tmp_path, PROJECT, engines(scene))  # type: ignore[arg-type]
    assert (await undo_together(tmp_path, PROJECT, engines(scene), finished=True)).left == ()  # type: ignore[arg-type]
    assert (picture(scene.source), picture(scene.target)) == before
    with pytest.raises(NotFound):
        await waiting(tmp_path, PROJECT)


# -- pods ----------------------------------------------------------------------------------------
PODMAN = EngineId(EngineKind.PODMAN, "podman")
HELD = "container:cafe-infra"


def seen(name: str, **changes: object) -> Container:
    made = Container(
        ContainerKey(PODMAN, f"id-{name}"), name, OTHER_TAG, "ab" * 32, ContainerState.RUNNING,
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # the names of its fields


def test_a_group_is_found_by_its_name_and_by_its_members() -> None:
    containers = [
        seen("cafe-infra", pod="cafe", infra=True),
        seen("bean", pod="cafe"),
        seen("milk", pod="cafe"),
        seen("shop-web", labels={"com.docker.compose.project": "shop"}),
    ]
    for name in ("cafe", "bean", "milk", "cafe-infra"):
        group = find_group(containers, name)
        assert (group.pod, [one.name for one in group.members]) == ("cafe", ["bean", "milk"])
        assert group.infra is not None
    assert find_group(containers, "shop-web").pod == ""
    for name in ("tea", "lonely"):
        with pytest.raises(NotFound):
            find_group([*containers, seen("lonely")], name)


def test_a_pod_becomes_containers_that_share_the_first_ones_namespaces() -> None:
    spaces = NamespaceSpec(ipc=HELD, uts=HELD, pid="private")
    pod = (UnmappedField("Pod", '"cafe"', "not carried"), UnmappedField("Other", "1", "not carried"))
    member_ = WorkloadSpec(
        "milk",
        "x:1",
        hostname="cafe",
        ports=(Port(9),),
        network=NetworkingSpec(mode=HELD),
        namespaces=spaces,
        unmapped=pod,
    )
    infra = WorkloadSpec(
        "cafe-infra", "pause", hostname="cafe", ports=(Port(80, host_port=8080),),
        network=NetworkingSpec(dns=("9.9.9.9",)), namespaces=NamespaceSpec(ipc="shareable"),
    )  # fmt: skip
    done = unfold({"bean": replace(member_, name="bean"), "milk": member_}, infra, "bean")
    lead, other = done["bean"], done["milk"]
    assert (lead.ports, lead.network, lead.hostname) == ((*infra.ports, Port(9)), infra.network, "cafe")
    assert lead.namespaces == NamespaceSpec(ipc="shareable", pid="private")
    assert (other.ports, other.hostname) == ((), None)
    assert other.network == NetworkingSpec(mode="container:bean")
    assert other.namespaces == NamespaceSpec(ipc="container:bean", pid="private")
    assert [entry.path for entry in lead.unmapped] == ["Other"]
    alone = WorkloadSpec("own", "x:1", network=NetworkingSpec(mode="host"), namespaces=NamespaceSpec(pid="private"))
    assert unfold({"bean": member_, "own": alone}, infra, "bean")["own"] == alone
