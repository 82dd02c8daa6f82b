"""Bars, sparklines and plots as text: pure functions from numbers to characters, with an ASCII form. Knows no theme."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.line import Line, Span, Tone

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-=+*%#"
# From these shares on a filled bar turns from calm to warning to bad: (share, tone), highest first.
THRESHOLDS: tuple[tuple[float, Tone], ...] = ((0.95, Tone.BAD), (0.80, Tone.WARN), (0.0, Tone.OK))


def share_tone(share: float, thresholds: Sequence[tuple[float, Tone]] = THRESHOLDS) -> Tone:
    """The tone of a share (1.0 = all of it)."""
    return next((tone for least, tone in thresholds if share >= least), Tone.PLAIN)


def clamp(share: float) -> float:
    """The share within 0.0 and 1.0; what is no number is 0."""
    return min(1.0, max(0.0, share)) if share == share else 0.0


def bar_text(share: float, cells: int, *, ascii_only: bool = False) -> tuple[str, str]:
    """(filled, empty) parts of a bar of exactly so many cells, in steps of half a cell (ASCII: whole cells).

    Heavy against light lines: told apart without colour, and bars of neighbouring rows do not run together.
    Something is never drawn as nothing, and less than all never as all.
    """
    if cells <= 0:
        return "", ""
    share = clamp(share)
    steps = cells if ascii_only else cells * 2
    filled = round(share * steps)
    if 0 < share < 1:
        filled = min(steps - 1, max(1, filled))
    if ascii_only:
        return "#" * filled, "." * (cells - filled)
    whole, half = divmod(filled, 2)
    return "━" * whole + "╸" * half, "─" * (cells - whole - half)


def bar(share: float, cells: int, *, tone: Tone | None = None, ascii_only: bool = False) -> Line:
    """The bar with its empty part drawn as a quiet track. tone: None = by the thresholds."""
    filled, empty = bar_text(share, cells, ascii_only=ascii_only)
    spans = (Span(filled, tone or share_tone(share)), Span(empty, Tone.FAINT))
    return tuple(span for span in spans if span.text)


def sparkline(values: Sequence[float | None], cells: int, *, top: float | None = None, ascii_only: bool = False) -> str:
    """The last values, one per cell, newest at the right, filled with spaces at the left; None is a gap.

    top: the value of a full cell; None = the largest shown (at least 1.0, so that noise stays low).
    """
    if cells <= 0:
        return ""
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    shown = [value if value is None or value == value else 0.0 for value in values[-cells:]]
    full = max(1.0, *(value or 0.0 for value in shown), 1.0) if top is None else top
    steps = len(levels) - 1
    drawn = "".join(
        " " if value is None else levels[round(clamp(value / full) * steps) if full > 0 else 0] for value in shown
    )
    return drawn.rjust(cells)


def resampled(values: Sequence[float | None], count: int, *, whole: int) -> list[float | None]:
    """The values as so many averages, oldest first, None where none was read.

    whole: how many values the time shown has; where fewer are known, the time before them is a gap. A time of fewer
    values than `count` is drawn out.
    """
    if count <= 0 or whole <= 0:
        return []
    missing = max(0, whole - len(values))
    known = values[-whole:]
    found: list[float | None] = []
    for place in range(count):
        first, end = place * whole // count, max(place * whole // count + 1, (place + 1) * whole // count)
        part = [value for value in known[max(0, first - missing) : max(0, end - missing)] if value is not None]
        found.append(sum(part) / len(part) if part else None)
    return found


def area_plot(shares: Sequence[float | None], cells: int, rows: int) -> list[str]:
    """A filled curve of shares (1.0 = the top), one for each cell, newest at the right: `rows` texts of `cells` cells.

    What was read stands an eighth of a cell high at least, so that nothing used differs from nothing known. Blocks and
    not braille: every font has them in the width of a cell.
    """
    steps = len(_LEVELS)
    shown = list(shares)[-cells:]
    heights = [0] * (cells - len(shown))
    heights += [0 if share is None else max(1, round(clamp(share) * rows * steps)) for share in shown]
    blocks = " " + _LEVELS
    return [
        "".join(blocks[min(steps, max(0, height - (rows - 1 - row) * steps))] for height in heights)
        for row in range(rows)
    ]
