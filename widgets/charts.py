"""Bars and sparklines as text: pure functions from numbers to characters, with an ASCII form. Knows no theme."""

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


def sparkline(values: Sequence[float], cells: int, *, top: float | None = None, ascii_only: bool = False) -> str:
    """The last values, one per cell, newest at the right, filled with spaces at the left.

    top: the value of a full cell; None = the largest shown (at least 1.0, so that noise stays low).
    """
    if cells <= 0:
        return ""
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    shown = [value if value == value else 0.0 for value in values[-cells:]]
    full = max(1.0, *shown, 1.0) if top is None else top
    steps = len(levels) - 1
    drawn = "".join(levels[round(clamp(value / full) * steps) if full > 0 else 0] for value in shown)
    return drawn.rjust(cells)
