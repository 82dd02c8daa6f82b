"""What Podman makes when its caller is cancelled is there before the caller is told: else nobody could remove it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.engines.podman import PodmanEngine
from backends.engines.podman_translate import engine_info
from backends.model.ids import EngineId, EngineKind
from backends.model.network import NetworkSpec
from backends.model.workload import VolumeSpec, WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.unit.podman.recorded import recorded


class _Slow:
    """A service that goes on with what it has begun; the rest it does not know."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.made: list[str] = []

    async def change(self, _method: str, path: str, *_args: object, **_named: object) -> Any:
        return await self.send("POST", path)

    async def send(self, _method: str, path: str, *_args: object, **_named: object) -> Any:
        if path.endswith("/unmount"):
            self.made.append(path)
        if path.endswith(("/create", "/commit", "/mount")):
            self.begun.set()
            await self.may_end.wait()
            self.made.append(path)

    async def get(self, _path: str) -> Any:
        return recorded("rootful", "inspect-plain")


@pytest.mark.parametrize(
    "make",
    [
        lambda engine: engine.create_container(WorkloadSpec("box", "busybox")),
        lambda engine: engine.create_volume(VolumeSpec("data")),
        lambda engine: engine.create_network(NetworkSpec("net")),
        lambda engine: engine.commit_container("box", "localhost/box:1"),
    ],
    ids=["container", "volume", "network", "commit"],
)
async def test_it_is_there_before_the_cancel_is_told(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[PodmanEngine], Coroutine[Any, Any, object]]
) -> None:
    engine, slow = PodmanEngine(EngineId(EngineKind.PODMAN, "slow"), Endpoint.parse("unix:///nowhere")), _Slow()
    monkeypatch.setattr(engine, "_api", slow)
    monkeypatch.setattr(engine, "_info", engine_info(recorded("rootful", "info"), local=True))
    task = asyncio.create_task(make(engine))
    async with asyncio.timeout(10):
        await slow.begun.wait()
        task.cancel()
        await asyncio.wait({task}, timeout=0.01)
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert slow.made


async def test_a_root_that_was_mounted_for_one_who_was_cancelled_meanwhile_is_unmounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, slow = PodmanEngine(EngineId(EngineKind.PODMAN, "slow"), Endpoint.parse("unix:///nowhere")), _Slow()
    monkeypatch.setattr(engine, "_api", slow)

    async def look() -> None:
        async with engine._root("box"):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(look())
    async with asyncio.timeout(10):
        await slow.begun.wait()
        task.cancel()
        await asyncio.wait({task}, timeout=0.01)
        task.cancel()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [path.rpartition("/")[2] for path in slow.made] == ["mount", "unmount"]
