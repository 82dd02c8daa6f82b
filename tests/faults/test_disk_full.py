"""The target's disk is full: the plan says so before, and the run, where it happens on the way, takes all back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.migration import list_journals, plan_migration, run_migration, undo
from backends.migration.journal import Status
from backends.model.ids import EngineKind
from backends.model.plan import Choices, ImageWay, LayerChoice, MigrationFailed, Plan, Severity, StepKind
from tests.faults.ground import Ground, shared
from tests.faults.services import Midway, SmallDocker, SmallPodman
from tests.real import RealEngines
from tests.thorough import thorough

pytestmark = pytest.mark.engines

STORE_MB = 48
IMAGE_MB = 8
VOLUME_MB = 20


@pytest.fixture(scope="module")
def small(real_engines: RealEngines) -> Iterator[SmallPodman]:
    with SmallPodman(real_engines, STORE_MB) as engine:
        yield engine


@pytest.fixture(scope="module")
def ground(real_engines: RealEngines, run_label: dict[str, str], small: SmallPodman) -> Iterator[Ground]:
    made = Ground(shared(real_engines, EngineKind.DOCKER), small.side(), run_label)
    try:
        made.build(image_mb=IMAGE_MB)
        made.furnish(volume_mb=VOLUME_MB)
        yield made
    finally:
        made.clear()


async def planned(ground: Ground) -> Plan:
    choices = Choices(layer=LayerChoice.CHANGES, image_way=ImageWay.ARCHIVE)
    async with ground.engines() as (source, target):
        return await plan_migration(source, ground.run, target, choices=choices)


async def test_a_plan_for_which_there_is_no_room_is_blocked(ground: Ground, small: SmallPodman) -> None:
    before = ground.first_picture()
    small.fill(leaving_bytes=(IMAGE_MB + VOLUME_MB - 4) << 20)
    try:
        plan = await planned(ground)
    finally:
        small.empty()
    blocks = [finding for finding in plan.findings if finding.severity is Severity.BLOCK]
    assert ["podman has no room" in block.title for block in blocks] == [True]
    assert f"{ground.volume} {VOLUME_MB}" in blocks[0].detail
    assert blocks[0].remedy == f"make room in {small.store}"
    assert not (await planned(ground)).blocked
    assert ground.of_source() == before


@pytest.mark.parametrize(
    ("room_mb", "kind"),
    [(IMAGE_MB // 2, StepKind.IMAGE), *thorough((IMAGE_MB + VOLUME_MB - 4, StepKind.PRECOPY))],
)
async def test_room_that_goes_after_the_plan(
    ground: Ground, small: SmallPodman, tmp_path: Path, room_mb: int, kind: StepKind
) -> None:
    before = ground.first_picture()
    plan = await planned(ground)
    await asyncio.to_thread(small.fill, room_mb << 20)
    try:
        async with ground.engines() as (source, target):
            with pytest.raises(MigrationFailed) as failure:
                await run_migration(
                    plan, source, target, on_update=lambda _update: None, state_dir=tmp_path, watch_s=0.0
                )
        told = failure.value
        assert told.step.kind is kind
        assert f"{target.id} has no space left" in told.title
        assert told.engine == target.id
        assert "make room" in told.hint
        assert told.undone.left == ()
        assert ground.of_source() == before
        ground.assert_target_clean()
        [record] = await list_journals(tmp_path)
        assert record.status is Status.UNDONE
    finally:
        await asyncio.to_thread(small.empty)


async def test_a_disk_that_is_full_to_the_last_byte(ground: Ground, small: SmallPodman, tmp_path: Path) -> None:
    """Podman can then remove nothing. The source runs all the same, and the rest goes once there is room."""
    before = ground.first_picture()
    plan = await planned(ground)

    async def strike() -> None:
        await asyncio.to_thread(small.fill, 0)

    midway = Midway("import_volume", strike, after_bytes=2 << 20)
    try:
        async with ground.engines() as (source, target):
            with pytest.raises(MigrationFailed) as failure:
                await run_migration(
                    plan, source, midway.wrap(target), on_update=lambda _update: None, state_dir=tmp_path, watch_s=0.0
                )
    finally:
        await asyncio.to_thread(small.empty)
    assert midway.struck
    assert "podman has no space left" in failure.value.title
    assert [thing for thing in failure.value.undone.left if ground.volume in thing]
    assert ground.inspect(ground.source)["State"]["Status"] == "running"
    [record] = await list_journals(tmp_path)
    assert record.status is Status.PARTLY_UNDONE
    async with ground.engines() as (source, target):
        undone = await undo(tmp_path, record.id, {"docker": source, "podman": target})
    assert undone.left == ()
    assert ground.of_source() == before
    ground.assert_target_clean()


# -- a Docker whose room is not seen from here --------------------------------------------------------
@pytest.fixture(scope="module")
def small_docker(real_engines: RealEngines) -> Iterator[SmallDocker]:
    with SmallDocker(real_engines, STORE_MB) as engine:
        yield engine


@pytest.fixture(scope="module")
def to_docker(real_engines: RealEngines, run_label: dict[str, str], small_docker: SmallDocker) -> Iterator[Ground]:
    made = Ground(shared(real_engines, EngineKind.PODMAN), small_docker.side(), run_label)
    try:
        made.build(image_mb=IMAGE_MB)
        made.furnish(network=False, volume_mb=VOLUME_MB)
        yield made
    finally:
        made.clear()


@pytest.mark.parametrize(
    ("room_mb", "kind"),
    [(2 * IMAGE_MB + 8, StepKind.PRECOPY), *thorough((IMAGE_MB // 2, StepKind.IMAGE))],  # it unpacks beside its layers
)
async def test_docker_runs_out_of_room_to_the_last_byte(
    to_docker: Ground, small_docker: SmallDocker, tmp_path: Path, room_mb: int, kind: StepKind
) -> None:
    before = to_docker.first_picture()
    plan = await planned(to_docker)
    await asyncio.to_thread(small_docker.fill, room_mb << 20)
    try:
        async with to_docker.engines() as (source, target):
            with pytest.raises(MigrationFailed) as failure:
                await run_migration(
                    plan, source, target, on_update=lambda _update: None, state_dir=tmp_path, watch_s=0.0
                )
        told = failure.value
        assert told.step.kind is kind
        assert "docker has no space left" in told.title
        assert "make room" in told.hint
        assert told.undone.left == ()
        assert to_docker.of_source() == before
        to_docker.assert_target_clean()
    finally:
        await asyncio.to_thread(small_docker.empty)
