"""`tranship gpus`: the GPUs of this machine, or why none is seen. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backends.model.fleet import FleetView
from backends.model.gpu import GpuReading, GpuSnapshot
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import common
from tui.cli.output import answer, data, rows
from tui.cli.pick import view_where
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.format import MISSING, bytes_text, number_text, percent_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

GPU_TIMEOUT_S = 5.0
"""The driver may take seconds to wake up a GPU that nobody uses."""

COLUMNS = (
    Column("GPU", align="right"),
    Column("NAME", give=1),
    Column("USE", align="right"),
    Column("MEMORY", align="right"),
    Column("OF", align="right"),
    Column("TEMP", align="right"),
    Column("POWER", align="right"),
    Column("CDI"),
)


@click.command()
@common
@pass_invocation
def gpus(invocation: Invocation) -> None:
    """List the GPUs of this machine, or say why none is seen."""

    async def body(fleet: Fleet) -> Exit:
        snapshot = (await sampled_gpus(fleet)).gpus
        if invocation.json:
            answer(**schema.gpus(snapshot))
        else:
            show(snapshot)
        return Exit.DONE

    run(invocation, body, sampling=True)


async def sampled_gpus(fleet: Fleet) -> FleetView:
    """The view once GPUs were looked for."""
    return await view_where(fleet.store, lambda view: bool(view.gpus.readings or view.gpus.absent), GPU_TIMEOUT_S)


def show(snapshot: GpuSnapshot) -> None:
    """The table of GPUs, or the sentence why there is none."""
    if snapshot.readings:
        rows(COLUMNS, [_cells(reading) for reading in snapshot.readings])
        return
    data(absence(snapshot))


def absence(snapshot: GpuSnapshot) -> str:
    """Why there is no reading, and what to do."""
    why = snapshot.absent or f"no answer from the GPU driver within {GPU_TIMEOUT_S:g} s"
    return inert(f"No GPU: {why}." + (f" Next: {snapshot.hint}" if snapshot.hint else ""))


def _cells(reading: GpuReading) -> tuple[str, ...]:
    device = reading.device
    return (
        str(device.index),
        device.name,
        percent_text(reading.gpu_percent),
        bytes_text(reading.memory_used_bytes),
        bytes_text(device.memory_total_bytes),
        number_text(reading.temperature_c, "°C"),
        number_text(reading.power_w, "W"),
        device.cdi_name or MISSING,
    )
