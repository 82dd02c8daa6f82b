"""A trial as text: its table, its plots, its verdict, how far it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.ids import EngineId
from backends.model.trial import BY_METRIC, METRICS, Judgement, Metric, TrialProgress, TrialReport, TrialRound
from backends.model.trial_words import comparison_of, density_words, judged, quantity, unmeasured
from backends.model.values import Missing
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert, paragraph

_DOTS = " ·•●█"
"""How many rounds fall into one cell: none, one, two, three, more."""
_PLOTTED = ("create_s", "ready_s", "stop_s", "remove_s", "exec_s")
_TONES = {
    Judgement.LESS: Tone.STRONG,
    Judgement.MORE: Tone.STRONG,
    Judgement.NOISE: Tone.DIM,
    Judgement.TOO_FEW: Tone.DIM,
}
_TITLE, _GAP = 22, 2


def strip(values: Sequence[float], low: float, high: float, width: int) -> str:
    """Readings as points on a line from low to high, denser where several fall together."""
    cells = [0] * width
    for value in values:
        at = int((value - low) / (high - low) * width) if high > low else 0
        cells[min(width - 1, max(0, at))] += 1
    return "".join(_DOTS[min(count, len(_DOTS) - 1)] for count in cells)


def table_rows(report: TrialReport) -> list[tuple[str, ...]]:
    """Metric, then a cell for each engine, then one for each comparison with the first. Metrics that nobody has are
    left out."""
    others = report.request.engines[1:]
    rows: list[tuple[str, ...]] = []
    for metric in METRICS:
        if any(metric.id in report.spreads[id] for id in report.request.engines):
            cells = [_cell(report, id, metric) for id in report.request.engines]
            against = [judged(comparison_of(report, id, metric.id)) for id in others]
            rows.append((metric.title, *cells, *against))
    return rows


def table_head(report: TrialReport) -> tuple[str, ...]:
    """The titles of its columns."""
    engines = [id.name for id in report.request.engines]
    return ("METRIC", *engines, *(f"{name}:{engines[0]}" for name in engines[1:]))


def _cell(report: TrialReport, id: EngineId, metric: Metric) -> str:
    one = report.spreads[id].get(metric.id)
    if one is None:
        return "–"
    return f"{quantity(one.median, metric.unit)} ±{quantity((one.q3 - one.q1) / 2, metric.unit)}"


def result_lines(report: TrialReport, width: int) -> list[Line]:
    """Verdict, table, plots, notes, what is missing."""
    lines: list[Line] = []
    for sentence in report.verdict or ("One engine alone: nothing to compare.",):
        lines += paragraph(sentence, Tone.STRONG, width)
    lines += [BLANK, *_table(report, width), BLANK, *plot_lines(report.rounds, report.request.engines, width)]
    for one in report.densities:
        lines += paragraph(f"{one.engine.name}: {density_words(one)}", Tone.PLAIN, width)
    lines.append(BLANK)
    for note in report.notes:
        lines += paragraph(f"· {note}", Tone.DIM, width)
    for text in unmeasured(report):
        lines += paragraph(f"· not measured on {text}", Tone.DIM, width)
    return lines


def _table(report: TrialReport, width: int) -> list[Line]:
    head, rows = table_head(report), table_rows(report)
    columns = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    kept = len(columns)
    while kept > 2 and sum(columns[:kept]) + _GAP * (kept - 1) > width:
        kept -= 1  # the comparisons go first: the verdict says them too
    lines = [line((_joined(head[:kept], columns), Tone.HEADING))]
    engines = len(report.request.engines)
    for row, metric in zip(rows, _shown(report), strict=True):
        cells = [(_padded(cell, columns[at], at), Tone.PLAIN) for at, cell in enumerate(row[:kept])]
        for at in range(1 + engines, kept):
            one = comparison_of(report, report.request.engines[at - engines], metric)
            cells[at] = (cells[at][0], _TONES[one.judgement] if one is not None else Tone.DIM)
        lines.append(line(*((text + " " * _GAP, tone) for text, tone in cells)))
    return lines


def _shown(report: TrialReport) -> list[str]:
    return [one.id for one in METRICS if any(one.id in report.spreads[id] for id in report.request.engines)]


def _joined(cells: Sequence[str], columns: Sequence[int]) -> str:
    return (" " * _GAP).join(_padded(cell, columns[at], at) for at, cell in enumerate(cells))


def _padded(cell: str, cells: int, at: int) -> str:
    return inert(cell).ljust(cells) if at == 0 else inert(cell).rjust(cells)


def plot_lines(rounds: Sequence[TrialRound], engines: Sequence[EngineId], width: int) -> list[Line]:
    """Each round's times as points, an engine a line, one scale for each metric."""
    lines: list[Line] = []
    names = max((len(id.name) for id in engines), default=0)
    wide = max(8, min(60, width - names - 24))
    for metric in _PLOTTED:
        by_engine = {id: _values(rounds, id, metric) for id in engines}
        everything = [value for values in by_engine.values() for value in values]
        if not everything:
            continue
        low, high = 0.0, max(everything)
        unit = BY_METRIC[metric].unit
        lines.append(line((BY_METRIC[metric].title, Tone.HEADING), (f"  0 to {quantity(high, unit)}", Tone.DIM)))
        for id, values in by_engine.items():
            drawn = strip(values, low, high, wide)
            said = f"  {quantity(sorted(values)[len(values) // 2], unit)}" if values else "  –"
            name = (f"  {inert(id.name):{names}}  ", Tone.PLAIN)
            lines.append(line(name, (f"│{drawn}│", Tone.STRONG), (said, Tone.DIM)))
    return lines


def _values(rounds: Sequence[TrialRound], id: EngineId, metric: str) -> list[float]:
    found = (one.values.get(metric) for one in rounds if one.engine == id)
    return [value for value in found if value is not None and not isinstance(value, Missing)]


def progress_text(progress: TrialProgress, rounds: int) -> str:
    """ "round 3 of 10 on podman: start"."""
    where = f" on {progress.engine.name}" if progress.engine else ""
    if progress.round_number:
        return f"round {progress.round_number} of {rounds}{where}: {progress.phase}"
    return f"{progress.phase}{where}"


def progress_lines(progress: TrialProgress, rounds: int, engines: Sequence[EngineId], width: int) -> list[Line]:
    """A bar, what is done now, and the rounds so far as points."""
    wide = max(10, min(50, width - 20))
    full = wide * progress.done // max(1, progress.total)
    bar = "█" * full + "░" * (wide - full)
    lines = [
        line((bar, Tone.STRONG), (f"  {progress.done} of {progress.total}", Tone.DIM)),
        line((inert(progress_text(progress, rounds)), Tone.PLAIN)),
        BLANK,
    ]
    return lines + plot_lines(progress.rounds, engines, width)
