"""An engine dies in the middle of a move: it is named, the source is brought back, the rest is undone or finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.migration import list_journals, plan_migration, resume, run_migration, undo
from backends.migration.journal import Status
from backends.model.ids import EngineKind
from backends.model.plan import Choices, ImageWay, LayerChoice, MigrationFailed, StepKind
from tests.faults.ground import BASE, Ground, shared
from tests.faults.services import Midway, killable
from tests.private import PrivateEngine
from tests.real import RealEngines
from tests.thorough import thorough

pytestmark = pytest.mark.engines

VOLUME_MB = 6
IMAGE_MB = 3
COLD = Choices(layer=LayerChoice.CHANGES, live_copy=False, image_way=ImageWay.ARCHIVE)


@pytest.fixture(scope="module")
def podman(real_engines: RealEngines) -> Iterator[PrivateEngine]:
    with PrivateEngine("podman", real_engines) as private:
        yield private


@pytest.fixture(scope="module")
def docker(real_engines: RealEngines) -> Iterator[PrivateEngine]:
    with PrivateEngine("docker", real_engines) as private:
        private.take_image(BASE)
        yield private


@pytest.fixture(scope="module")
def to_podman(real_engines: RealEngines, run_label: dict[str, str], podman: PrivateEngine) -> Iterator[Ground]:
    """The target can be killed."""
    target = killable(podman, real_engines, EngineKind.PODMAN)
    yield from furnished(Ground(shared(real_engines, EngineKind.DOCKER), target, run_label))


@pytest.fixture(scope="module")
def from_docker(real_engines: RealEngines, run_label: dict[str, str], docker: PrivateEngine) -> Iterator[Ground]:
    """The source can be killed. It has no network that a container could join."""
    source = killable(docker, real_engines, EngineKind.DOCKER)
    yield from furnished(Ground(source, shared(real_engines, EngineKind.PODMAN), run_label), network=False)


def furnished(ground: Ground, *, network: bool = True) -> Iterator[Ground]:
    try:
        ground.build(image_mb=IMAGE_MB)
        ground.furnish(network=network, volume_mb=VOLUME_MB)
        yield ground
    finally:
        ground.clear()


@asynccontextmanager
async def struck(ground: Ground, private: PrivateEngine, call: str, state_dir: Path) -> AsyncIterator[BaseException]:
    """A run up to the moment at which that engine dies, and its end; the engine lives again afterwards."""

    async def strike() -> None:
        await asyncio.to_thread(private.kill)

    midway = Midway(call, strike, after_bytes=2 << 20)
    async with ground.engines() as (source, target):
        plan = await plan_migration(source, ground.run, target, choices=COLD)
        try:
            with pytest.raises((MigrationFailed, Crash)) as failure:
                await run_migration(
                    plan, source, midway.wrap(target), on_update=lambda _update: None, state_dir=state_dir, watch_s=0.0
                )
            assert midway.struck
            yield failure.value
        finally:
            await asyncio.to_thread(private.start)
            await asyncio.to_thread(private.wait)


async def undone(ground: Ground, state_dir: Path) -> None:
    """Undo works when the engine is there again, and leaves both as they were."""
    [record] = await list_journals(state_dir)
    assert record.status is Status.PARTLY_UNDONE
    async with ground.engines() as (source, target):
        done = await undo(state_dir, record.id, named(source, target))
    assert done.left == ()
    assert ground.of_source() == ground.first_picture()
    ground.assert_target_clean()


def named(*engines: Engine) -> dict[str, Engine]:
    return {engine.id.name: engine for engine in engines}


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("create_container", StepKind.FILES),
        *thorough(("import_volume", StepKind.VOLUME), ("import_image", StepKind.IMAGE)),
    ],
)
async def test_the_target_dies(
    to_podman: Ground, podman: PrivateEngine, tmp_path: Path, call: str, kind: StepKind
) -> None:
    before = to_podman.first_picture()
    async with struck(to_podman, podman, call, tmp_path) as failure:
        assert isinstance(failure, MigrationFailed)
        assert failure.step.kind is kind
        assert failure.engine is not None
        assert failure.engine.name == "podman"
        assert failure.undone.left, "nobody could ask it what it has"
        assert all("podman" in thing for thing in failure.undone.left)
        assert to_podman.of_source() == before, "the source is brought back without it"
    await undone(to_podman, tmp_path)


async def test_the_source_dies_when_it_stands_still(from_docker: Ground, docker: PrivateEngine, tmp_path: Path) -> None:
    from_docker.first_picture()
    async with struck(from_docker, docker, "import_volume", tmp_path) as failure:
        assert isinstance(failure, MigrationFailed)
        assert failure.step.kind is StepKind.VOLUME
        assert failure.engine is not None
        assert failure.engine.name == "docker"
        assert all("docker" in thing for thing in failure.undone.left)
        assert len(failure.undone.left) == 2, "its restart policy, and that it runs"
        from_docker.assert_target_clean()
    await undone(from_docker, tmp_path)


class Crash(BaseException):
    """Tranship dies with the engine: nothing is taken back."""


async def _die(_run: object) -> None:
    raise Crash


async def test_engine_and_tranship_die_together_and_the_move_is_resumed(
    to_podman: Ground, podman: PrivateEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = to_podman.first_picture()
    with monkeypatch.context() as patch:
        patch.setattr("backends.migration.run.Run.take_back", _die)
        async with struck(to_podman, podman, "import_volume", tmp_path) as failure:
            assert isinstance(failure, Crash)
    [record] = await list_journals(tmp_path)
    assert record.status is Status.RUNNING
    async with to_podman.engines() as (source, target):
        report = await resume(tmp_path, record.id, named(source, target), watch_s=0.0)
        assert report.equal
        assert to_podman.files(to_podman.target) == before["files"]
        done = await undo(tmp_path, record.id, named(source, target), finished=True)
    assert done.left == ()
    assert to_podman.of_source() == before
    to_podman.assert_target_clean()
