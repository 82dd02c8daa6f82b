"""FleetView to table rows: filtered, sorted, grouped. Pure, tested without a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from backends.model.container import ContainerState, Health
from backends.model.events import Link, OperationUpdate, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey, EngineId
from backends.model.values import Quantity
from widgets.charts import bar, share_tone
from widgets.container_filter import matches, parse
from widgets.container_sort import SORTABLE, Facts, Sort, in_order, limit_share
from widgets.engine_badge import badge_tone, badges
from widgets.format import (
    MISSING,
    age_text,
    bytes_text,
    duration_text,
    percent_text,
    ports_text,
    short_image,
    state_cell,
    value_cell,
)
from widgets.gpu_gauges import LIT
from widgets.gpu_given import IDLE_AFTER_S, devices_of, given_text, idle_s, is_idle, names_of, used_text, which_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert, pad, width_of

Group = Literal["none", "engine", "project"]
GROUPS: tuple[Group, ...] = ("none", "engine", "project")
HEADING = "group"
"""First part of the key of a group's header."""
GROUP_HINT: Line = (Span("  ·  keys mean the whole group", Tone.DIM),)
_BAR_CELLS = 6
# Cells of the columns whose texts are of any length: those they have at least, and those they grow to at most.
_LEAST = {"name": 14, "image": 14, "ports": 11}
_WIDEST = {"name": 48, "image": 56, "ports": 48}
_LEAST_GPU = 4  # its title, and the sign beside it where the table is sorted by it
_NO_LIMIT: Line = (Span(pad(MISSING, _BAR_CELLS + 9, "right"), Tone.FAINT),)
_MINUTE = timedelta(minutes=1)
# What a row says while something is done to it, by the action's verb.
_DOING = {
    "start": "starting…",
    "stop": "stopping…",
    "restart": "restarting…",
    "pause": "pausing…",
    "unpause": "resuming…",
    "kill": "killing…",
    "remove": "removing…",
    "rename": "renaming…",
    "migrate": "moving…",
    "accept": "accepting…",
    "undo": "undoing…",
}


def columns_for(*, badge_width: int, gpus: bool, widths: Mapping[str, int] | None = None) -> tuple[Column, ...]:
    """The columns. gpus: there are some, so that their columns matter more than the image's when room is short.

    widths: cells of the longest text of a column ("name", "image", "ports", "gpu"), which grows no wider; None = not
    known.
    """
    most = {"name": 40, "image": 44, "ports": 36} | {
        key: max(_LEAST[key], min(cells, _WIDEST[key])) for key, cells in (widths or {}).items() if key in _LEAST
    }
    gpu = 14 if widths is None else max(_LEAST_GPU, min(widths.get("gpu", 0), 14))
    # Beside a GPU's columns an image of fewer cells could not be read; its ports are left out before.
    image = min(20, most["image"]) if gpus else _LEAST["image"]
    # Columns of GPUs where there are none are no reason to cut a name.
    name = _LEAST["name"] if gpus else min(20, most["name"])
    no_ports = widths is not None and not widths.get("ports", 0)
    return (
        Column("engine", "ENG", max(4, badge_width), fixed=True),
        Column("name", "NAME", name, flex=6, most=most["name"], cut="middle", fixed=True),
        Column("state", "STATE", 12, flex=1, most=14),
        Column("cpu", "CPU", 5, align="right"),
        Column("memory", "MEMORY", 8, align="right", priority=1),
        Column("limit", "OF LIMIT", _BAR_CELLS + 9, priority=8),
        Column("gpu", "GPU", min(7, gpu), flex=1, most=gpu, align="right", priority=4 if gpus else 10),
        Column("gpu_memory", "GPU MEM", 8, align="right", priority=2 if gpus else 9),
        Column("gpu_percent", "GPU %", 8, align="right", priority=3 if gpus else 11),
        Column("image", "IMAGE", image, flex=3, most=most["image"], cut="middle", priority=6),
        Column("ports", "PORTS", _LEAST["ports"], flex=2, most=most["ports"], priority=12 if no_ports else 7),
        Column("age", "AGE", 4, align="right", priority=5 if gpus else 2),
    )


def widths_of(view: FleetView) -> Mapping[str, int]:
    """Cells of the longest name, image and list of ports."""
    rows = view.containers.values()
    return {
        "name": max((width_of(inert(row.name)) for row in rows), default=0),
        "image": max((width_of(short_image(row.image)) for row in rows), default=0),
        "ports": max((width_of(ports_text(row.ports)) for row in rows), default=0),
    }


def gpu_cells(rows: Sequence[Row]) -> int:
    """Cells of the longest "0,1" of the rows, with the sign before it of a device that is pointed at."""
    sources = [row.content.source for row in rows if isinstance(row.content, LazyCells)]
    return max((1 + width_of(one.gpus) for one in sources if isinstance(one, Facts) and one.gpus), default=0)


@dataclass(frozen=True, slots=True)
class GpuLight:
    """What is pointed out of the GPUs. device: the one pointed at ("" = none), its containers are marked.

    monotonic_now, idle_after_s: from when on a container that holds memory and computes nothing is called idle.
    """

    device: str = ""
    monotonic_now: float = 0.0
    idle_after_s: float = IDLE_AFTER_S


NO_LIGHT = GpuLight()


def told_in_seconds(view: FleetView, now: datetime) -> bool:
    """Whether anything of a fleet is told in seconds at this moment: an age, or the wait for an engine."""
    if any(engine.connection.retry_at is not None for engine in view.engines.values()):
        return True
    minute = now - _MINUTE
    return any(
        moment is not None and moment > minute
        for one in view.containers.values()
        for moment in (one.created_at, one.started_at, one.finished_at)
    )


def facts_of(view: FleetView, now: datetime, light: GpuLight = NO_LIGHT) -> list[Facts]:
    """Every container with its readings. now: the moment that ages are counted to."""
    named = badges(view.engines.values())
    # What all rows of an engine share is looked up once, not once for each of hundreds of rows.
    shared = {
        id: (named[id], engine.outlived, engine.info.memory_bytes if engine.info is not None else 0)
        for id, engine in view.engines.items()
    }
    stats, operations = view.stats.get, view.operations.get
    on_gpus = _on_gpus(view, light)
    found: list[Facts] = []
    for key, container in view.containers.items():
        if key.engine not in shared:
            shared[key.engine] = (inert(key.engine.name), True, 0)
        badge, stale, host_bytes = shared[key.engine]
        age = age_text(container.created_at, now)
        use, which, lit, idle = on_gpus.get(key, (None, "", False, ""))
        found.append(
            Facts(container, stats(key), use, operations(key), badge, age, stale, host_bytes, which, lit, idle)
        )
    return found


def _on_gpus(view: FleetView, light: GpuLight) -> Mapping[ContainerKey, tuple[GpuUse | None, str, bool, str]]:
    """Of each container that has to do with GPUs: its use, which, whether it is lit, for how long it is idle."""
    names = names_of(view.gpus)
    found = {}
    for key, container in view.containers.items():
        use = view.gpu_use.get(key)
        if use is None and not container.gpus_given:
            continue
        which = which_text(given_text(container.gpus_given, names), used_text(use, names))
        lit = bool(light.device) and light.device in devices_of(view, container, names)
        idle = is_idle(use, light.monotonic_now, light.idle_after_s)
        found[key] = (use, which, lit, duration_text(idle_s(use, light.monotonic_now)) if idle else "")
    return found


def pending_text(operation: OperationUpdate | None) -> str:
    """What is being done to a container, "" where nothing is."""
    if operation is None or operation.phase not in {Phase.STARTED, Phase.PROGRESS}:
        return ""
    verb = operation.action.rpartition(".")[2]
    return _DOING.get(verb, f"{inert(verb)}…")


def cells_of(facts: Facts) -> tuple[Line, ...]:
    """The cells of one row, in the order of `columns_for`."""
    container, stats, gpu = facts.container, facts.stats, facts.gpu
    alive = container.state.alive
    return (
        line((facts.badge, badge_tone(container.key.engine))),
        line((inert(container.name), Tone.PLAIN if alive else Tone.DIM)),
        state_cell(container, pending_text(facts.operation)),
        _cpu_cell(stats.cpu_percent if stats and alive else None),
        value_cell(bytes_text(stats.memory_bytes if stats and alive else None)),
        _limit_cell(facts) if alive else _NO_LIMIT,
        _gpu_cell(facts),
        value_cell(bytes_text(gpu.memory_bytes) if gpu else MISSING),
        _gpu_use_cell(facts),
        line((short_image(container.image), Tone.DIM)),
        line(ports_text(container.ports)),
        line((facts.age, Tone.DIM)),
    )


def looks_of(facts: Facts) -> object:
    """All that `cells_of` shows: what it is made of, and of what changes each second only what is to be read."""
    stats, gpu = (facts.stats if facts.container.state.alive else None), facts.gpu
    readings = (percent_text(stats.cpu_percent), bytes_text(stats.memory_bytes), _limit_cell(facts)) if stats else None
    of_gpu = (percent_text(gpu.sm_percent), bytes_text(gpu.memory_bytes)) if gpu else None
    # A row that was read again is another object with the same content, so that most comparisons end at once.
    shown = (facts.badge, facts.age, facts.stale, facts.gpus, facts.lit, facts.idle, pending_text(facts.operation))
    return facts.container, shown, readings, of_gpu


def _cpu_cell(percent: Quantity | None) -> Line:
    """Idle is quiet, so that the eye finds what works."""
    idle = isinstance(percent, float) and percent < 0.05
    return value_cell(percent_text(percent), tone=Tone.DIM if idle else Tone.PLAIN)


def _limit_cell(facts: Facts) -> Line:
    """A bar and the limit; a quiet dash where there is no limit of its own."""
    share = limit_share(facts.stats, facts.host_bytes)
    if share is None or facts.stats is None:
        return _NO_LIMIT
    limit = Span(pad(bytes_text(facts.stats.memory_limit_bytes), 9, "right"), Tone.DIM)
    return (*bar(share, _BAR_CELLS, tone=share_tone(share)), limit)


def _gpu_cell(facts: Facts) -> Line:
    """Which GPUs it was given and uses; quiet where it uses none, marked where one of them is pointed at."""
    if not facts.gpus:
        return value_cell(MISSING)
    lit = (LIT if facts.lit else "", Tone.INFO)
    return line(lit, (facts.gpus, Tone.STRONG if facts.lit else Tone.PLAIN if facts.gpu else Tone.DIM))


def _gpu_use_cell(facts: Facts) -> Line:
    """How busy it keeps them, or for how long it has held memory and computed nothing."""
    if facts.idle:
        return line((f"idle {facts.idle}", Tone.WARN))
    return value_cell(percent_text(facts.gpu.sm_percent) if facts.gpu else MISSING)


def rows_of(
    view: FleetView,
    *,
    filter: str = "",
    sort: Sort | None = None,
    group: Group = "none",
    now: datetime,
    light: GpuLight = NO_LIGHT,
) -> list[Row]:
    """The rows to show. now: the moment that ages are counted to (aware)."""
    words = parse(filter)
    wanted = [facts for facts in facts_of(view, now, light) if matches(words, facts.container)]
    ordered = in_order(wanted, sort or Sort())
    if group == "none":
        return [_row(facts) for facts in ordered]

    def named(facts: Facts) -> str:
        one = facts.container
        return one.key.engine.name if group == "engine" else one.project or one.pod

    # Containers of no project and no pod come last; the order within each group stays.
    ordered.sort(key=lambda f: (not named(f), named(f)))
    rows: list[Row] = []
    for name, members in groupby(ordered, key=named):
        those = list(members)
        title = _group_title(name, group, those)
        # What belongs together can be acted on together; the rest, and a whole engine, are marked where that is meant.
        together = group == "project" and bool(name)
        rows.append(Row((HEADING, group, name), (title, GROUP_HINT), heading=True, open=together))
        rows.extend(_row(facts) for facts in those)
    return rows


def _row(facts: Facts) -> Row:
    return Row(facts.container.key, LazyCells(cells_of, facts, looks_of), stale=facts.stale)


def _group_title(name: str, group: Group, members: Sequence[Facts]) -> Line:
    running = sum(facts.container.state is ContainerState.RUNNING for facts in members)
    ill = sum(facts.container.health is Health.UNHEALTHY for facts in members)
    parts = [f"{running} running"]
    if len(members) > running:
        parts.append(f"{len(members) - running} not")
    tone = badge_tone(members[0].container.key.engine) if group == "engine" else Tone.STRONG
    counts = (f"  {' · '.join(parts)}", Tone.DIM)
    trouble = line((" · ", Tone.DIM), (f"{ill} unhealthy", Tone.BAD)) if ill else BLANK
    stale = group == "engine" and members[0].stale
    lost = line((" · ", Tone.DIM), ("last known", Tone.WARN)) if stale else BLANK
    return line((inert(name) or "no project", tone if name else Tone.DIM), counts, *trouble, *lost)


def empty_lines(view: FleetView, *, filter: str, total: int) -> list[Line]:
    """What the table says when it has no row: why, and what to do next."""
    if filter and total:
        return [
            line(("No container matches ", Tone.DIM), (inert(filter), Tone.STRONG)),
            line(
                (
                    f"{total} hidden. A word looks everywhere; name: image: state: in one place.",
                    Tone.DIM,
                )
            ),
        ]
    links = {engine.connection.link for engine in view.engines.values()}
    if not links:  # the fleet is not open yet
        return [line(("Looking for engines …", Tone.DIM))]
    if links == {Link.ABSENT}:
        return [line(("No engine found on this machine.", Tone.DIM)), *_absences(view.engines)]
    if Link.CONNECTED not in links:
        return [line(("Waiting for the engines to answer …", Tone.DIM)), *_absences(view.engines)]
    return [
        line(("No containers yet.", Tone.DIM)),
        line(("They appear here by themselves as soon as an engine has one.", Tone.DIM)),
    ]


def _absences(engines: Mapping[EngineId, EngineView]) -> list[Line]:
    return [
        line((f"{inert(engine.id.name)}: ", Tone.PLAIN), (inert(engine.connection.error.title), Tone.DIM))
        for engine in engines.values()
        if engine.connection.error is not None
    ]


__all__ = [
    "BLANK",
    "GROUPS",
    "SORTABLE",
    "GpuLight",
    "Group",
    "Sort",
    "cells_of",
    "columns_for",
    "empty_lines",
    "gpu_cells",
    "rows_of",
    "told_in_seconds",
    "widths_of",
]
