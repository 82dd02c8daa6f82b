"""GpuSnapshot to lines: full blocks, one line each where there are many or the room is narrow. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.gpu import GpuReading, GpuSnapshot
from backends.model.values import Missing, Quantity
from widgets.charts import bar, share_tone
from widgets.format import MISSING, bytes_text, missing_reason, number_text, percent_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.text import cut_end, fit_line, inert, pad, paragraph

MANY = 4  # from so many devices on each takes one line
NARROW = 60  # below so many cells a one-line device says its used memory only
# °C from which a data-centre GPU is warm, and near its slowdown: NVIDIA's H100 and A100 slow down from 87 to 95 °C.
_HEAT = ((85.0, Tone.BAD), (75.0, Tone.WARN), (0.0, Tone.PLAIN))


def gpu_lines(snapshot: GpuSnapshot, width: int) -> list[Line]:
    """The lines for a pane of this width; where there is no reading, why, and the next step."""
    if not snapshot.readings:
        return _absent(snapshot, width)
    many = len(snapshot.readings) > MANY
    lines: list[Line] = []
    for reading in snapshot.readings:
        if many:
            lines.append(_compact(reading, width))
        else:
            lines.extend([*_block(reading, width), BLANK])
    if many:
        lines.insert(0, _compact_header(width))
        lines.append(BLANK)
    lines.append(_footer(snapshot))
    return lines


def _absent(snapshot: GpuSnapshot, width: int) -> list[Line]:
    lines = [BLANK, *paragraph(_sentence(snapshot.absent or "GPUs are not sampled yet"), Tone.PLAIN, width)]
    if snapshot.hint:
        lines.extend([BLANK, *paragraph(_sentence(snapshot.hint), Tone.DIM, width)])
    return lines


def _sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    clean = inert(text).strip()
    return clean[:1].upper() + clean[1:]


def _footer(snapshot: GpuSnapshot) -> Line:
    driver = f"driver {inert(snapshot.driver_version)}" if snapshot.driver_version else ""
    demo = (" DEMO: invented readings ", Tone.WARN) if snapshot.demo else ("", Tone.WARN)
    return line(" ", demo, (f" {driver}" if driver else "", Tone.DIM))


def _share(part: Quantity, whole: Quantity) -> float | None:
    if isinstance(part, Missing) or isinstance(whole, Missing) or not whole:
        return None
    return part / whole


def _gauge(share: float | None, cells: int, *, tone: Tone | None = None) -> Line:
    """A bar, or a quiet track where there is no value."""
    if share is None:
        return line(("╌" * cells, Tone.FAINT))
    return bar(share, cells, tone=tone)


def _use(reading: GpuReading) -> float | None:
    return None if isinstance(reading.gpu_percent, Missing) else reading.gpu_percent / 100


def _heat(value: Quantity) -> Span:
    tone = Tone.DIM if isinstance(value, Missing) else share_tone(value, _HEAT)
    return Span(number_text(value, "°C"), tone)


def _power(reading: GpuReading) -> str:
    if isinstance(reading.power_w, Missing):
        return f"power {MISSING} ({inert(reading.power_w.reason)})"
    if isinstance(reading.power_limit_w, Missing):
        return number_text(reading.power_w, "W")
    return f"{reading.power_w:.0f} / {reading.power_limit_w:.0f} W"


def _processes(reading: GpuReading) -> str:
    count = len(reading.processes)
    return "no process" if not count else f"{count} process" + ("es" if count > 1 else "")


def _block(reading: GpuReading, width: int) -> list[Line]:
    device = reading.device
    heat, power = _heat(reading.temperature_c), _power(reading)
    facts = line(("  ", Tone.PLAIN), heat, (f" · {_processes(reading)} · {power}", Tone.DIM))
    title = line((f" {device.index} ", Tone.INFO), (inert(device.name), Tone.STRONG))
    cells = max(6, min(40, width - 32))
    used = reading.memory_used_bytes
    use = _value(percent_text(reading.gpu_percent))
    memory = f"{bytes_text(used)} / {bytes_text(device.memory_total_bytes)}"
    lines = [
        title,
        line(("   GPU  ", Tone.DIM), *_gauge(_use(reading), cells, tone=Tone.OK), use),
        line(("   MEM  ", Tone.DIM), *_gauge(_share(used, device.memory_total_bytes), cells), _value(memory)),
        line(" ", *facts),
    ]
    why = missing_reason(reading.gpu_percent) or missing_reason(used)
    if why:
        lines.append(line((f"   {inert(why)}", Tone.DIM)))
    return lines


def _value(text: str) -> Span:
    return Span(f"  {text}", Tone.DIM if text == MISSING else Tone.PLAIN)


def _compact_layout(width: int) -> tuple[int, int]:
    """(cells of the bar, cells of the memory column) of one-line devices: used of total, or used alone where narrow."""
    memory = 22 if width >= NARROW else 9
    return max(4, min(24, width - memory - 26)), memory


def _compact_header(width: int) -> Line:
    cells, memory = _compact_layout(width)
    return line((f" #  {pad('GPU', cells)}   USE{pad('MEMORY', memory, 'right')}   TEMP   POWER", Tone.HEADING))


def _compact(reading: GpuReading, width: int) -> Line:
    device = reading.device
    cells, memory_cells = _compact_layout(width)
    memory = bytes_text(reading.memory_used_bytes)
    if width >= NARROW:
        memory += f" / {bytes_text(device.memory_total_bytes)}"
    return line(
        (f"{device.index:>2}  ", Tone.INFO),
        *_gauge(_use(reading), cells, tone=Tone.OK),
        f" {pad(percent_text(reading.gpu_percent), 5, 'right')}",
        pad(memory, memory_cells, "right"),
        *fit_line((_heat(reading.temperature_c),), 7, "right"),
        (pad(cut_end(number_text(reading.power_w, "W"), 8), 8, "right"), Tone.DIM),
    )


def device_names(readings: Sequence[GpuReading]) -> str:
    """What the devices are called together: "8 × NVIDIA H200", or each name once."""
    names = list(dict.fromkeys(inert(reading.device.name) for reading in readings))
    if len(names) == 1 and len(readings) > 1:
        return f"{len(readings)} × {names[0]}"
    return ", ".join(names)
