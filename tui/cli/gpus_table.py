"""GPUs, their processes and their containers as plain tables. Pure: a view in, blocks of text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import GpuProcess, GpuReading, GpuSnapshot, GpuUse, MigInstance
from backends.model.values import Count, Missing, Quantity
from tui.cli.table import Column, table
from widgets.format import MISSING, bytes_text, duration_text, number_text, percent_text
from widgets.text import inert, wrap

DEVICES = (
    Column("GPU"),
    Column("NAME", give=2, cut="middle"),
    Column("USE", align="right"),
    Column("MEMORY", align="right"),
    Column("OF", align="right"),
    Column("TEMP", align="right"),
    Column("POWER", align="right"),
    Column("CDI", give=1),
)
PROCESSES = (
    Column("GPU"),
    Column("PID", align="right"),
    Column("USER", give=3),
    Column("PROGRAM", give=4),
    Column("CONTAINER", give=2, cut="middle"),
    Column("ENGINE", give=1),
    Column("MEMORY", align="right"),
    Column("SM", align="right"),
)
CONTAINERS = (
    Column("ENGINE", give=1),
    Column("CONTAINER", give=2, cut="middle"),
    Column("GIVEN", give=3),
    Column("USES", give=4),
    Column("MEMORY", align="right"),
    Column("SM", align="right"),
    Column("IDLE", align="right"),
)
_VENDOR = "nvidia.com/"  # of CDI names; others are shown in full
_SHOWN = "USE", "MEMORY", "OF", "TEMP", "POWER"
DEMO = "DEMO: these GPUs are invented."


@dataclass(frozen=True, slots=True)
class Block:
    """A table, or sentences where `columns` is ()."""

    columns: Sequence[Column]
    cells: Sequence[Sequence[str]]

    def lines(self, width: int | None, bold: bool = False) -> list[str]:
        """The block as lines of at most `width` cells (None = as they are); bold: the header, for a terminal."""
        if not self.columns:
            sentences = [inert(sentence) for (sentence,) in self.cells]
            return sentences if width is None else [line for one in sentences for line in wrap(one, width)]
        header, *rest = table(self.columns, self.cells, width)
        return [f"\x1b[1m{header}\x1b[0m" if bold else header, *rest]


def devices(snapshot: GpuSnapshot) -> Iterator[Block]:
    """The devices with their MIG instances, then what is to be said of them."""
    if snapshot.readings:
        yield Block(DEVICES, [cells for reading in snapshot.readings for cells in _device(reading)])
    yield from _said(_sentences(snapshot))


def processes(view: FleetView, users: Mapping[int, str]) -> Iterator[Block]:
    """All processes, by device; none where no driver lists one. users: names by id."""
    names = {key.id: (row.name, key.engine.name) for key, row in sorted(view.containers.items(), reverse=True)}
    cells = [
        _process(reading, process, names, users) for reading in view.gpus.readings for process in reading.processes
    ]
    if cells:
        yield Block(PROCESSES, cells)
        yield from _said(_unread_processes(view.gpus))


def containers(snapshot: GpuSnapshot, rows: Iterable[tuple[Container, GpuUse | None]], now: float) -> Iterator[Block]:
    """What containers were given beside what they use. now: monotonic seconds."""
    cells = [_container(snapshot, row, use, now) for row, use in rows]
    if cells:
        yield Block(CONTAINERS, cells)


def holders(view: FleetView) -> list[tuple[Container, GpuUse | None]]:
    """Living containers that were given a GPU or use one, by engine and name, each with its use."""
    rows = sorted(view.containers.values(), key=lambda row: (row.key.engine.name, row.name, row.key.id))
    uses = [(row, view.gpu_use.get(row.key)) for row in rows if row.state.alive]
    return [(row, use) for row, use in uses if use is not None or row.gpus_given]


def idle(view: FleetView) -> list[tuple[Container, GpuUse | None]]:
    """Those that hold GPU memory and compute nothing, the longest idle first."""
    found = [(use.idle_since, row, use) for row, use in holders(view) if use is not None and use.idle_since is not None]
    return [(row, use) for _, row, use in sorted(found, key=lambda one: (one[0], one[1].name))]


def absence(snapshot: GpuSnapshot, waited_s: float) -> str:
    """Why there is no reading, and what to do. waited_s: how long an answer was waited for."""
    why = snapshot.absent or f"no answer from the GPU driver within {waited_s:g} s"
    return inert(f"No GPU: {why}." + (f" Next: {snapshot.hint}" if snapshot.hint else ""))


def _device(reading: GpuReading) -> Iterator[tuple[str, ...]]:
    device = reading.device
    yield (
        str(device.index),
        device.name,
        percent_text(reading.gpu_percent),
        bytes_text(reading.memory_used_bytes),
        bytes_text(device.memory_total_bytes),
        number_text(reading.temperature_c, "°C"),
        number_text(reading.power_w, "W"),
        device.cdi_name or MISSING,
    )
    used = {one.uuid: one.memory_used_bytes for one in reading.mig}
    for instance in device.mig:
        yield _instance(device.index, instance, used.get(instance.uuid))


def _instance(device: int, instance: MigInstance, used: Count | None) -> tuple[str, ...]:
    return (
        f"{device}:{instance.index}",
        f"  MIG {instance.profile}".rstrip(),
        "",
        bytes_text(used),
        bytes_text(instance.memory_total_bytes),
        "",
        "",
        instance.cdi_name or MISSING,
    )


def _process(
    reading: GpuReading, process: GpuProcess, names: Mapping[str, tuple[str, str]], users: Mapping[int, str]
) -> tuple[str, ...]:
    container, engine = names.get(process.container_id, (process.container_id[:12], ""))
    user = process.user_id
    return (
        _place(reading, process.mig_uuid),
        str(process.pid),
        MISSING if user is None else users.get(user, str(user)),
        process.name or MISSING,
        container or MISSING,
        engine or MISSING,
        bytes_text(process.memory_bytes),
        percent_text(process.sm_percent),
    )


def _place(reading: GpuReading, mig_uuid: str) -> str:
    index = next((one.index for one in reading.device.mig if one.uuid == mig_uuid), None)
    return str(reading.device.index) if index is None else f"{reading.device.index}:{index}"


def _container(snapshot: GpuSnapshot, row: Container, use: GpuUse | None, now: float) -> tuple[str, ...]:
    idle_s = None if use is None or use.idle_since is None else now - use.idle_since
    return (
        row.key.engine.name,
        row.name,
        ", ".join(map(_given, row.gpus_given)) or MISSING,
        "nothing" if use is None else ", ".join(_places(snapshot, use)),
        MISSING if use is None else bytes_text(use.memory_bytes),
        MISSING if use is None else percent_text(use.sm_percent),
        MISSING if idle_s is None else duration_text(max(0.0, idle_s)),
    )


def _places(snapshot: GpuSnapshot, use: GpuUse) -> Iterator[str]:
    """Its devices; of one that it uses by MIG instances, those: "0", "1:0"."""
    for reading in snapshot.readings:
        if reading.device.uuid in use.device_uuids:
            own = [one for one in reading.device.mig if one.uuid in use.mig_uuids]
            yield from [_place(reading, one.uuid) for one in own] or [str(reading.device.index)]


def _given(request: str) -> str:
    """ "gpu=0", "any 2", "all"."""
    return f"any {request}" if request.isdecimal() else request.removeprefix(_VENDOR)


def _said(sentences: Iterable[str]) -> Iterator[Block]:
    cells = [(sentence,) for sentence in sentences]
    if cells:
        yield Block((), cells)


def _sentences(snapshot: GpuSnapshot) -> Iterator[str]:
    if snapshot.demo and snapshot.readings:
        yield DEMO
    for reading in snapshot.readings:
        place = f"GPU {reading.device.index} ({reading.device.vendor})"
        if reading.condition:
            yield f"{place}: {reading.condition}." + (f" Next: {reading.hint}" if reading.hint else "")
            continue
        throttled = reading.clocks.throttled
        if not isinstance(throttled, Missing) and throttled:
            yield f"{place} runs slower than it could: {', '.join(throttled)}."
        if reading.processes_refused:
            yield f"{place} does not list its processes: {reading.processes_refused}."
    yield from _unread(snapshot)
    yield from snapshot.notes


def _unread(snapshot: GpuSnapshot) -> Iterator[str]:
    """Why values of the table of devices are missing."""
    parts = []
    for reading in snapshot.readings:
        total = reading.device.memory_total_bytes
        values = (reading.gpu_percent, reading.memory_used_bytes, total, reading.temperature_c, reading.power_w)
        if not reading.condition:
            parts.append((str(reading.device.index), zip(_SHOWN, values, strict=True)))
    return _reasons(parts)


def _unread_processes(snapshot: GpuSnapshot) -> Iterator[str]:
    """Why values of the table of processes are missing."""
    return _reasons(
        (_place(reading, one.mig_uuid), (("MEMORY", one.memory_bytes), ("SM", one.sm_percent)))
        for reading in snapshot.readings
        for one in reading.processes
    )


def _reasons(parts: Iterable[tuple[str, Iterable[tuple[str, Quantity]]]]) -> Iterator[str]:
    """Each reason with its columns, and the places that it is so of. parts: places with their values by column."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for place, values in parts:
        columns: dict[str, list[str]] = {}
        for column, value in values:
            if isinstance(value, Missing):
                columns.setdefault(value.reason, []).append(column)
        for reason, names in columns.items():
            found.setdefault((reason, ", ".join(names)), {})[place] = None
    for (reason, where), places in found.items():
        yield f"{MISSING} in {where} of GPU {', '.join(places)}: {reason}."
