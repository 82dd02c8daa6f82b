"""Whatever a container is made with: each of it stands in the plan of its move, and the copy is made as planned.

Containers are only created. TRANSHIP_MOVE_EXAMPLES: how many each direction tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backends.engine import Engine
from backends.migration import plan_migration
from backends.model.errors import NotFound
from backends.model.plan import Severity
from backends.model.workload import GpuRequest, WorkloadSpec
from tests.conftest import RUN_ID, RUN_LABEL
from tests.docker_recipes import recipes
from tests.engines_migration.test_nothing_silent import lines, made_there, prepared, silent
from tests.engines_migration.yard import Yard
from tests.engines_podman.test_podman_random_recipes import _SPECS as PODMAN_RECIPES
from tests.real import RealEngines

pytestmark = [pytest.mark.engines, pytest.mark.hypothesis]  # an example that was found is wrong, found again or not

Drawn = TypeVar("Drawn")
EXAMPLES = int(os.environ.get("TRANSHIP_MOVE_EXAMPLES", "10"))
PHASES = (Phase.explicit, Phase.generate)
"""Not shrunk: an example costs a second, and a failure names the field."""

LABELS = {RUN_LABEL: RUN_ID}
GPUS = st.sampled_from(
    [
        GpuRequest(cdi_devices=("nvidia.com/gpu=0",)),
        GpuRequest(count=-1, capabilities=(("gpu", "utility"),)),
        GpuRequest(count=2, capabilities=(("gpu",),)),
        GpuRequest(device_ids=("1",), driver="nvidia", capabilities=(("gpu",),)),
    ]
)
"""Those that the target can give, so that the copy can be made."""


async def moved(yard: Yard, ends: tuple[str, str], spec: WorkloadSpec) -> None:
    """Made on one engine, planned for the other, made there; both are removed."""
    source, target = (yard.engine(end) for end in ends)
    made: list[tuple[Engine, str]] = []
    try:
        await source.create_container(spec)
        made.append((source, spec.name))
        seen = await source.workload_spec(spec.name)
        plan = await plan_migration(source, spec.name, target)
        assert lines(plan)
        assert silent(seen, plan) == []
        assert [one for one in plan.findings if one.severity is Severity.BLOCK and not one.detail] == []
        if not plan.blocked:
            made.append((target, spec.name))
            _, wrong = await made_there(plan, target)
            assert wrong == []
    finally:
        for engine, name in made:
            with contextlib.suppress(NotFound):  # it was not made: that is what failed
                await engine.remove(name, force=True, volumes=True)
        for engine in (source, target):
            await engine.close()


def tried(engines: RealEngines, ends: tuple[str, str], spec: WorkloadSpec) -> None:
    """One example: engines of its own, for each has an event loop of its own."""
    yard = Yard(engines, LABELS, engines.dir)
    asyncio.run(moved(yard, ends, replace(spec, name=f"test-{uuid.uuid4().hex[:8]}")))


def things(yard: Yard, kind: str) -> tuple[str, str]:
    """Two networks, or two volumes, of Docker's."""
    names = (f"{yard.run}-{kind}-a", f"{yard.run}-{kind}-b")
    for name in names:
        yard.cli("docker", kind, "create", *yard.marks, name)
    return names


def given_examples(strategy: st.SearchStrategy[Drawn]) -> Callable[[Callable[[Drawn], None]], Callable[[], None]]:
    """The decorators of all directions."""
    chosen = settings(
        max_examples=EXAMPLES, deadline=None, phases=PHASES, database=None, suppress_health_check=list(HealthCheck)
    )

    def decorate(check: Callable[[Drawn], None]) -> Callable[[], None]:
        return chosen(given(strategy)(check))

    return decorate


async def networks_there(yard: Yard, networks: Sequence[str]) -> None:
    """What a move makes before the copy."""
    source, target = yard.engine("docker"), yard.engine("podman")
    joined = [word for name in networks for word in ("--network", name)]
    await asyncio.to_thread(
        yard.cli, "docker", "create", "--name", f"{yard.run}-on", *yard.marks, *joined[:2], "test/busybox:1"
    )
    await asyncio.to_thread(yard.cli, "docker", "network", "connect", networks[1], f"{yard.run}-on")
    await prepared(await plan_migration(source, f"{yard.run}-on", target), target)


async def test_any_container_of_docker(yard: Yard) -> None:
    networks, volumes = things(yard, "network"), things(yard, "volume")
    await networks_there(yard, networks)

    @given_examples(st.tuples(recipes(networks=networks, volumes=volumes, labels=LABELS), GPUS))
    def moves(drawn: tuple[WorkloadSpec, GpuRequest]) -> None:
        spec, gpu = drawn
        tried(yard.real, ("docker", "podman"), replace(spec, gpu=gpu if spec.gpu else None))

    await asyncio.to_thread(moves)


async def test_any_container_of_podman(yard: Yard) -> None:
    @given_examples(PODMAN_RECIPES)
    def moves(spec: WorkloadSpec) -> None:
        if spec.entrypoint is None and not spec.command:
            spec = replace(spec, command=None)  # with none at all no engine could start it, and Docker makes none
        tried(yard.real, ("podman", "docker"), replace(spec, labels={**spec.labels, **LABELS}))

    await asyncio.to_thread(moves)
