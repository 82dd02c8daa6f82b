"""A PodmanEngine on each real Podman, and names that do not clash."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from backends.engines.podman import PodmanEngine
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from tests import real
from tests.engines_podman.bench import Bench, Fresh


@pytest.fixture(params=["podman", "rootless"])
async def engine(request: pytest.FixtureRequest, real_engines: real.RealEngines) -> AsyncIterator[PodmanEngine]:
    """Connected; rootful, then rootless."""
    url: str = getattr(real_engines, request.param)
    made = PodmanEngine(EngineId(EngineKind.PODMAN, request.param), Endpoint.parse(url))
    await made.connect()
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """A name that nobody has."""
    return lambda stem: f"test-{stem}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def bench(
    engine: PodmanEngine, real_engines: real.RealEngines, run_label: dict[str, str], fresh: Fresh
) -> AsyncIterator[Bench]:
    """Where a test makes its containers."""
    made = Bench(engine, real_engines, run_label, fresh)
    yield made
    await made.clean()
