"""A run on two demo engines: what it moves, and that a failure at any call leaves everything as it was."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engines.demo_volumes import DemoVolume
from backends.migration import MARK, list_journals, plan_migration, run_migration
from backends.migration.images import ship
from backends.migration.journal import Status
from backends.model.container import ContainerState, MountKind
from backends.model.errors import Refused
from backends.model.events import Phase
from backends.model.network import NetworkSpec, Subnet
from backends.model.plan import (
    Choices,
    ImageAction,
    ImageMove,
    ImageWay,
    MigrationFailed,
    NetworkMove,
    Step,
    StepKind,
    StepProgress,
)
from backends.model.settings import NetworkAttachment, NetworkingSpec
from backends.model.workload import MountSpec, RestartPolicy
from backends.registry import Registry
from tests.migration_scene import TAG, Saboteur, Scene, move, picture, spec


def contents(volume: DemoVolume) -> dict[str, bytes]:
    """The files of a volume."""
    return {path: entry.content for path, entry in volume.entries.items()}


async def test_a_move_makes_an_equal_copy_and_leaves_the_source_stopped(tmp_path: Path) -> None:
    scene = Scene()
    made = await scene.furnish()
    original = await scene.source.workload_spec("train")
    updates: list[StepProgress] = []
    report = await move(scene, tmp_path, updates=updates)

    assert report.equal
    assert {check.subject for check in report.checks} >= {"volume data", "volume more", "env", "ports", "state"}
    copy = await scene.target.workload_spec("train")
    held = (await scene.source.workload_spec("train")).restart
    assert held == RestartPolicy(), "a reboot must not start both"
    for name in (
        "env",
        "labels",
        "ports",
        "command",
        "user",
        "workdir",
        "restart",
        "memory_bytes",
        "cpus_nano",
    ):
        assert getattr(copy, name) == getattr(original, name), name
    assert copy.mounts == tuple(
        replace(mount, no_copy=True) if mount.kind is MountKind.VOLUME else mount for mount in original.mounts
    ), "what an image has at a volume's place is never added to the data that was carried"
    assert (await scene.target.inspect_container("train")).state is ContainerState.RUNNING
    assert (await scene.source.inspect_container(made)).state is ContainerState.EXITED
    assert (await scene.target.image_facts(TAG)).diff_ids == (await scene.source.image_facts(TAG)).diff_ids
    there, here = scene.target.world.volumes["data"], scene.source.world.volumes["data"]
    assert {path: e.content for path, e in there.entries.items()} == {
        path: e.content for path, e in here.entries.items()
    }
    assert there.labels["keep"] == "yes"
    assert there.labels[MARK] == report.journal
    assert report.moved_bytes > 0
    assert report.downtime_s is not None
    assert report.downtime_s <= report.duration_s
    assert "never removed" in report.notes[0]


async def test_progress_names_each_step_and_counts_bytes(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    updates: list[StepProgress] = []
    await move(scene, tmp_path, updates=updates)
    started = [update.step.kind for update in updates if update.phase is Phase.STARTED]
    assert started == [
        StepKind.IMAGE,
        StepKind.PRECOPY,
        StepKind.PRECOPY,
        StepKind.STOP_SOURCE,
        StepKind.VOLUME,
        StepKind.VOLUME,
        StepKind.CREATE,
        StepKind.START,
        StepKind.VERIFY,
    ]
    assert [update.index for update in updates] == sorted(update.index for update in updates)
    assert {update.count for update in updates} == {9}
    assert any(update.done_bytes for update in updates if update.step.kind is StepKind.IMAGE)
    assert any(update.done_bytes for update in updates if update.step.kind is StepKind.PRECOPY)
    assert not any(update.undoing for update in updates)


async def test_there_and_back_under_another_name_is_equal(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = await scene.source.workload_spec("train")
    await move(scene, tmp_path)
    plan = await plan_migration(scene.target, "train", scene.source, choices=Choices(name="again"))
    assert not plan.blocked, plan.findings
    report = await run_migration(
        plan, scene.target, scene.source, on_update=lambda _u: None, state_dir=tmp_path, watch_s=0.0
    )
    assert report.equal
    after = await scene.source.workload_spec("again")
    assert (after.env, after.labels, after.ports, after.command) == (
        before.env,
        before.labels,
        before.ports,
        before.command,
    )
    names = {mount.destination: mount.source for mount in after.mounts}
    assert names == {"/data": "data-again", "/more": "more-again", "/models": "/srv/models"}
    first, back = (scene.source.world.volumes[name] for name in ("data", "data-again"))
    assert contents(first) == contents(back)
    assert scene.source.world.images[after.image_id].tags == [TAG]
    assert report.plan.steps[0].skip


async def test_a_stopped_source_makes_a_copy_that_is_not_started(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(start=False)
    report = await move(scene, tmp_path)
    assert report.equal
    assert report.downtime_s is None
    assert (await scene.target.inspect_container("train")).state is ContainerState.CREATED
    assert (await scene.source.inspect_container("train")).state is ContainerState.CREATED


async def test_anonymous_volumes_are_carried_under_a_readable_name(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(spec(mounts=(MountSpec(MountKind.VOLUME, "", "/var/cache", anonymous=True),)))
    name = (await scene.source.workload_spec("train")).mounts[0].source
    scene.source.world.volumes[name].put("precious", b"data")
    report = await move(scene, tmp_path)
    assert report.equal
    assert (await scene.target.workload_spec("train")).mounts[0].source == "train-var-cache"
    assert scene.target.world.volumes["train-var-cache"].entries["precious"].content == b"data"


async def test_a_blocked_plan_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(spec(name="neighbour"))
    before = picture(scene.source), picture(scene.target)
    plan = await plan_migration(scene.source, "neighbour", scene.target)
    assert plan.blocked
    with pytest.raises(Refused, match="already has a container named neighbour"):
        await run_migration(plan, scene.source, scene.target, on_update=lambda _u: None, state_dir=tmp_path)
    assert (picture(scene.source), picture(scene.target)) == before
    assert await list_journals(tmp_path) == []


async def test_a_plan_out_of_date_is_refused(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    plan = await plan_migration(scene.source, "train", scene.target)
    await scene.source.stop("train")
    with pytest.raises(Refused, match="changed since the plan"):
        await run_migration(plan, scene.source, scene.target, on_update=lambda _u: None, state_dir=tmp_path)


async def test_a_copy_that_ends_at_once_is_taken_back(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)

    class Ends(Saboteur):
        def strikes(self, name: str) -> bool:
            if name == "there.workload_spec":
                scene.target.actions.stop("train")
            return super().strikes(name)

    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=Ends())
    assert failure.value.step.kind is StepKind.VERIFY
    assert "exit code" in failure.value.detail
    assert (picture(scene.source), picture(scene.target)) == before


async def test_the_journal_is_private_and_says_what_was_made(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    report = await move(scene, tmp_path)
    [record] = await list_journals(tmp_path)
    assert record.status is Status.DONE
    assert record.id == report.journal
    assert [str(entry.effect) for entry in record.entries] == [
        "image", "tag", "volume", "volume", "hold", "stop-source", "container",
    ]  # fmt: skip
    assert all(entry.made for entry in record.entries)
    path = tmp_path / "migrations" / f"{record.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "hunter2" not in path.read_text()


@pytest.mark.parametrize("fixed", [False, True])
async def test_an_address_range_that_is_taken_unseen_is_given_up_unless_an_address_in_it_is_wanted(
    fixed: bool, tmp_path: Path
) -> None:
    scene = Scene()
    await scene.furnish()
    subnet = Subnet("172.30.0.0/16")
    joined = NetworkAttachment("lab", ipv4="172.30.0.9" if fixed else "")
    await scene.source.create_network(NetworkSpec("lab", subnets=(subnet,)))
    recipe = spec(name="joined", ports=(), mounts=(), network=NetworkingSpec(mode="lab", networks=(joined,)))
    await scene.source.start(await scene.source.create_container(recipe))
    plan = await plan_migration(scene.source, "joined", scene.target)
    made = NetworkSpec("lab", subnets=(subnet,))
    plan = replace(plan, networks=(NetworkMove("lab", made),))  # as where the plan knows nothing of the source's host
    steps = tuple(step for step in plan.steps if step.kind is not StepKind.NETWORK)
    step = Step(StepKind.NETWORK, "create network lab", "lab")
    plan = replace(plan, steps=(steps[0], step, *steps[1:]), spec=replace(plan.spec, network=recipe.network))
    run = run_migration(plan, scene.source, scene.target, on_update=lambda _u: None, state_dir=tmp_path, watch_s=0.0)
    if fixed:
        with pytest.raises(MigrationFailed, match="address range"):
            await run
        return
    report = await run
    assert report.equal
    assert any("other addresses" in note for note in report.notes)
    assert "joined" in {one.name for one in await scene.target.list_containers()}


async def test_where_no_registry_can_be_served_the_image_goes_whole_and_that_is_said() -> None:
    scene = Scene()
    await scene.furnish()
    facts = await scene.source.image_facts(TAG)
    said: list[str] = []

    @asynccontextmanager
    async def serve(_folder: Path) -> AsyncIterator[Registry]:
        raise OSError("no port is free")
        yield  # type: ignore[unreachable]  # makes it a generator

    move_ = ImageMove(ImageAction.SHIP, facts, TAG, ImageWay.REGISTRY)
    landed, _size = await ship(scene.source, scene.target, move_, lambda _flow: None, serve=serve, note=said.append)
    assert landed.diff_ids == facts.diff_ids
    assert "no port is free" in said[0]
