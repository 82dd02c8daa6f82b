"""A service and its adapter, for tests that kill and freeze it: the demo engine's, and real ones of a test's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.kubernetes import kubernetes_engine
from backends.model.ids import EngineId, EngineKind
from tests.cluster.server import FakeCluster
from tests.private import PrivateEngine


class Service(Protocol):
    """A service and its adapter."""

    @property
    def engine(self) -> Engine:
        """Who speaks to it."""

    async def start(self) -> None:
        """Start it; returns before it answers."""

    async def kill(self) -> None:
        """End it as a crash would."""

    async def freeze(self) -> None:
        """Stop all its threads: its socket accepts, nobody answers."""

    async def thaw(self) -> None:
        """Let it go on."""

    async def close(self) -> None:
        """End it for good and remove what it wrote."""


class DemoService:
    """The demo engine, which only plays dead."""

    def __init__(self, engine: DemoEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """See Service; so for all that follows."""
        return self._engine

    async def start(self) -> None:
        self._engine.come_back()

    async def kill(self) -> None:
        self._engine.go_down()

    async def freeze(self) -> None:
        self._engine.faults.hang()

    async def thaw(self) -> None:
        self._engine.come_back()

    async def close(self) -> None:
        await asyncio.sleep(0)


class ClusterService:
    """A cluster of a test's own. folder: for its kubeconfig, written when it starts."""

    def __init__(self, cluster: FakeCluster, folder: Path) -> None:
        self._cluster = cluster
        self._place = folder / "kubeconfig"
        self._engine = kubernetes_engine(EngineId(EngineKind.KUBERNETES, "k8s-lab"), "lab", kubeconfig=str(self._place))

    @property
    def engine(self) -> Engine:
        """See Service; so for all that follows."""
        return self._engine

    async def start(self) -> None:
        await self._cluster.start()
        self._cluster.kubeconfig(self._place)

    async def kill(self) -> None:
        await self._cluster.kill()

    async def freeze(self) -> None:
        self._cluster.freeze()
        await asyncio.sleep(0)

    async def thaw(self) -> None:
        self._cluster.thaw()
        await asyncio.sleep(0)

    async def close(self) -> None:
        await self._cluster.close()


class RealService:
    """A real service, worked off the event loop."""

    def __init__(self, private: PrivateEngine, engine: Engine) -> None:
        self._private = private
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """See Service; so for all that follows."""
        return self._engine

    async def start(self) -> None:
        await asyncio.to_thread(self._private.start)

    async def kill(self) -> None:
        await asyncio.to_thread(self._private.kill)

    async def freeze(self) -> None:
        await asyncio.to_thread(self._private.freeze)

    async def thaw(self) -> None:
        await asyncio.to_thread(self._private.thaw)

    async def close(self) -> None:
        await asyncio.to_thread(self._private.close)
