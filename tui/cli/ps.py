"""`tranship ps`: the containers of all engines. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from backends.model.container import Container, ContainerState, StatsReading
from backends.model.fleet import FleetView
from backends.model.values import NOT_ALL_READ, NOT_SAMPLED
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, complain, doubt, rows
from tui.cli.pick import first_view, the_engine, unreachable, view_where
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column, state_text
from widgets.format import MISSING, age_text, bytes_text, percent_text, ports_text, short_image

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

STATS_TIMEOUT_S = 8.0
"""A far Docker's second message comes up to 2 s after its stream is asked for, a batch and the sampler's round take up
to 1 s each; then as much again for a slow machine. Where all is told sooner, nobody waits."""

STATS_ROW_TIMEOUT_S = 0.05
"""For each running container more: a far Docker opens a stream for each, 200 in 2 to 6 s on two cores."""

COLUMNS = (
    Column("ENGINE", give=1),
    Column("NAME", give=2, cut="middle"),
    Column("IMAGE", give=3, cut="middle"),
    Column("STATE"),
    Column("PORTS", give=4),
    Column("AGE", align="right"),
)
STATS_COLUMNS = (Column("CPU", align="right"), Column("MEMORY", align="right"), Column("LIMIT", align="right"))


@click.command()
@click.option("-a/-r", "--all/--running", "everything", default=True, help="All containers (default), or running ones.")
@click.option("--stats", is_flag=True, help="CPU and memory too: takes a second longer.")
@click.option("--secrets", is_flag=True, help="With --json: what looks like a secret in commands and labels too.")
@engine_option
@common
@pass_invocation
def ps(invocation: Invocation, everything: bool, stats: bool, secrets: bool, engine: str | None) -> None:
    """List the containers of all engines."""

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        if engine is not None:
            the_engine(view, engine)
        if stats:
            fleet.watch(view.containers)
            running = sum(row.state.alive for row in view.containers.values())
            view = await view_where(fleet.store, _sampled, STATS_TIMEOUT_S + STATS_ROW_TIMEOUT_S * running)
        shown = sorted_rows(row for row in view.containers.values() if everything or row.state.alive or _doubtful(row))
        silent = unreachable(view)
        if invocation.json:
            answer(
                containers=[
                    schema.container(row, _reading(view, row) if stats else None, secrets=secrets) for row in shown
                ],
                errors=[schema.error(error) for error in silent],
            )
        else:
            show(shown, view if stats else None)
        doubt((row.key.engine, row.name, row.why) for row in shown)
        for error in silent:
            complain(error)
        return Exit.UNREACHABLE if silent else Exit.DONE

    run(invocation, body, only=only(engine), sampling=stats)


def _doubtful(row: Container) -> bool:
    return row.why.startswith(NOT_ALL_READ)


def sorted_rows(containers: Iterable[Container]) -> list[Container]:
    """By engine, then by name."""
    return sorted(containers, key=lambda row: (row.key.engine.name, row.name, row.key.id))


def show(containers: list[Container], stats: FleetView | None = None) -> None:
    """The table; stats: the view to take readings from, None = without them."""
    now = datetime.now(UTC)
    columns = (*COLUMNS, *STATS_COLUMNS) if stats else COLUMNS
    cells = [(*_cells(row, now), *(_stats_cells(_reading(stats, row)) if stats else ())) for row in containers]
    rows(columns, cells)


def _cells(row: Container, now: datetime) -> tuple[str, ...]:
    return (
        row.key.engine.name,
        row.name,
        short_image(row.image),
        state_text(row),
        ports_text(row.ports) or MISSING,
        age_text(row.created_at, now),
    )


def _stats_cells(reading: StatsReading) -> tuple[str, ...]:
    return (
        percent_text(reading.cpu_percent),
        bytes_text(reading.memory_bytes),
        bytes_text(reading.memory_limit_bytes),
    )


def _reading(view: FleetView, row: Container) -> StatsReading:
    return view.stats.get(row.key) or StatsReading(row.key, sampled_at=0.0)


def _sampled(view: FleetView) -> bool:
    """Every running container of a connected engine has a reading of its CPU, or a reason why it has none."""
    running = [key for key, row in view.containers.items() if row.state is ContainerState.RUNNING]
    readings = [view.stats.get(key) for key in running if not view.engines[key.engine].stale]
    from backends.cgroups.usage import FIRST_SAMPLE

    return all(reading and reading.cpu_percent not in {NOT_SAMPLED, FIRST_SAMPLE} for reading in readings)
