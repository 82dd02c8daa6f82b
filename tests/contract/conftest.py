"""The engines that the contract suite runs against: one suite, every adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.docker import DockerEngine
from backends.engines.kubernetes import kubernetes_engine
from backends.engines.podman import PodmanEngine
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from tests.cluster.server import FakeCluster
from tests.contract.lab import BUSYBOX, Lab
from tests.contract.pod_lab import PodLab
from tests.real import RealEngines

REAL = [pytest.param(name, marks=pytest.mark.engines) for name in ("docker", "podman", "podman-rootless")]
CLUSTER = "kubernetes"
EVERY = ["demo", *REAL, CLUSTER]
"""For `@pytest.mark.parametrize("engine", EVERY, indirect=True)`: what a cluster does too."""


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


def cluster_engine(cluster: FakeCluster, folder: Path) -> Engine:
    """The adapter for a cluster of a test's own. folder: where its kubeconfig is written."""
    id = EngineId(EngineKind.KUBERNETES, "k8s-lab")
    return kubernetes_engine(id, "lab", kubeconfig=cluster.kubeconfig(folder / "kubeconfig"))


@pytest.fixture(params=["demo", *REAL])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """Each engine in turn, closed afterwards."""
    cluster = FakeCluster() if request.param == CLUSTER else None
    if cluster is not None:
        await cluster.start()
        made: Engine = cluster_engine(cluster, tmp_path)
    elif request.param == "demo":
        made = demo_engine()
    else:
        real: RealEngines = request.getfixturevalue("real_engines")
        urls = {"docker": real.docker, "podman": real.podman, "podman-rootless": real.rootless}
        made = real_engine(request.param, urls[request.param])
    yield made
    await made.close()
    if cluster is not None:
        await cluster.close()


@pytest.fixture
async def lab(engine: Engine, run_label: dict[str, str]) -> AsyncIterator[Lab]:
    """Where a test makes its things on the engine."""
    kind = PodLab if engine.id.kind is EngineKind.KUBERNETES else Lab
    lab = kind(engine, await engine.connect(), run_label)
    yield lab
    await lab.clean()
