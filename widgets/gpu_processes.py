"""Processes on GPUs as rows of a table: pure, tested without a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from backends.model.fleet import FleetView
from backends.model.gpu import GpuProcess
from backends.model.ids import ContainerKey
from widgets.container_sort import measured
from widgets.format import MISSING, bytes_text, percent_text, value_cell
from widgets.gpu_gauges import LIT
from widgets.gpu_given import device_key
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert

NO_USERS: Mapping[int, str] = {}
PROCESS_COLUMNS = (
    Column("gpu", "  GPU", 6, fixed=True, sortable=False),
    Column("pid", "PID", 7, align="right", fixed=True, sortable=False),
    Column("user", "USER", 8, flex=1, most=16, priority=2, sortable=False),
    Column("program", "PROGRAM", 12, flex=3, most=24, cut="middle", priority=1, sortable=False),
    Column("container", "CONTAINER", 14, flex=6, most=40, cut="middle", priority=0, sortable=False),
    Column("memory", "MEMORY", 8, align="right", priority=0, sortable=False),
    Column("sm", "SM %", 5, align="right", priority=0, sortable=False),
)


class ProcessKey(NamedTuple):
    """What names a process on a device: one process may run on several."""

    pid: int
    device: str
    instance: str


class GpuProcessFacts(NamedTuple):
    """One process as its row is drawn. where: device, or device and MIG instance ("0:1")."""

    process: GpuProcess
    where: str
    user: str
    container: str
    lit: bool


def process_rows(
    view: FleetView,
    *,
    lit: str = "",
    only: str = "",
    users: Mapping[int, str] = NO_USERS,
) -> list[Row]:
    """A row for each process on each device, in the devices' order, the most memory first.

    lit: the device or MIG instance whose processes are marked; only: the one whose processes alone are shown ("" = of
    all). users: names by numeric id, as far as known.
    """
    named = {key.id: inert(container.name) for key, container in view.containers.items()}
    called = {one: inert(users.get(one) or str(one)) for one in user_ids(view)}
    rows: list[Row] = []
    for reading in view.gpus.readings:
        key, index = device_key(reading.device), str(reading.device.index)
        places = {one.uuid: f"{index}:{one.index}" for one in reading.device.mig}
        for process in sorted(reading.processes, key=_largest_first):
            instance = process.mig_uuid
            if only and only != key and only != instance:
                continue
            facts = GpuProcessFacts(
                process,
                places.get(instance, index),
                MISSING if process.user_id is None else called[process.user_id],
                # Its short id where no engine here knows it; nothing where it runs in none.
                named.get(process.container_id) or process.container_id[:12],
                bool(lit) and lit in (key, instance),
            )
            rows.append(Row(ProcessKey(process.pid, key, instance), LazyCells(_cells, facts)))
    return rows


def _largest_first(process: GpuProcess) -> tuple[float, int]:
    return (-(measured(process.memory_bytes) or 0.0), process.pid)


def container_of(view: FleetView, key: object) -> ContainerKey | None:
    """The container that a row's process runs in, None where it is in none that is known."""
    if not isinstance(key, ProcessKey):
        return None
    for reading in view.gpus.readings:
        if device_key(reading.device) == key.device:
            found = next((one.container_id for one in reading.processes if one.pid == key.pid), "")
            return next((known for known in view.containers if found and known.id == found), None)
    return None


def user_ids(view: FleetView) -> frozenset[int]:
    """The numeric users of all processes."""
    return frozenset(
        one.user_id for reading in view.gpus.readings for one in reading.processes if one.user_id is not None
    )


def _cells(facts: GpuProcessFacts) -> tuple[Line, ...]:
    process = facts.process
    strong = Tone.STRONG if facts.lit else Tone.PLAIN
    busy = bool(measured(process.sm_percent))
    return (
        line((LIT if facts.lit else " ", Tone.INFO), (f" {facts.where}", Tone.INFO)),
        value_cell(str(process.pid), tone=Tone.DIM),
        value_cell(facts.user, tone=Tone.DIM),
        value_cell(inert(process.name) or MISSING),
        value_cell(inert(facts.container), tone=strong) if facts.container else line(("no container", Tone.FAINT)),
        value_cell(bytes_text(process.memory_bytes)),
        value_cell(percent_text(process.sm_percent), tone=Tone.PLAIN if busy else Tone.DIM),
    )
