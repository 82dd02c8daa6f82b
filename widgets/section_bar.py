"""Sections of a screen by number, the one shown marked. Shows no section itself."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from widgets.line import Tone
from widgets.palette import palette_of


class SectionBar(Widget):
    """One line: "1 Overview  2 Stats …"; a click chooses."""

    DEFAULT_CSS = "SectionBar { height: 1; padding: 0 1; }"

    class Chosen(Message):
        """A section was clicked; its place, from 0."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self._titles = tuple(titles)
        self._shown = 0
        self._ends: list[int] = []

    def show(self, place: int) -> None:
        """Mark this one."""
        if place != self._shown:
            self._shown = place
            self.refresh()

    def render(self) -> Text:
        """The line."""
        palette = palette_of(self)
        text = Text(no_wrap=True, end="")
        self._ends = []
        for place, title in enumerate(self._titles):
            here = place == self._shown
            chosen = palette[Tone.STRONG] + Style(reverse=True)
            text.append(f"{(place + 1) % 10}", chosen if here else palette[Tone.INFO] + Style(bold=True))
            text.append(f" {title}", chosen if here else palette[Tone.DIM])
            text.append("  " if self.size.width > 100 else " ")
            self._ends.append(text.cell_len)
        return text

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        spot = event.get_content_offset(self)
        place = next((n for n, end in enumerate(self._ends) if spot is not None and spot.x < end), None)
        if place is not None:
            self.post_message(self.Chosen(place))
