"""LayerReport to lines: what each step of an image added, base first. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from widgets.charts import bar
from widgets.format import MISSING, age_text, bytes_text, short_image
from widgets.line import BLANK, Line, Tone, line
from widgets.text import cut_end, inert, pad, paragraph

if TYPE_CHECKING:
    from backends.model.image import Layer, LayerReport

_BAR = 12
# What the classic builder and BuildKit write around the command that a person gave.
_NOISE = re.compile(r"^(?:/bin/sh -c #\(nop\)\s*|/bin/sh -c |RUN /bin/sh -c )|\s*# buildkit$")


def command_text(layer: Layer) -> str:
    """The step as its author wrote it, in one line."""
    words = " ".join(inert(layer.command).split())
    cleaned = _NOISE.sub("", _NOISE.sub("", words)).strip()
    if words.startswith(("RUN /bin/sh -c ", "/bin/sh -c ")) and "#(nop)" not in words:
        cleaned = f"RUN {cleaned}"
    return cleaned or inert(layer.comment) or MISSING


def layer_lines(report: LayerReport, width: int, now: datetime) -> list[Line]:
    """A headline, then a line for each step: size, share of the image, age, command. Empty steps are quiet."""
    real = sum(not layer.empty for layer in report.layers)
    about = f"  {real} layer{'' if real == 1 else 's'} · {bytes_text(report.total_bytes)}"
    if report.architecture:
        about += f" · {inert(report.architecture)}"
    name = cut_end(short_image(report.reference), max(8, width - len(about) - 2))
    lines = [line(" ", (name, Tone.STRONG), (about, Tone.DIM)), BLANK]
    bar_cells = _BAR if width >= 60 else 0
    head = f" {pad('SIZE', 9, 'right')}  " + (pad("SHARE", bar_cells + 7) if bar_cells else "") + " AGE  STEP"
    lines.append(line((head, Tone.HEADING)))
    largest = max((layer.size_bytes or 0 for layer in report.layers), default=0)
    lines.extend(_layer(layer, report.total_bytes, largest, bar_cells, now) for layer in report.layers)
    return lines


def _layer(layer: Layer, total: int, largest: int, bar_cells: int, now: datetime) -> Line:
    size = bytes_text(layer.size_bytes)
    share = (layer.size_bytes or 0) / total if total else 0.0
    quiet = layer.empty or not layer.size_bytes
    drawn: Line = BLANK
    if bar_cells and quiet:
        drawn = line(" " * (bar_cells + 7))
    elif bar_cells:
        # The bar compares with the largest layer, so that small ones can be told apart; the number is of the whole.
        filled = bar((layer.size_bytes or 0) / largest, bar_cells, tone=Tone.INFO)
        drawn = line(*filled, (f"{pad(_percent(share), 5, 'right')}  ", Tone.DIM))
    age = pad(age_text(layer.created_at, now), 4, "right")
    tone = Tone.DIM if quiet else Tone.PLAIN
    text = pad(size if not layer.empty else "·", 9, "right")
    return line((f" {text}  ", tone), *drawn, (age, Tone.DIM), (f"  {command_text(layer)}", tone))


def _percent(share: float) -> str:
    """Whole percent; what is there but rounds to nothing is "<1%"."""
    return "<1%" if 0 < share < 0.005 else f"{share * 100:.0f}%"


def loading_lines(reference: str) -> list[Line]:
    """While the engine is asked."""
    return [BLANK, line(("  Reading the layers of ", Tone.DIM), short_image(reference), (" …", Tone.DIM))]


def message_lines(message: str, width: int) -> list[Line]:
    """A calm sentence in place of layers."""
    return [BLANK, *paragraph(message, Tone.DIM, width)]


def error_lines(error: BackendError, width: int) -> list[Line]:
    """What went wrong, the engine's words, the next step."""
    lines: list[Line] = [BLANK, *paragraph(f"✕ {error.title}", Tone.BAD, width)]
    for text, tone in ((error.detail, Tone.DIM), (error.hint, Tone.PLAIN)):
        if text:
            lines.extend([BLANK, *paragraph(text, tone, width, indent="    ")])
    return lines
