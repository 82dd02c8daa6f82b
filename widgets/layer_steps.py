"""The steps of an image as rows of a table, and one step's command in full. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from backends.model.image import Layer, LayerReport
from widgets.format import MISSING, age_text, bytes_text
from widgets.layer_lines import command_text
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert, wrap

STEP_COLUMNS = (
    Column("number", "#", 3, align="right", fixed=True, sortable=False),
    Column("size", "SIZE", 8, align="right", fixed=True, sortable=False),
    Column("age", "AGE", 4, align="right", priority=2, sortable=False),
    Column("layer", "LAYER", 12, priority=3, sortable=False),
    Column("with", "ALSO IN", 10, flex=2, most=48, priority=1, sortable=False),
    Column("command", "MADE BY", 20, flex=6, sortable=False),
)
_DIGITS = 12
_BREAKS = (" && ", " ; ", " || ")


def step_rows(report: LayerReport, shared: Mapping[str, Sequence[str]], now: datetime) -> list[Row]:
    """A row for each step, base first, keyed by its place from 0. shared: names of other images, by diff-ID.

    Those that have a layer are numbered, as the layers are wherever their files are shown.
    """
    return [
        Row(
            place,
            _cells(
                "" if layer.empty else str(layer_index(report, place) + 1), layer, shared.get(layer.diff_id, ()), now
            ),
        )
        for place, layer in enumerate(report.layers)
    ]


def _cells(number: str, layer: Layer, others: Sequence[str], now: datetime) -> tuple[Line, ...]:
    tone = Tone.DIM if layer.empty else Tone.PLAIN
    digest = layer.diff_id.removeprefix("sha256:")[:_DIGITS]
    with_others = inert(others[0]) + (f" +{len(others) - 1}" if len(others) > 1 else "") if others else ""
    return (
        line((number, Tone.DIM)),
        line((bytes_text(layer.size_bytes) if not layer.empty else "·", tone)),
        line((age_text(layer.created_at, now), Tone.DIM)),
        line((digest or MISSING, Tone.DIM)),
        line((with_others, Tone.INFO)),
        line((command_text(layer), tone)),
    )


def step_lines(layer: Layer, others: Sequence[str], width: int) -> list[Line]:
    """A step's command as a person would write it, a line for each part; then its digest, and who has it too."""
    lines: list[Line] = []
    for part in parts_of(command_text(layer)):
        for index, text in enumerate(wrap(part, max(8, width - 4))):
            lines.append(line(("    " if index or lines else "", Tone.PLAIN), text))
    if layer.diff_id:
        lines.append(line((inert(layer.diff_id), Tone.DIM)))
    if others:
        said = f"also in {', '.join(map(inert, others))}"
        lines.extend(line((text, Tone.DIM)) for text in wrap(said, max(8, width - 4)))
    return lines


def parts_of(command: str) -> list[str]:
    """A command cut behind its connecting signs, as one line for each."""
    parts = [command]
    for sign in _BREAKS:
        parts = [cut for part in parts for cut in _cut(part, sign)]
    return parts


def _cut(text: str, sign: str) -> list[str]:
    pieces = text.split(sign)
    return [piece + sign.rstrip() for piece in pieces[:-1]] + [pieces[-1]]


def layer_index(report: LayerReport, step: int) -> int:
    """Which layer holds what the image has after a step, counted from 0; -1 before the first."""
    return sum(not layer.empty for layer in report.layers[: step + 1]) - 1


__all__ = ["STEP_COLUMNS", "layer_index", "parts_of", "step_lines", "step_rows"]
