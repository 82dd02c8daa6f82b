"""GpuSnapshot to the lines of the pane: a block for each device, one line each where there are many. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from backends.model.gpu import GpuReading, GpuSnapshot, GpuTrace
from widgets.format import MISSING, bytes_text, missing_reason, number_text, percent_text
from widgets.gpu_gauges import (
    LIT,
    LOST,
    WARNING,
    free_text,
    gauge,
    heat,
    pair_text,
    power_text,
    process_text,
    sentence,
    share_of,
    short_name,
    throttle_text,
    use_share,
    use_spark,
)
from widgets.gpu_given import device_key
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.table_draw import CURSOR
from widgets.text import cut_end, fit_line, inert, line_width, pad, paragraph

MANY = 4  # of more devices than these each takes one line
NARROW = 60  # below so many cells a one-line device says its used memory only
ONE_ROW = 72  # from so many cells on both bars of a device stand in one line
_TITLE_GAP = 2
_LEAST_SPARK, _MOST_SPARK = 7, 12  # cells of the curve of a one-line device


class Taker(NamedTuple):
    """Who has memory of a device: a container, or a program outside of all. memory: "32 GiB", "" where not told.

    idle: for how long it has held it and computed nothing ("1h"), "" where that is not long.
    """

    name: str
    memory: str = ""
    idle: str = ""


@dataclass(frozen=True, slots=True)
class GpuMarks:
    """What a view of GPUs points at. cursor: the device chosen, "" = none; lit: devices of the selected container.

    note: of the containers that hold memory idly, for the pane's title. takers: of each device, the most memory first.
    """

    cursor: str = ""
    lit: frozenset[str] = field(default_factory=frozenset)
    note: str = ""
    takers: Mapping[str, tuple[Taker, ...]] = field(default_factory=dict)


NO_MARKS = GpuMarks()
NO_TRACES: Mapping[str, GpuTrace] = {}


def gpu_lines(
    snapshot: GpuSnapshot,
    width: int,
    traces: Mapping[str, GpuTrace] = NO_TRACES,
    marks: GpuMarks = NO_MARKS,
    *,
    height: int = 0,
) -> list[Line]:
    """The lines for a pane of this width; where there is no reading, why, and the next step.

    height: lines that the pane has, 0 = not known; blocks that do not fit become one line each.
    """
    return [one for _, one in owned_lines(snapshot, width, traces, marks, height=height)]


def owned_lines(
    snapshot: GpuSnapshot,
    width: int,
    traces: Mapping[str, GpuTrace] = NO_TRACES,
    marks: GpuMarks = NO_MARKS,
    *,
    height: int = 0,
) -> list[tuple[str, Line]]:
    """The same lines, each with the device that it is of ("" = of none)."""
    if not snapshot.readings:
        return [("", one) for one in [*_absent(snapshot, width), *note_lines(snapshot, width)]]
    foot = [("", one) for one in _foot(snapshot, width)]
    count = len(snapshot.readings)
    blocks = _blocks(snapshot, width, traces, marks, below=True)
    if not height or sum(map(len, blocks)) + len(foot) > height:
        blocks = _blocks(snapshot, width, traces, marks, below=False)
    taken = sum(map(len, blocks))
    if count > MANY or (height and count > 1 and taken > height):
        rows = [
            (device_key(one.device), _compact(one, width, traces.get(one.device.uuid), marks))
            for one in snapshot.readings
        ]
        return [("", _compact_header(width)), *rows, *foot]
    blank = [("", BLANK)] if not height or taken + count + len(foot) <= height else []
    return [*(one for block in blocks for one in [*block, *blank]), *foot]


def _blocks(
    snapshot: GpuSnapshot, width: int, traces: Mapping[str, GpuTrace], marks: GpuMarks, *, below: bool
) -> list[list[tuple[str, Line]]]:
    """A block for each device. below: who has its memory stands in a line of its own, else in the title if it fits."""
    made = []
    for reading in snapshot.readings:
        key = device_key(reading.device)
        takers = marks.takers.get(key, ())
        block = _block(reading, width, traces.get(reading.device.uuid), marks, () if below else takers)
        made.append([(key, part) for part in [*block, *(_takers(takers, width) if below else ())]])
    return made


def _takers(takers: Sequence[Taker], width: int) -> list[Line]:
    """A line with as many as fit, and how many more there are; none where there is no one."""
    spans: list[Span] = []
    for place, taker in enumerate(takers):
        more = f" · {len(takers) - place} more"
        one = line(
            ("   " if not spans else " · ", Tone.FAINT),
            (inert(taker.name), Tone.PLAIN),
            (f" {taker.memory}" if taker.memory else "", Tone.DIM),
            (f" idle {taker.idle}" if taker.idle else "", Tone.WARN),
        )
        left = width - line_width(spans) - line_width(one)
        if left < (len(more) if place + 1 < len(takers) else 0):
            return [(*spans, Span(more, Tone.DIM))] if spans else []
        spans.extend(one)
    return [tuple(spans)] if spans else []


def _absent(snapshot: GpuSnapshot, width: int) -> list[Line]:
    lines = [BLANK, *paragraph(sentence(snapshot.absent or "GPUs are not sampled yet"), Tone.PLAIN, width)]
    if snapshot.hint:
        lines.extend([BLANK, *paragraph(sentence(snapshot.hint), Tone.DIM, width)])
    return lines


def note_lines(snapshot: GpuSnapshot, width: int) -> list[Line]:
    """What is to be said beside readings, each beginning with its own sign."""
    return [part for note in snapshot.notes for part in paragraph(f"! {sentence(note)}", Tone.WARN, width)]


def _foot(snapshot: GpuSnapshot, width: int) -> list[Line]:
    """Below the devices: what the driver says besides, which driver."""
    demo = (" DEMO: invented readings  ", Tone.WARN) if snapshot.demo else ("", Tone.WARN)
    return [*note_lines(snapshot, width), line(demo, (f" {driver_text(snapshot)}", Tone.DIM))]


def driver_text(snapshot: GpuSnapshot) -> str:
    """ "driver 550.54.15 · CUDA 12.4", as far as it is known."""
    driver = f"driver {inert(snapshot.driver_version)}" if snapshot.driver_version else ""
    cuda = f"CUDA {inert(snapshot.cuda_version)}" if snapshot.cuda_version else ""
    return " · ".join(part for part in (driver, cuda) if part)


def _signs(key: str, marks: GpuMarks) -> Line:
    return (
        Span(CURSOR if key == marks.cursor else " ", Tone.INFO),
        Span(LIT if key in marks.lit else " ", Tone.INFO),
    )


def _title(reading: GpuReading, width: int, marks: GpuMarks, takers: Sequence[Taker]) -> Line:
    """Number and name at the left; heat, power and processes, or who they are, at the right as far as they fit."""
    device, lost = reading.device, bool(reading.condition)
    lit = device_key(device) in marks.lit or device_key(device) == marks.cursor
    number = (f"{LOST if lost else ''}{device.index} ", Tone.BAD if lost else Tone.INFO)
    begin, tone = line(*_signs(device_key(device), marks), number), Tone.STRONG if lit else Tone.PLAIN
    left = line(*begin, (inert(device.name), tone))
    if lost:
        return left
    throttled = throttle_text(reading)
    facts: list[Line] = [(heat(reading),), line((_power(reading), Tone.DIM)), line((process_text(reading), Tone.DIM))]
    if throttled:
        facts.insert(1, line((f"{WARNING} {throttled}", Tone.WARN)))
    if takers:  # who they are says more than how many, and than the vendor's name
        named = [*facts[:-1], line(", ".join(inert(one.name) for one in takers))]
        short = line(*begin, (short_name(device), tone))
        if line_width(short) + line_width(_joined(named)) + _TITLE_GAP < width:
            left, facts = short, named
    while facts:
        right = _joined(facts)
        room = width - line_width(left) - line_width(right) - 1
        if room >= _TITLE_GAP:
            return (*left, Span(" " * room), *right)
        facts.pop()
    return left


def _joined(facts: Sequence[Line]) -> Line:
    spans: list[Span] = []
    for fact in facts:
        spans.extend([*((Span(" · ", Tone.FAINT),) if spans else ()), *fact])
    return tuple(spans)


def _power(reading: GpuReading) -> str:
    why = missing_reason(reading.power_w)
    return f"power {MISSING} ({inert(why)})" if why else power_text(reading)


def _block(
    reading: GpuReading, width: int, trace: GpuTrace | None, marks: GpuMarks, takers: Sequence[Taker]
) -> list[Line]:
    title = _title(reading, width, marks, takers)
    if reading.condition:
        hint = paragraph(sentence(reading.hint), Tone.DIM, width, indent="   ") if reading.hint else []
        return [title, *paragraph(sentence(reading.condition), Tone.BAD, width, indent="   "), *hint]
    both = width >= ONE_ROW
    memory = pair_text(reading.memory_used_bytes, reading.device.memory_total_bytes)
    # What stands beside the bars: labels 7 and 6 cells, the percentage 6, the memory 18, or 28 with what is free.
    room = width - 48 if both else width - 30
    sparks = max(6, min(24, room // 3))
    cells = max(6, min(30, (room - sparks) // 2 if both else room - sparks))
    use = line(
        ("   USE ", Tone.DIM),
        *gauge(use_share(reading), cells, tone=Tone.OK),
        _value(f" {pad(percent_text(reading.gpu_percent), 4, 'right')} "),
        use_spark(trace, sparks),
    )
    share = share_of(reading.memory_used_bytes, reading.device.memory_total_bytes)
    filled = line(*gauge(share, cells), _value(f" {memory}"))
    free = line((" · ", Tone.FAINT), free_text(reading)) if free_text(reading) else BLANK
    if line_width(free) + line_width(filled) + (line_width(use) + 6 if both else 7) < width:
        filled = (*filled, *free)
    bars = [line(*use, ("  MEM ", Tone.DIM), *filled)] if both else [use, line(("   MEM ", Tone.DIM), *filled)]
    why = missing_reason(reading.gpu_percent) or missing_reason(reading.memory_used_bytes)
    return [title, *bars, *([line((f"   {inert(why)}", Tone.DIM))] if why else [])]


def _value(text: str) -> Span:
    return Span(text, Tone.DIM if text.strip() == MISSING else Tone.PLAIN)


def _compact_layout(width: int) -> tuple[int, int, int]:
    """(cells of the bar, of the curve, of the memory) of one-line devices: used of total where there is room."""
    memory = 18 if width >= NARROW else 9
    room = width - memory - 27
    sparks = min(_MOST_SPARK, room // 2 - 1) if room > 2 * _LEAST_SPARK else 0
    return max(4, min(24, room - sparks - 1 if sparks else room)), sparks, memory


def _compact_header(width: int) -> Line:
    cells, sparks, memory = _compact_layout(width)
    curve = pad(" 5 MIN", sparks + 1) if sparks else ""
    return line((f"   #  {pad('USE', cells + 6)}{curve}{pad('MEMORY', memory, 'right')}    TEMP  POWER", Tone.HEADING))


def _compact(reading: GpuReading, width: int, trace: GpuTrace | None, marks: GpuMarks) -> Line:
    device = reading.device
    cells, sparks, memory_cells = _compact_layout(width)
    signs = _signs(device_key(device), marks)
    if reading.condition:
        said = cut_end(f"{LOST} {inert(reading.condition)}", width - 7)
        return line(*signs, (f"{device.index:>2}  ", Tone.INFO), (said, Tone.BAD))
    memory = bytes_text(reading.memory_used_bytes)
    if width >= NARROW:
        memory = pair_text(reading.memory_used_bytes, device.memory_total_bytes)
    return line(
        *signs,
        (f"{device.index:>2}  ", Tone.INFO),
        *gauge(use_share(reading), cells, tone=Tone.OK),
        f" {pad(percent_text(reading.gpu_percent), 5, 'right')}",
        *((Span(" "), use_spark(trace, sparks)) if sparks else ()),
        pad(memory, memory_cells, "right"),
        *fit_line((heat(reading),), 8, "right"),
        (pad(number_text(reading.power_w, "W"), 7, "right"), Tone.DIM),
    )


def unmarked(text: str) -> str:
    """Inert text for a pane's title, which Textual reads as markup."""
    return text.replace("[", "(").replace("]", ")")


def device_names(readings: Sequence[GpuReading]) -> str:
    """What the devices are called together: "8 × NVIDIA H200", or each name once."""
    names = list(dict.fromkeys(inert(reading.device.name) for reading in readings))
    if len(names) == 1 and len(readings) > 1:
        return f"{len(readings)} × {names[0]}"
    return ", ".join(names)
