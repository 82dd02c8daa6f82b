"""One GPU in full: what it did lately as two curves, and every fact that it tells. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.model.gpu import (
    HOUR_S,
    HOUR_STEP_S,
    RECENT_S,
    RECENT_STEP_S,
    GpuReading,
    GpuSnapshot,
    GpuTrace,
)
from widgets.charts import area_plot, resampled
from widgets.format import MISSING, missing_reason, percent_text
from widgets.gpu_facts import condition_lines, fact_lines, identity_line, side_by_side
from widgets.gpu_gauges import pair_text
from widgets.gpu_lines import gpu_lines, unmarked
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import cut_line, fit_line, inert, line_width

_AXIS = 5  # cells of "100 ▏"
_GAP = 3  # cells between the two curves
_LEAST_ROWS, _MOST_ROWS = 3, 12
_SIDE_BY_SIDE = 64  # from so many cells on


@dataclass(frozen=True, slots=True)
class GpuLook:
    """What is shown: a device's reading and its trace, over the last hour or the last minutes.

    instance: the MIG instance that was chosen of it, "" = none.
    """

    reading: GpuReading | None = None
    trace: GpuTrace = field(default_factory=GpuTrace)
    hour: bool = False
    instance: str = ""
    snapshot: GpuSnapshot = field(default_factory=GpuSnapshot)


def span_words(*, hour: bool) -> str:
    """How much time the curves show."""
    return "last hour" if hour else f"last {RECENT_S // 60} minutes"


def detail_lines(look: GpuLook, width: int, height: int) -> list[Line]:
    """Curves above, facts below. height: lines that there are; the curves take what the facts leave."""
    reading = look.reading
    if reading is None:
        return gpu_lines(look.snapshot, width)
    if reading.condition:
        return [*condition_lines(reading, width), BLANK, identity_line(reading)]
    beside = width >= _SIDE_BY_SIDE
    least = _LEAST_ROWS + 2
    facts = fact_lines(reading, width, max(1, height - (least if beside else 2 * least)))
    rows = min(_MOST_ROWS, max(_LEAST_ROWS, height - len(facts) - 2 if beside else (height - len(facts) - 4) // 2))
    cells = (width - _GAP) // 2 if beside else width
    trace, device = look.trace, reading.device
    use_values, memory_values = (
        (trace.hour_use, trace.hour_memory) if look.hour else (trace.recent_use, trace.recent_memory)
    )
    use_now, why = percent_text(reading.gpu_percent), missing_reason(reading.gpu_percent)
    use = _plot("GPU use", use_now, why, use_values, cells, rows, Tone.OK_AREA, hour=look.hour)
    held = pair_text(reading.memory_used_bytes, device.memory_total_bytes)
    why = missing_reason(reading.memory_used_bytes)
    memory = _plot("Memory", held, why, memory_values, cells, rows, Tone.INFO_AREA, hour=look.hour)
    curves = side_by_side(use, memory, cells, _GAP) if beside else [*use, *memory]
    return [*curves, *facts]


def _plot(
    title: str, value: str, why: str, values: tuple[float | None, ...], cells: int, rows: int, tone: Tone, *, hour: bool
) -> list[Line]:
    """A curve under its title, with its scale at the left and the time below. why: there is no value now."""
    whole = HOUR_S // HOUR_STEP_S if hour else RECENT_S // RECENT_STEP_S
    wide = max(1, cells - _AXIS)
    averages = resampled(values, wide, whole=whole)
    drawn = area_plot([None if one is None else one / 100 for one in averages], wide, rows)
    lines: list[Line] = [_plot_title(title, value, why, values[-whole:], cells)]
    for place, text in enumerate(drawn):
        scale = "100" if not place else " 50" if rows % 2 and place == rows // 2 else ""
        lines.append(line((f" {scale:>3}▕" if scale else "    ▕", Tone.FAINT), (text, tone)))
    ago = "1 h ago" if hour else f"{RECENT_S // 60} min ago"
    rule = "─" * max(0, wide - len(ago) - 5)
    lines.append(line((f"   0 {ago} {rule} now", Tone.FAINT)))
    return lines


def _plot_title(title: str, value: str, why: str, values: Sequence[float | None], cells: int) -> Line:
    """What it is and its value now at the left; average and peak of the time shown at the right."""
    known = [one for one in values if one is not None]
    left = line((f" {title}  ", Tone.DIM), (value, Tone.FAINT if value == MISSING else Tone.STRONG))
    if not known:
        return cut_line(line(*left, (f"  {inert(why) or 'nothing recorded yet'}", Tone.DIM)), cells)
    mean, peak = f"mean {sum(known) / len(known):.0f}% · ", f"peak {max(known):.0f}%"
    for right in (mean + peak, peak):
        room = cells - line_width(left) - len(right)
        if room > 1:
            return fit_line((*left, Span(" " * room), Span(right, Tone.DIM)), cells)
    return left


class GpuDetail(LinesPane):
    """The device under the cursor of the table above."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._look = GpuLook()

    def show(self, look: GpuLook) -> None:
        """Show a device, or why there is none."""
        self._look = look
        reading = look.reading
        title = "No GPU"
        if reading is not None:
            of = f"{reading.device.index}{look.instance and f' {look.instance}'}"
            title = f"GPU {of} · {inert(reading.device.name)} · {span_words(hour=look.hour)}"
        title = unmarked(title)
        if title != self.border_title:
            self.border_title = title
        self.show_built(self._built)

    def _built(self, width: int) -> list[Line]:
        return detail_lines(self._look, width, self.size.height)

    def on_resize(self) -> None:
        """Another height: other curves."""
        self._rebuild()
