"""The engines that the contract suite runs against: one suite, every adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from tests.contract.lab import BUSYBOX, Lab
from tests.real import RealEngines

REAL = [pytest.param(name, marks=pytest.mark.engines) for name in ("docker", "podman", "podman-rootless")]


def demo_engine() -> DemoEngine:
    """A demo engine with the image that the real ones have."""
    engine = DemoEngine(EngineId(EngineKind.DEMO, "demo"))
    steps = [
        BuildStep("ADD busybox / # base", 2_000_000),
        BuildStep("RUN busybox --install", 1000),
        BuildStep("CMD sh"),
    ]
    image = build([BUSYBOX], steps, {"Cmd": ["sh"], "Env": ["PATH=/bin"]}, datetime(2026, 1, 1, tzinfo=UTC))
    engine.actions.add_image(image)
    return engine


def real_engine(kind: str, url: str) -> Engine:
    """An adapter at a socket."""
    if kind == "docker":
        return DockerEngine(EngineId(EngineKind.DOCKER, kind), Endpoint.parse(url))
    return PodmanEngine(EngineId(EngineKind.PODMAN, kind), Endpoint.parse(url))


@pytest.fixture(params=["demo", *REAL])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """Each engine in turn, closed afterwards."""
    if request.param == "demo":
        made: Engine = demo_engine()
    else:
        real: RealEngines = request.getfixturevalue("real_engines")
        urls = {"docker": real.docker, "podman": real.podman, "podman-rootless": real.rootless}
        made = real_engine(request.param, urls[request.param])
    yield made
    await made.close()


@pytest.fixture
async def lab(engine: Engine, run_label: dict[str, str]) -> AsyncIterator[Lab]:
    """Where a test makes its things on the engine."""
    lab = Lab(engine, await engine.connect(), run_label)
    yield lab
    await lab.clean()
