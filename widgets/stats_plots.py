"""What a container took lately, as plots in as many columns as fit. Pure: numbers to lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from widgets.charts import area_plot
from widgets.format import MISSING, bytes_text, percent_text, rate_text
from widgets.line import Line, Span, Tone
from widgets.text import cut_end, fit_line, pad

Series = Mapping[str, Sequence[float | None]]
_GAP = "  "
_LEAST_CELLS = 34
_MOST_ROWS = 16


def _whole_bytes(value: float) -> str:
    return bytes_text(int(value))


# field → (title, how its values are written, whether the plot's top is the limit where there is one)
_PLOTS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("cpu_percent", "CPU", percent_text),
    ("memory_bytes", "Memory", _whole_bytes),
    ("net_rx_bytes_per_s", "Network in", rate_text),
    ("net_tx_bytes_per_s", "Network out", rate_text),
    ("block_read_bytes_per_s", "Disk read", rate_text),
    ("block_write_bytes_per_s", "Disk write", rate_text),
    ("gpu_percent", "GPU", percent_text),
    ("gpu_memory_bytes", "GPU memory", _whole_bytes),
)


def plot_lines(series: Series, tops: Mapping[str, float], width: int, height: int) -> list[Line]:
    """The plots of all fields that were ever read. tops: the value at a plot's top, where one is known.

    height: lines that there are; more are given where the plots do not fit.
    """
    known = [one for one in _PLOTS if any(value is not None for value in series.get(one[0], ()))]
    if not known:
        return []
    columns = max(1, min(2 if width < 150 else 4, width // _LEAST_CELLS))
    cells = (width - len(_GAP) * (columns - 1)) // columns
    lines_of_plots = -(-len(known) // columns)
    rows = min(_MOST_ROWS, max(2, height // lines_of_plots - 2))
    lines: list[Line] = []
    for first in range(0, len(known), columns):
        group = [_plot(one, series[one[0]], tops.get(one[0]), cells, rows) for one in known[first : first + columns]]
        for parts in zip(*group, strict=True):
            joined: list[Span] = []
            for part in parts:
                joined += [*fit_line(part, cells), Span(_GAP)]
            lines.append(tuple(joined[:-1]))
    return lines


def _plot(
    plot: tuple[str, str, Callable[[float], str]],
    values: Sequence[float | None],
    top: float | None,
    cells: int,
    rows: int,
) -> list[Line]:
    field, title, text = plot
    shown = values[-cells:]
    read = [value for value in shown if value is not None]
    most = max(read, default=0.0)
    full = top if top else max(most, 1.0)
    now = text(values[-1]) if values and values[-1] is not None else MISSING
    said = f"of {text(full)}" if top else f"peak {text(most)}"
    tone = Tone.OK_AREA if field in {"cpu_percent", "gpu_percent"} else Tone.INFO_AREA
    head: Line = (Span(pad(title, 12), Tone.HEADING), Span(f"{now} ", Tone.STRONG), Span(cut_end(said, 24), Tone.DIM))
    shares = [None if value is None else value / full for value in shown]
    return [head, *((Span(row, tone),) for row in area_plot(shares, cells, rows)), (Span("▔" * cells, Tone.FAINT),)]
