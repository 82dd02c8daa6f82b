"""The Docker adapter connected to the real engine, and ready names that carry the run's label."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from backends.engines.docker import DockerEngine
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import VolumeSpec, WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.real import RealEngines

ENGINE = EngineId(EngineKind.DOCKER, "docker")
BUSYBOX = "docker.io/test/busybox:1"


@pytest.fixture
async def docker(real_engines: RealEngines) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(ENGINE, Endpoint.parse(real_engines.docker))
    await engine.connect()
    yield engine
    await engine.close()


@pytest.fixture
def name() -> str:
    """A name that nobody else has."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
async def make(docker: DockerEngine, name: str, run_label: dict[str, str]) -> AsyncIterator[Callable[..., object]]:
    """Create containers that are removed afterwards: await make(command=..., ...) gives the id."""
    made: list[str] = []

    async def create(**fields: object) -> str:
        fields = {"name": f"{name}-{len(made)}", "image": BUSYBOX, "labels": run_label, **fields}
        identifier = await docker.create_container(WorkloadSpec(**fields))  # type: ignore[arg-type]  # test keywords
        made.append(identifier)
        return identifier

    yield create
    known = {container.key.id for container in await docker.list_containers()}
    for identifier in made:
        if identifier in known:
            await docker.remove(identifier, force=True, volumes=True)


@pytest.fixture
async def volumes(docker: DockerEngine, name: str, run_label: dict[str, str]) -> AsyncIterator[tuple[str, str]]:
    """Two empty volumes, removed afterwards."""
    names = (f"{name}-a", f"{name}-b")
    for one in names:
        await docker.create_volume(VolumeSpec(one, labels=run_label))
    yield names
    for one in names:
        await docker.remove_volume(one)
