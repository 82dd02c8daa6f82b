"""A log line's own colours: SGR escapes become styles, every other escape is made inert. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.color import Color
from rich.style import Style

from widgets.text import inert

LONGEST = 8192  # characters of one line that are ever drawn
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_PLAIN = re.compile(r"[ -~]*\Z")  # printable ASCII: most lines of most logs
_TAB = 8
# SGR code → what it switches (ECMA-48 8.3.117). Blinking and concealing are left out: they disturb or deceive.
_SWITCHES: dict[int, dict[str, bool]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    9: {"strike": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    29: {"strike": False},
}


def visible_part(text: str) -> str:
    """What a terminal would show of a line that was written over: the last part behind a carriage return."""
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    return text


def styled_parts(text: str) -> list[tuple[str, Style]]:
    """The line as (inert text, style) parts, escapes gone, tabs expanded, cut to the longest that is drawn."""
    if len(text) <= LONGEST and _PLAIN.match(text):
        return [(text, Style.null())] if text else []
    text = visible_part(text)
    short = text[:LONGEST] + ("…" if len(text) > LONGEST else "")
    pieces = _SGR.split(short)
    parts: list[tuple[str, Style]] = []
    style, column = Style.null(), 0
    for order, piece in enumerate(pieces):
        if order % 2:
            style = _applied(style, piece)
            continue
        # Tabs count from the line's start, whatever colours came before.
        expanded = (" " * column + piece).expandtabs(_TAB)[column:] if "\t" in piece else piece
        clean = inert(expanded)
        column += len(clean)
        if clean:
            parts.append((clean, style))
    return parts


def plain_text(text: str) -> str:
    """The line without any escape, as it is searched."""
    return inert(_SGR.sub("", visible_part(text)).expandtabs(_TAB))


def _applied(style: Style, codes: str) -> Style:
    """The style after one SGR sequence; what is not understood changes nothing."""
    numbers = iter([int(code) if code.isdigit() and len(code) < 5 else 0 for code in re.split("[;:]", codes)])
    for number in numbers:
        if number == 0:
            style = Style.null()
        elif number in _SWITCHES:
            style += Style(**_SWITCHES[number])  # type: ignore[arg-type]  # only the bool attributes are named above
        elif number in (38, 48):
            color = _extended(numbers)
            if color is not None:
                style += Style(color=color) if number == 38 else Style(bgcolor=color)
        else:
            style += _plain_color(number)
    return style


def _plain_color(number: int) -> Style:
    if 30 <= number <= 37 or 90 <= number <= 97:
        return Style(color=Color.from_ansi(number - 30 if number < 90 else number - 82))
    if 40 <= number <= 47 or 100 <= number <= 107:
        return Style(bgcolor=Color.from_ansi(number - 40 if number < 100 else number - 92))
    if number == 39:
        return Style(color="default")
    return Style(bgcolor="default") if number == 49 else Style.null()


def _extended(numbers: Iterator[int]) -> Color | None:
    """The colour behind 38 or 48: `5;n` of the 256, or `2;r;g;b`."""
    kind = next(numbers, 0)
    if kind == 5:
        return Color.from_ansi(min(255, next(numbers, 0)))
    if kind == 2:
        red, green, blue = (min(255, next(numbers, 0)) for _ in range(3))
        return Color.from_rgb(red, green, blue)
    return None
