"""The rows of the GPU picker as lines: what can be wished for, and the devices with who holds them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, MigInstance
from backends.model.values import NOT_SAMPLED, Count, Missing
from backends.model.wish import ALL, KEEP, NONE, GpuWish, WishKind, first
from backends.model.workload import MOST_GPUS
from widgets.format import MISSING, bytes_text, percent_text
from widgets.line import Line, Tone, line
from widgets.text import cut_end, cut_line, cut_middle, inert, pad

_BY_INDEX = frozenset({"NVIDIA", "AMD"})  # vendors whose CDI names go by the driver's index
_ID, _FREE, _USE = 6, 19, 6  # cells of the columns; name and holders share the rest
_LABEL = 12


@dataclass(frozen=True, slots=True)
class GpuOffer:
    """What can be chosen from.

    kept: what stands now, for people; None where there is nothing to keep (a container that is made anew). gpus: those
    of the engine's own machine, empty where it is another one. names: CDI names of GPUs that the engine tells, offered
    where no device is known. holders: names of containers by id. absent, hint: why no device is shown, and what to do.
    """

    kept: str | None = None
    gpus: GpuSnapshot = field(default_factory=GpuSnapshot)
    names: tuple[str, ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    hint: str = ""

    @property
    def most(self) -> int:
        """The largest number that can be asked for."""
        whole = [name for name in self.names if name.rpartition("=")[2].isdecimal()]
        return len(self.gpus.readings) or len(whole) or MOST_GPUS


class PickRow(NamedTuple):
    """One row. wish: what it stands for by itself, None of a heading or a device. device: its word in a wish, or ""."""

    key: str
    text: Line
    wish: GpuWish | None = None
    device: str = ""

    @property
    def idle(self) -> bool:
        """It cannot be chosen."""
        return self.wish is None and not self.device


def device_word(device: GpuDevice, readings: Sequence[GpuReading]) -> str:
    """How a wish names the device: by index, by its CDI name where the index alone does not tell it."""
    alone = sum(other.device.index == device.index for other in readings) == 1
    if alone and device.vendor.upper() in _BY_INDEX:
        return str(device.index)
    return device.cdi_name or device.uuid or str(device.index)


def instance_word(device: GpuDevice, instance: MigInstance) -> str:
    """How a wish names a MIG instance."""
    return f"{device.index}:{instance.index}"


def pick_rows(offer: GpuOffer, chosen: GpuWish, count: int, width: int) -> list[PickRow]:
    """All rows. chosen: what is marked now. count: the number that the row of numbers shows."""
    rows = [
        _radio("all", "All", "", ALL, chosen),
        _number(offer, count, chosen),
        _radio("none", "None", "", NONE, chosen),
    ]
    if offer.kept is not None:
        rows.insert(0, _radio("keep", "As they are", offer.kept, KEEP, chosen))
    if offer.gpus.readings:
        rows.append(PickRow("devices", _heading(width)))
        for reading in offer.gpus.readings:
            rows.extend(_device_rows(reading, offer, frozenset(chosen.devices), width))
    elif offer.names:
        rows.append(PickRow("devices", line(("Names that the engine lists", Tone.HEADING))))
        single = (name for name in offer.names if not name.endswith("=all"))
        rows.extend(PickRow(name, _listed(name, name in chosen.devices), device=name) for name in single)
    return [row._replace(text=cut_line(row.text, width)) for row in rows]


def _radio(key: str, label: str, detail: str, wish: GpuWish, chosen: GpuWish) -> PickRow:
    mark = "(•) " if wish == chosen else "( ) "
    return PickRow(key, line((mark, Tone.INFO), pad(label, _LABEL), (inert(detail), Tone.DIM)), wish)


def _number(offer: GpuOffer, count: int, chosen: GpuWish) -> PickRow:
    mark = "(•) " if chosen.kind is WishKind.FIRST else "( ) "
    more = f"of {offer.most}; " if offer.most < MOST_GPUS else ""
    hint = f"  {more}+ and - change it"
    text = line((mark, Tone.INFO), pad("The first", _LABEL), (f"[ {count} ]", Tone.STRONG), (hint, Tone.DIM))
    return PickRow("first", text, first(count))


def _columns(width: int) -> tuple[int, int]:
    """(cells of the name, cells of the holders)."""
    rest = max(16, width - 4 - _ID - _FREE - _USE - 4)
    name = min(28, rest // 2)
    return name, rest - name


def _row(mark: str, cells: tuple[str, str, str, str, str], width: int, tone: Tone = Tone.PLAIN) -> Line:
    """(id, name, free, use, holders) in columns; the marks are told by their shape."""
    name, holders = _columns(width)
    return line(
        (mark, Tone.INFO),
        (pad(cut_middle(cells[0], _ID - 1), _ID), tone),
        (pad(cut_end(cells[1], name), name), tone),
        (pad(cells[2], _FREE, "right"), tone),
        (pad(cells[3], _USE, "right"), tone),
        ("  " + cut_end(cells[4], holders), Tone.DIM if tone is Tone.PLAIN else tone),
    )


def _heading(width: int) -> Line:
    return _row("    ", ("GPU", "", "FREE", "USE", "HELD BY"), width, Tone.HEADING)


def _mark(on: bool) -> str:
    return "[x] " if on else "[ ] "


def _listed(name: str, on: bool) -> Line:
    return line((_mark(on), Tone.INFO), inert(name))


def _device_rows(reading: GpuReading, offer: GpuOffer, marked: Collection[str], width: int) -> list[PickRow]:
    device = reading.device
    word = device_word(device, offer.gpus.readings)
    shown = word if len(word) < _ID else str(device.index)
    name = inert(device.name)
    if name.upper().startswith(f"{device.vendor.upper()} "):  # the column is narrow, and its model tells the maker
        name = name[len(device.vendor) + 1 :]
    if reading.condition:
        said = line(
            (_mark(word in marked), Tone.INFO),
            pad(shown, _ID),
            (f"{name}  ", Tone.PLAIN),
            (f"✕ {inert(reading.condition)}", Tone.BAD),
        )
        return [PickRow(word, said, device=word)]
    whole = [process for process in reading.processes if not process.mig_uuid]
    cells = (shown, name, _room(reading), percent_text(reading.gpu_percent), _held(reading, whole, offer))
    rows = [PickRow(word, _row(_mark(word in marked), cells, width), device=word)]
    for instance in device.mig:
        own = instance_word(device, instance)
        mine = [process for process in reading.processes if process.mig_uuid == instance.uuid]
        used = next((one.memory_used_bytes for one in reading.mig if one.uuid == instance.uuid), NOT_SAMPLED)
        free = _free_of(instance.memory_total_bytes, used)
        cells = (own, f"└ {inert(instance.profile) or 'MIG'}", free, MISSING, _held(reading, mine, offer))
        rows.append(PickRow(own, _row(_mark(own in marked), cells, width), device=own))
    return rows


def _room(reading: GpuReading) -> str:
    total = reading.device.memory_total_bytes
    if not isinstance(reading.memory_free_bytes, Missing):
        return f"{bytes_text(reading.memory_free_bytes)} of {bytes_text(total)}"
    return _free_of(total, reading.memory_used_bytes)


def _free_of(total: Count, used: Count) -> str:
    if isinstance(total, Missing):
        return MISSING
    if isinstance(used, Missing):
        return f"{MISSING} of {bytes_text(total)}"
    return f"{bytes_text(max(0, total - used))} of {bytes_text(total)}"


def _held(reading: GpuReading, processes: Sequence[GpuProcess], offer: GpuOffer) -> str:
    """Who holds it, who takes most first."""
    if reading.processes_refused:
        return "not told"

    def taken(process: GpuProcess) -> int:
        return 0 if isinstance(process.memory_bytes, Missing) else process.memory_bytes

    found = dict.fromkeys(_holder(one, offer) for one in sorted(processes, key=taken, reverse=True))
    return ", ".join(found) or "nobody"


def _holder(process: GpuProcess, offer: GpuOffer) -> str:
    if process.container_id:
        return inert(offer.holders.get(process.container_id, process.container_id[:12]))
    return inert(process.name) or f"pid {process.pid}"


__all__ = ["GpuOffer", "PickRow", "device_word", "instance_word", "pick_rows"]
