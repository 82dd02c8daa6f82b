"""Six runs on each real engine: their codes, their last lines, and that no container of them stays."""

from __future__ import annotations

import pytest

from backends.model.sweep import SweepRow, SweepState
from backends.model.workload import WorkloadSpec
from backends.services import owned
from backends.services.fleet import Fleet
from backends.services.sweeps import Sweep
from backends.sweep.commands import from_grid
from tests.engines_migration.yard import Yard

pytestmark = pytest.mark.engines

IMAGE = "docker.io/test/busybox:1"


@pytest.mark.parametrize("engine", ["docker", "podman", "podman-rootless"])
async def test_six_runs(yard: Yard, engine: str) -> None:
    ours = yard.engine(engine)
    fleet = Fleet([ours])
    await fleet.start()
    assert await fleet.ready(20)
    axes = [("a", ("1", "2", "3")), ("b", ("x", "y"))]
    runs = from_grid(IMAGE, axes, ["sh", "-c", "echo first; echo run {a} {b}; test {a} -ne 3"])
    rows: list[SweepRow] = []

    async def write(row: SweepRow) -> None:
        rows.append(row)

    spec = WorkloadSpec("sweep", IMAGE)
    await Sweep(fleet, ours.id, spec, runs, jobs=2, write=write, on_row=lambda _row: None).run()
    await fleet.close()
    told = {row.run.number: (row.state, row.exit_code, row.last_line) for row in rows}
    assert told == {
        one.number: (
            SweepState.FAILED if one.parameters["a"] == "3" else SweepState.DONE,
            int(one.parameters["a"] == "3"),
            f"run {one.parameters['a']} {one.parameters['b']}",
        )
        for one in runs
    }
    (mark,) = owned.mark().items()
    assert yard.cli(engine, "ps", "-aq", "--filter", f"label={'='.join(mark)}") == ""
