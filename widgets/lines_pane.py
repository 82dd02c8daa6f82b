"""A scrolling pane of ready-made lines, drawn line by line; the base of all panes that are text. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.strip import Strip

from widgets.line import BLANK, Line
from widgets.line_view import LineView
from widgets.palette import strip_of
from widgets.text import fit_line

Build: TypeAlias = Callable[[int], Sequence[Line]]
"""Width in cells to lines: how a pane is drawn again when its width changes."""


class LinesPane(LineView):
    """Lines, or a function from the width to lines. Only lines that differ are drawn again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False, id="pane.up"),
        Binding("j", "scroll_down", "Down", show=False, id="pane.down"),
        Binding("g", "scroll_home", "Top", show=False, id="pane.top"),
        Binding("G", "scroll_end", "End", show=False, id="pane.end"),
    ]

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()
        self._build: Build | None = None
        self._built_width = -1

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines as they are, cut at the right where they are too long."""
        self._build = None
        self._set(tuple(lines))

    def show_built(self, build: Build) -> None:
        """Show what the function makes for the width, now and after every resize."""
        self._build = build
        self._rebuild()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def _width_changed(self) -> None:
        self._rebuild()

    def _rebuild(self) -> None:
        width = self._width
        if self._build is not None and width > 0:
            self._built_width = width
            self._set(tuple(self._build(width)))

    def _set(self, lines: tuple[Line, ...]) -> None:
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.virtual_size = Size(self._width, len(lines))
            self.lines_changed(len(lines))
        top, width = self.scroll_offset.y, self._width
        regions = [Region(0, y, width, 1) for y in range(self.size.height) if _at(old, top + y) != _at(lines, top + y)]
        if regions:
            self.refresh(*regions)

    def lines_changed(self, count: int) -> None:
        """Hook for panes whose height follows their lines; count: how many there are now."""

    def on_resize(self) -> None:
        """Build again for another width."""
        self.virtual_size = Size(self._width, len(self._lines))
        if self._width != self._built_width:
            self._rebuild()
        self._forget_styles()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, counted from its top."""
        return strip_of(fit_line(_at(self._lines, self.scroll_offset.y + y), self._width), self.palette, self._width)


def _at(lines: Sequence[Line], index: int) -> Line:
    return lines[index] if 0 <= index < len(lines) else BLANK
