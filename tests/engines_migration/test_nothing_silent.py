"""Every option of the engines' own `create`, and so every row of the field table: planned, created there, compared.

Containers are only created, never started. The options stand in flags.txt; those that go together share a container.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable, Sequence

import pytest

from backends.engine import Engine
from backends.migration import plan_migration
from backends.migration.rows import TABLE
from backends.migration.table import Side
from backends.migration.verify import compare_specs
from backends.model.capabilities import Capability
from backends.model.plan import Plan, Verdict
from backends.model.workload import WorkloadSpec
from tests.engines_migration.batches import Batch, Option, batches, options, subnet_of
from tests.engines_migration.yard import Yard
from tests.thorough import thorough

pytestmark = pytest.mark.engines

IMAGE = "test/busybox:1"
DIRECTIONS = [("docker", "podman-rootless"), ("podman", "docker")]
DIRECTIONS += thorough(("docker", "podman"), ("podman-rootless", "docker"))
NOT_HERE = {
    "image_id": "observed, not set",
    "unmapped": "what it holds is planned by itself",
    "resources.storage": "a size of the writable layer needs XFS with project quotas",
    "resources.blkio_weight": "needs a kernel with weights of block devices",
    "resources.cpu_realtime_runtime_us": "needs a kernel with real-time groups",
    "resources.cpu_realtime_period_us": "needs a kernel with real-time groups",
}
"""Rows that no option sets on this machine."""


LEFT = {
    "docker": {"process.unset_env", "resources.throttles"},
    "podman": set[str](),
    "podman-rootless": {"network.mac", "security.device_cgroup_rules"},
}
"""Rows that this engine's command line does not set here; test_any_move.py sets those of Docker's API."""

LIMITS = (
    *("memory_bytes", "cpus_nano", "resources.memory_", "resources.cpu", "resources.pids_limit", "resources.oom_kill"),
    "resources.throttles",
)
"""Rows of limits, which rootless Podman on cgroup v1 does not apply: `said` in flags.txt are then its own words."""


def lines(plan: Plan) -> set[str]:
    """What the plan says of each field."""
    for field in plan.fields:
        assert field.verdict is Verdict.SAME or field.reason, field
        same = field.source == field.target or field.field.startswith("mounts.")  # says more of how it is mounted
        assert field.verdict is not Verdict.SAME or same, field
        assert field.verdict is not Verdict.DROPPED or not field.target, field
    return {
        f"{field.field}: {field.verdict} {field.source} -> {field.target} ({field.reason})" for field in plan.fields
    }


def scenery(yard: Yard, engine: str) -> None:
    """What some of the options refer to."""
    yard.cli(engine, "volume", "create", *yard.marks, f"{yard.run}-v")
    yard.cli(engine, "run", "--rm", "-v", f"{yard.run}-v:/v", *yard.marks, IMAGE, "mkdir", "/v/sub")
    shared = ["--ipc", "shareable", "-v", f"{yard.run}-bv:/bv"]
    yard.cli(engine, "create", "--name", f"{yard.run}-base", *shared, *yard.marks, IMAGE)
    yard.cli(engine, "network", "create", "--subnet", f"{subnet_of(yard.run)}.0/24", *yard.marks, f"{yard.run}-net")
    if engine != "docker":
        yard.cli(engine, "pod", "create", "--name", f"{yard.run}-pod", *yard.marks)
        yard.real.cli(engine, "secret", "create", f"{yard.run}-s", "-", stdin=b"hidden")


def clear(yard: Yard, engine: str) -> None:
    """Take away what a yard does not."""
    if engine != "docker":
        yard.answers(engine, "pod", "rm", "-f", "-t", "0", f"{yard.run}-pod")
        yard.answers(engine, "secret", "rm", f"{yard.run}-s")


async def made_there(plan: Plan, target: Engine) -> tuple[WorkloadSpec, list[str]]:
    """The copy that was planned, created on the target and read back; what of it is not as planned."""
    copy = await target.create_container(plan.spec)
    back = await target.workload_spec(copy)
    checks = compare_specs(plan.spec, back, Side(target.id, await target.connect()))
    wrong = [f"{check.subject}: {check.source} became {check.target}" for check in checks if not check.equal]
    return back, wrong


def silent(spec: WorkloadSpec, plan: Plan) -> list[str]:
    """Rows and entries of the source that the plan does not mention."""
    said = [field.field for field in plan.fields]
    wanted = [row.path for row in TABLE if row.key is not None and row.configured(spec)]
    wanted += [
        f"{row.path}.{name}"
        for row in TABLE
        if row.parts and row.configured(spec)
        for name, _ in row.parts.split(row.get(spec))
    ]
    wanted += [field.path for field in spec.unmapped]
    return [path for path in wanted if path not in said and not any(one.startswith(f"{path}.") for one in said)]


def near(option: Option, said: Iterable[str]) -> list[str]:
    """The lines that may have been meant."""
    return sorted(line for line in said if line.partition(":")[0] == option.said.partition(":")[0]) or sorted(said)


async def moved(
    yard: Yard, ends: tuple[str, str], name: str, batch: Batch, nothing: set[str]
) -> tuple[WorkloadSpec, list[str]]:
    """The source's recipe, and what is wrong with its plan and its copy."""
    source, target = (yard.engine(end) for end in ends)
    argv = ["create", "--name", name, *yard.marks, *batch.argv()]
    command = ["true"] if not {"--entrypoint"} & batch.names else []
    try:
        await asyncio.to_thread(yard.cli, ends[0], *argv, IMAGE, *command)
    except subprocess.CalledProcessError as error:
        return WorkloadSpec("", ""), [f"{' '.join(batch.argv())}: not taken: {error.__notes__}"]
    spec = await source.workload_spec(name)
    plan = await plan_migration(source, name, target)
    said = lines(plan) - nothing
    wrong = [
        f"{' '.join(option.argv)}: {option.said!r} is not said, but {near(option, said)}"
        for option in batch.options
        if not any(option.said.lower() in line.lower() for line in said)
    ]
    wrong += [f"{' '.join(batch.argv())}: {path} is in no line" for path in silent(spec, plan)]
    try:
        _, unequal = await made_there(plan, target)
        wrong += [f"{' '.join(batch.argv())}: {text}" for text in unequal]
    except Exception as error:  # noqa: BLE001 - told with all the others
        wrong.append(f"{' '.join(batch.argv())}: not made: {error!r} {getattr(error, 'detail', '')}")
    return spec, wrong


async def prepared(plan: Plan, target: Engine) -> None:
    """The networks that a plan makes, before the copy."""
    for move in plan.networks:
        if move.create is not None:
            await target.create_network(move.create)


def uncovered(specs: Sequence[WorkloadSpec], engine: str) -> set[str]:
    """Rows that this engine has and none of the recipes sets."""
    has = {row.path: row for row in TABLE if (row.docker if engine == "docker" else row.podman) != "-"}
    return {path for path, row in has.items() if not any(row.configured(spec) for spec in specs)}


@pytest.mark.parametrize(("here", "there"), DIRECTIONS)
async def test_every_option_is_in_the_plan_and_the_copy_has_it(yard: Yard, here: str, there: str) -> None:
    wanted = batches(options(here, yard.run))
    source, target = yard.engine(here), yard.engine(there)
    try:
        await asyncio.to_thread(scenery, yard, here)
        plain = f"{yard.run}-plain"
        await asyncio.to_thread(yard.cli, here, "create", "--name", plain, *yard.marks, IMAGE, "true")
        on_net = f"{yard.run}-on-net"
        options_of_it = ["--network", f"{yard.run}-net", *yard.marks, IMAGE, "true"]
        await asyncio.to_thread(yard.cli, here, "create", "--name", on_net, *options_of_it)
        await prepared(await plan_migration(source, on_net, target), target)
        for name in ("v", "bv"):  # as a move does; of copies made at once Podman makes a named volume for one only
            await asyncio.to_thread(yard.cli, there, "volume", "create", *yard.marks, f"{yard.run}-{name}")
        plan = await plan_migration(source, plain, target)
        assert not [field for field in plan.fields if field.verdict is Verdict.DROPPED]
        nothing = {line for line in lines(plan) if not line.startswith(("name:", "command:"))}
        work = asyncio.Semaphore(3)

        async def bounded(number: int, batch: Batch) -> tuple[WorkloadSpec, list[str]]:
            async with work:
                return await moved(yard, (here, there), f"{yard.run}-{number}", batch, nothing)

        found = await asyncio.gather(*(bounded(number, batch) for number, batch in enumerate(wanted)))
    finally:
        await asyncio.to_thread(clear, yard, here)
    assert not [text for _, wrong in found for text in wrong], "\n".join(text for _, wrong in found for text in wrong)
    left = uncovered([spec for spec, _ in found], here) - set(NOT_HERE)
    if not (await source.connect()).capabilities.can(Capability.RESOURCE_LIMITS):
        left = {path for path in left if not path.startswith(LIMITS)}
    assert left == LEFT[here]


__all__ = ["made_there", "silent"]
