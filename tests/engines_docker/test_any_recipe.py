"""Whatever a recipe says comes back from the real engine as it was said, together with everything else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from backends.engines.docker import DockerEngine
from backends.model.workload import WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.docker_recipes import recipes
from tests.engines_docker.conftest import ENGINE
from tests.real import RealEngines

pytestmark = pytest.mark.engines


@contextmanager
def _made(engines: RealEngines, kind: str, label: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Two networks, or two volumes; removed afterwards."""
    names = tuple(f"test-{uuid.uuid4().hex[:10]}" for _ in range(2))
    marks = [f"--label={key}={value}" for key, value in label.items()]
    try:
        for name in names:
            engines.cli("docker", kind, "create", *marks, name)
        yield names
    finally:
        engines.cli("docker", kind, "rm", *names)


async def _back(engines: RealEngines, spec: WorkloadSpec) -> WorkloadSpec:
    engine = DockerEngine(ENGINE, Endpoint.parse(engines.docker))
    try:
        made = await engine.create_container(spec)
        try:
            return await engine.workload_spec(made)
        finally:
            await engine.remove(made, force=True, volumes=True)
    finally:
        await engine.close()


def test_any_recipe_comes_back(real_engines: RealEngines, run_label: dict[str, str]) -> None:
    with _made(real_engines, "network", run_label) as networks, _made(real_engines, "volume", run_label) as volumes:

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(recipes(networks=networks, volumes=volumes, labels=run_label))
        def comes_back(spec: WorkloadSpec) -> None:
            spec = replace(spec, name=f"test-{uuid.uuid4().hex[:10]}")
            back = asyncio.run(_back(real_engines, spec))
            assert back.unmapped == ()
            assert replace(back, image_id="") == spec

        comes_back()
