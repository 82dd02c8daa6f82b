"""Who has the GPUs: processes and containers as rows of tables. Pure, tested without a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import GpuUse
from widgets.container_sort import measured
from widgets.engine_badge import badge_tone, badges
from widgets.format import MISSING, bytes_text, duration_text, percent_text, value_cell
from widgets.gpu_gauges import LIT
from widgets.gpu_given import (
    IDLE_AFTER_S,
    device_key,
    devices_of,
    given_text,
    idle_s,
    is_idle,
    names_of,
    used_devices,
    used_text,
)
from widgets.gpu_lines import Taker
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert


class Holder(NamedTuple):
    """A container that was given GPUs or uses some. given, used: which, as shown; devices: those and instances, by key.

    idle_s: for how long it has held memory and computed nothing, None where it computes; long: longer than allowed.
    """

    container: Container
    use: GpuUse | None
    badge: str
    given: str
    used: str
    devices: frozenset[str]
    idle_s: float | None
    long: bool

    def held_words(self) -> str:
        """What stopping it frees: "It holds 41 GiB of GPU memory, idle for 23m", "" where it holds none."""
        held = measured(self.use.memory_bytes) if self.use is not None else None
        idle = f", idle for {duration_text(self.idle_s)}" if self.idle_s is not None else ""
        return f"It holds {bytes_text(int(held))} of GPU memory{idle}." if held else ""


def holders_of(view: FleetView, *, monotonic_now: float = 0.0, idle_after_s: float = IDLE_AFTER_S) -> list[Holder]:
    """Containers that use GPUs, the most memory first; then those that run and were given some."""
    names, named = names_of(view.gpus), badges(view.engines.values())
    found: list[Holder] = []
    for key, container in view.containers.items():
        use = view.gpu_use.get(key)
        if use is None and not (container.gpus_given and container.state.alive):
            continue
        idle = idle_s(use, monotonic_now)
        found.append(
            Holder(
                container,
                use,
                named.get(key.engine) or inert(key.engine.name),
                given_text(container.gpus_given, names),
                used_text(use, names),
                devices_of(view, container, names).union(use.mig_uuids if use is not None else ()),
                idle,
                is_idle(use, monotonic_now, idle_after_s),
            )
        )
    return sorted(found, key=lambda one: (one.use is None, -_memory(one), one.container.name.lower()))


def _memory(holder: Holder) -> float:
    return (measured(holder.use.memory_bytes) if holder.use is not None else None) or 0.0


def takers_of(view: FleetView, holders: Sequence[Holder]) -> Mapping[str, tuple[Taker, ...]]:
    """Who has memory of each device, by `device_key`, the most first: containers, and programs outside of all."""
    known = {one.container.key.id: one for one in holders}
    found: dict[str, tuple[Taker, ...]] = {}
    for reading in view.gpus.readings:
        held: dict[str, Taker] = {}
        taken: dict[str, float] = {}
        for process in reading.processes:
            holder = known.get(process.container_id)
            # Its short id where no engine here knows it.
            name = holder.container.name if holder is not None else process.container_id[:12] or process.name
            one = process.container_id or name or f"pid {process.pid}"
            taken[one] = taken.get(one, 0.0) + (measured(process.memory_bytes) or 0.0)
            idle = duration_text(holder.idle_s) if holder is not None and holder.long and holder.idle_s else ""
            held[one] = Taker(name or one, bytes_text(int(taken[one])) if taken[one] else "", idle)
        found[device_key(reading.device)] = tuple(held[one] for one in sorted(held, key=lambda one: -taken[one]))
    return found


def idle_by_device(view: FleetView, holders: list[Holder]) -> Mapping[str, int]:
    """How many containers hold memory on each device and have computed nothing for too long."""
    counts: dict[str, int] = {}
    for holder in holders:
        for key in used_devices(holder.use, view.gpus) if holder.long else ():
            counts[key] = counts.get(key, 0) + 1
    return counts


def idle_words(holders: list[Holder]) -> str:
    """ "2 containers hold 41 GiB idle", "" where none does."""
    idle = [holder for holder in holders if holder.long]
    if not idle:
        return ""
    held = bytes_text(int(sum(map(_memory, idle))))
    return f"{len(idle)} containers hold {held} idle" if len(idle) > 1 else f"1 container holds {held} idle"


_HOLDER_COLUMNS = (
    Column("name", "CONTAINER", 14, flex=6, most=40, cut="middle", fixed=True, sortable=False),
    Column("given", "GIVEN", 7, flex=1, most=16, align="right", priority=2, sortable=False),
    Column("used", "USES", 7, flex=1, most=16, align="right", priority=1, sortable=False),
    Column("memory", "MEMORY", 8, align="right", priority=0, sortable=False),
    Column("sm", "SM %", 6, align="right", priority=0, sortable=False),
    Column("idle", "COMPUTES", 9, flex=1, most=14, align="right", priority=0, sortable=False),
)


def holder_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of containers. badge_width: cells of the longest badge of an engine."""
    return (Column("engine", "ENG", max(4, badge_width), fixed=True, sortable=False), *_HOLDER_COLUMNS)


class _HolderFacts(NamedTuple):
    holder: Holder
    lit: bool
    idle: str


def holder_rows(holders: list[Holder], lit: str = "") -> list[Row]:
    """A row for each; keys are ContainerKeys. lit: the device whose containers are marked, "" = none."""
    return [
        Row(
            one.container.key,
            LazyCells(_holder_cells, _HolderFacts(one._replace(idle_s=None), lit in one.devices, _idle(one))),
        )
        for one in holders
    ]


def _idle(holder: Holder) -> str:
    """Whether it computes: "now", "idle 23m", or its state where it does not run."""
    if holder.use is None:
        return "–" if not holder.container.state.alive else "no use"
    if holder.idle_s is None:
        return "now" if (measured(holder.use.sm_percent) or 0.0) > 0 else MISSING
    return f"idle {duration_text(holder.idle_s)}"


def _holder_cells(facts: _HolderFacts) -> tuple[Line, ...]:
    holder, use = facts.holder, facts.holder.use
    lit = Tone.STRONG if facts.lit else Tone.PLAIN
    tone = Tone.WARN if holder.long else Tone.DIM
    return (
        line((holder.badge, badge_tone(holder.container.key.engine))),
        line((LIT if facts.lit else "", Tone.INFO), (inert(holder.container.name), lit)),
        value_cell(holder.given or MISSING, tone=Tone.DIM),
        value_cell(holder.used or MISSING, tone=lit),
        value_cell(bytes_text(use.memory_bytes if use is not None else None)),
        value_cell(percent_text(use.sm_percent if use is not None else None)),
        value_cell(facts.idle, tone=tone),
    )
