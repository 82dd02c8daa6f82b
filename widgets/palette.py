"""Tone to style, by the app's theme. The only place where a meaning gets its colour; knows no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.strip import Strip

from widgets.line import Line, Tone

if TYPE_CHECKING:
    from textual.widget import Widget

Palette: TypeAlias = Mapping[Tone, Style]

# Theme variables by tone: Textual's own names (textual/design.py), so that every theme works.
_VARIABLES = {
    Tone.OK: "text-success",
    Tone.WARN: "text-warning",
    Tone.BAD: "text-error",
    Tone.ACCENT: "text-accent",
    Tone.INFO: "text-primary",
}
# Engine hues on a dark and on a light theme, unless the theme has `engine-docker`, `engine-podman` or `engine-cluster`:
# blue and purple, as the two projects paint themselves, and teal, all above 4.5:1 on the themes' surfaces.
_ENGINES = {
    Tone.DOCKER: ("#7cb7f2", "#14599c"),
    Tone.PODMAN: ("#c3a2ea", "#6b3fa0"),
    Tone.CLUSTER: ("#6fcfbf", "#0b6b5f"),
}
# How much of the foreground is left in quiet text (0 = none); readable on every built-in theme.
_QUIET = {Tone.DIM: 0.62, Tone.FAINT: 0.28}
# What a curve fills is of this share of its meaning's colour.
_AREAS = {Tone.OK_AREA: "text-success", Tone.INFO_AREA: "text-primary"}
_AREA_SHARE = 0.6


def _theme_color(widget: Widget, name: str) -> Color | None:
    """A variable of the theme as a colour, None where the theme does not say one."""
    try:
        return Color.parse(widget.app.theme_variables[name])
    except (KeyError, ColorParseError):
        return None


def palette_of(widget: Widget) -> Palette:
    """The styles for each tone on the widget's own background. Ask again when the styles change."""
    base = widget.rich_style
    background, foreground = widget.background_colors[1], widget.colors[3]
    styles: dict[Tone, Style] = {Tone.PLAIN: base, Tone.STRONG: base + Style(bold=True)}
    for tone, share in _QUIET.items():
        styles[tone] = base + Style(color=background.blend(foreground, share, alpha=1.0).rich_color)
    for tone, name in _VARIABLES.items():
        color = _theme_color(widget, name)
        styles[tone] = base if color is None else base + Style(color=color.rich_color)
    for tone, name in _AREAS.items():
        color = _theme_color(widget, name)
        muted = None if color is None else background.blend(color, _AREA_SHARE, alpha=1.0).rich_color
        styles[tone] = base if muted is None else base + Style(color=muted)
    dark = widget.app.current_theme.dark
    for tone, (on_dark, on_light) in _ENGINES.items():
        color = _theme_color(widget, f"engine-{tone.value}") or Color.parse(on_dark if dark else on_light)
        styles[tone] = base + Style(color=color.rich_color)
    styles[Tone.BAD] += Style(bold=True)
    styles[Tone.HEADING] = styles[Tone.DIM] + Style(bold=True)
    return styles


def cursor_style(widget: Widget, *, focused: bool) -> Style:
    """What is laid over the row under the cursor: reversed where the terminal shows no colour."""
    if widget.app.no_color:
        return Style(reverse=True) if focused else Style(underline=True)
    background = widget.background_colors[1]
    primary = _theme_color(widget, "primary") or widget.colors[3]
    return Style(bgcolor=background.blend(primary, 0.38 if focused else 0.16, alpha=1.0).rich_color, bold=focused)


def mark_style(widget: Widget) -> Style:
    """What is laid over marked rows."""
    hue = _theme_color(widget, "secondary") or widget.colors[3]
    return Style(bgcolor=widget.background_colors[1].blend(hue, 0.22, alpha=1.0).rich_color)


def strip_of(spans: Line, palette: Palette, width: int, over: Style | None = None) -> Strip:
    """Spans that take exactly the width as a strip. over: laid over every style; a reversed line has one tone."""

    def style(tone: Tone) -> Style:
        if over is None:
            return palette[tone]
        return palette[Tone.PLAIN if over.reverse else tone] + over

    segments: list[Segment] = []
    text, tone = "", Tone.PLAIN
    for span in spans:
        # Spaces look alike in every tone: fewer segments make every later pass over the line cheaper.
        if not text or span.tone is tone or span.text.isspace():
            tone = tone if text else span.tone
            text += span.text
            continue
        segments.append(Segment(text, style(tone)))
        text, tone = span.text, span.tone
    if text:
        segments.append(Segment(text, style(tone)))
    return Strip(segments, width)
