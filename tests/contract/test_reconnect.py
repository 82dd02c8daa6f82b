"""A service that dies, freezes and comes back, seen by the supervisor through the real adapter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engines.demo_images import BuildStep, build, write_archive
from backends.model.errors import TimedOut, Unreachable
from backends.model.events import Link
from backends.model.ids import ContainerKey
from backends.model.workload import WorkloadSpec
from backends.services.store import Store
from backends.services.supervisor import Supervisor, Timing
from tests.cluster.server import FakeCluster
from tests.contract.conftest import CLUSTER, EVERY, REAL, demo_engine, real_engine
from tests.contract.lab import Lab, eventually, one_chunk
from tests.contract.pod_lab import PodLab
from tests.contract.service import ClusterService, DemoService, RealService, Service
from tests.private import PrivateEngine
from tests.real import RealEngines
from tests.thorough import thorough

_LOSSES = 4
_TIMING = Timing(answer_s=5.0, ping_s=0.3, ping_answer_s=1.0, backoff_first_s=0.05, backoff_last_s=0.3)


@pytest.fixture(params=["demo", *REAL])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """Each engine's service in turn, started."""
    made: Service
    if request.param == CLUSTER:
        made = ClusterService(FakeCluster(), tmp_path)
    elif request.param == "demo":
        made = DemoService(demo_engine())
    else:
        real: RealEngines = request.getfixturevalue("real_engines")
        private = PrivateEngine(request.param, real)
        made = RealService(private, real_engine(request.param, private.url))
    await made.start()
    yield made
    await made.engine.close()
    await made.close()


@asynccontextmanager
async def _supervised(service: Service) -> AsyncIterator[Store]:
    store = Store()
    task = asyncio.create_task(Supervisor(service.engine, store, timing=_TIMING).run())
    try:
        await _comes_to(store, service, Link.CONNECTED)
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _comes_to(store: Store, service: Service, link: Link) -> None:
    async def is_there() -> bool:
        engine = store.view.engines.get(service.engine.id)
        return engine is not None and engine.connection.link is link

    await eventually(is_there, deadline_s=40)


async def _has(store: Store, key: ContainerKey, there: bool) -> None:
    async def right() -> bool:
        return (key in store.view.containers) is there

    await eventually(right)


@pytest.mark.one_podman
async def test_a_killed_service_is_lost_keeps_its_rows_and_comes_back(
    service: Service, run_label: dict[str, str]
) -> None:
    async with _supervised(service) as store:
        lab = Lab(service.engine, await service.engine.connect(), run_label)
        reference = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
        image = build([reference], [BuildStep("ADD", 100)], {"Cmd": ["true"]}, datetime(2026, 1, 1, tzinfo=UTC))
        await service.engine.import_image(one_chunk(write_archive(image, [reference])))
        try:
            made = await lab.make(WorkloadSpec(lab.name(), reference))
            key = ContainerKey(service.engine.id, made)
            await _has(store, key, True)
            await service.kill()
            await _comes_to(store, service, Link.LOST)
            assert key in store.view.containers
            connection = store.view.engines[service.engine.id].connection
            assert connection.error is not None
            assert connection.error.engine == service.engine.id
            await service.start()
            await _comes_to(store, service, Link.CONNECTED)
            assert key in store.view.containers
            await service.engine.remove(made)
            await _has(store, key, False)
        finally:
            await lab.clean()


@pytest.mark.one_podman
@pytest.mark.parametrize("service", [CLUSTER], indirect=True)
async def test_a_killed_cluster_too(service: Service, run_label: dict[str, str]) -> None:
    async with _supervised(service) as store:
        lab = PodLab(service.engine, await service.engine.connect(), run_label)
        key = ContainerKey(service.engine.id, await lab.run())
        await _has(store, key, True)
        await service.kill()
        await _comes_to(store, service, Link.LOST)
        error = store.view.engines[service.engine.id].connection.error
        assert isinstance(error, Unreachable)
        assert key in store.view.containers
        await service.start()
        await _comes_to(store, service, Link.CONNECTED)
        await service.engine.remove(key.id, force=True)
        await _has(store, key, False)


@pytest.mark.parametrize("service", EVERY, indirect=True)
async def test_a_frozen_service_is_noticed_and_comes_back(service: Service) -> None:
    async with _supervised(service) as store:
        await service.freeze()
        try:
            await _comes_to(store, service, Link.LOST)
            assert isinstance(store.view.engines[service.engine.id].connection.error, TimedOut)
        finally:
            await service.thaw()
        await _comes_to(store, service, Link.CONNECTED)


@pytest.mark.one_podman
@pytest.mark.parametrize("service", ["demo", *REAL, *thorough(CLUSTER)], indirect=True)
async def test_many_losses_leave_neither_tasks_nor_descriptors(service: Service) -> None:
    async with _supervised(service) as store:

        async def lose() -> None:
            await service.kill()
            await _comes_to(store, service, Link.LOST)
            await service.start()
            await _comes_to(store, service, Link.CONNECTED)

        await lose()  # what is made on first use is made
        tasks, files = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
        for _ in range(_LOSSES):
            await lose()
        # The cluster's server is in this process, and may be amid an answer: less than what each loss would leave.
        spare = _LOSSES - 1 if isinstance(service, ClusterService) else 0

        async def as_before() -> bool:
            now = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
            return now[0] <= tasks + spare and now[1] <= files + spare

        await eventually(as_before)
