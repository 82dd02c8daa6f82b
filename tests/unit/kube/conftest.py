"""A cluster of a test's own, and the engine that looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.kubernetes import kubernetes_engine
from backends.model.ids import EngineId, EngineKind
from tests.cluster.fixture import cluster as cluster
from tests.cluster.server import FakeCluster

LAB = EngineId(EngineKind.KUBERNETES, "k8s-lab")


@pytest.fixture
async def lab(cluster: FakeCluster, tmp_path: Path) -> AsyncIterator[Engine]:
    """The context "lab" of a kubeconfig for it, not connected yet."""
    engine = kubernetes_engine(LAB, "lab", kubeconfig=cluster.kubeconfig(tmp_path / "config"))
    yield engine
    await engine.close()
