"""Aligned plain-text tables. Pure: text in, lines out; what comes in is made inert here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.model.container import Container, ContainerState
from backends.model.values import NOT_ALL_READ
from widgets.text import Align, Cut, cut_end, cut_middle, inert, pad, width_of

GAP = "  "
NARROWEST = 6
"""Cells below which a column is not shrunk."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. give: how readily it is cut where the terminal is narrow, 0 = never, higher first."""

    title: str
    align: Align = "left"
    give: int = 0
    cut: Cut = "end"


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lines of a table, header first. width: cells of the terminal, None = as wide as it takes."""
    cells = [[inert(cell) for cell in row] for row in rows]
    widths = [
        max(width_of(text) for text in [column.title, *(row[index] for row in cells)])
        for index, column in enumerate(columns)
    ]
    if width is not None:
        widths = _shrunk(columns, widths, width)
    header = [column.title for column in columns]
    return [_line(columns, row, widths) for row in [header, *cells]]


def _shrunk(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    excess = sum(widths) + len(GAP) * (len(columns) - 1) - width
    widths = list(widths)
    for give in sorted({column.give for column in columns if column.give}, reverse=True):
        yielding = [index for index, column in enumerate(columns) if column.give == give]
        while excess > 0:
            widest = max(yielding, key=lambda index: widths[index])
            if widths[widest] <= max(NARROWEST, width_of(columns[widest].title)):
                break
            widths[widest] -= 1
            excess -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    parts = []
    for column, text, cells in zip(columns, row, widths, strict=True):
        fitted = cut_middle(text, cells) if column.cut == "middle" else cut_end(text, cells)
        parts.append(pad(fitted, cells, column.align))
    return GAP.join(parts).rstrip()


def state_text(container: Container) -> str:
    """The state, with what explains it: "running (healthy)", "exited (137)"."""
    if container.why.startswith(NOT_ALL_READ):
        return f"{container.state.value} ({NOT_ALL_READ})"
    if container.why and not container.state.alive and container.exit_code is None:
        return f"{container.state.value} ({container.why.partition(':')[0]})"
    if container.health.value != "none" and container.state.alive:
        return f"{container.state.value} ({container.health.value})"
    if container.state in {ContainerState.EXITED, ContainerState.DEAD} and container.exit_code is not None:
        return f"{container.state.value} ({container.exit_code})"
    return container.state.value
