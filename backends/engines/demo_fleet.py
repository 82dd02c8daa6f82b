"""Puts the demo fleet on the stage: two engines on one machine, with the cast in the middle of their work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from backends.engines.demo import DemoEngine
from backends.engines.demo_actions import Role
from backends.engines.demo_cast import DOCKER_PARTS, IMAGES, PODMAN_PARTS, Part
from backends.engines.demo_images import build
from backends.engines.demo_volumes import DemoVolume
from backends.engines.demo_world import DemoHost, utc_now
from backends.model.container import ContainerState, Health
from backends.model.ids import EngineId, EngineKind

DEMO_DOCKER = EngineId(EngineKind.DEMO, "demo-docker")
DEMO_PODMAN = EngineId(EngineKind.DEMO, "demo-podman")
_BUILT_AT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
"""When the demo's images were built: fixed, so that their ids are the same in each run."""


def demo_engines(
    *, clock: Callable[[], datetime] = utc_now, seed: int = 0, look_s: float = 0.004, act_s: float = 0.35
) -> tuple[DemoEngine, DemoEngine]:
    """demo-docker and demo-podman. clock, seed, look_s, act_s: see DemoEngine; the same ones give the same fleet."""
    host = DemoHost()
    docker = DemoEngine(DEMO_DOCKER, clock=clock, host=host, look_s=look_s, act_s=act_s, role_of=role_of, seed=seed)
    podman = DemoEngine(
        DEMO_PODMAN,
        clock=clock,
        host=host,
        look_s=look_s,
        act_s=act_s,
        like=EngineKind.PODMAN,
        role_of=role_of,
        seed=seed + 1,
    )
    for engine in (docker, podman):
        for part in IMAGES:
            engine.actions.add_image(build([part.reference], part.steps, part.settings, _BUILT_AT))
    for cast in DOCKER_PARTS:
        _enter(docker, cast)
    for cast in PODMAN_PARTS:
        _enter(podman, cast)
    return docker, podman


def role_of(image: str) -> Role:
    """What the program of an image of the cast does; others tick quietly."""
    return next((part.role for part in IMAGES if part.reference == image), Role())


def _enter(engine: DemoEngine, part: Part) -> None:
    """Bring a container on stage as if it had been there for a while."""
    world = engine.world
    now = world.clock()
    container = engine.actions.create(part.spec)
    container.created_at = now - timedelta(seconds=part.age_s)
    started_at = container.created_at + timedelta(seconds=2)
    world.begin(container, started_at)
    if container.check is not None:
        container.health = container.check.after(container.elapsed_s(now))
    if part.ran_s is not None:
        world.die(container, part.exit_code, started_at + timedelta(seconds=part.ran_s), by_hand=True)
        container.health = Health.NONE
    elif part.paused and container.run is not None:
        container.run.frozen_at = now - timedelta(seconds=240)
        container.state = ContainerState.PAUSED
    for mount in container.spec.mounts:
        if mount.source in world.volumes:
            world.volumes[mount.source].created_at = container.created_at - timedelta(seconds=1)
    for name, files in part.files.items():
        _fill(world.volumes[name], files, int(container.created_at.timestamp()))


def _fill(volume: DemoVolume, files: tuple[str, ...], mtime: int) -> None:
    for path in files:
        volume.put(path, f"demo content of {path}\n".encode() * 64, uid=1000, gid=1000, mtime=mtime)
