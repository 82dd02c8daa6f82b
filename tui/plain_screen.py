"""What goes out to the terminal: nothing harmful, ASCII where it has no more, a sentence where no room. No data."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.plain import ascii_text
from widgets.text import harmless


class InertFilter(LineFilter):
    """The last gate: a character that a terminal would obey does not pass, whoever draws it.

    Panes make text from outside inert themselves; a field that is typed into shows its value as it is.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The same segments, as many cells wide."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(harmless(text), style, control) for text, style, control in segments]


class AsciiFilter(LineFilter):
    """Everything that is drawn, whoever draws it, goes through here on its way out."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The same segments in ASCII."""
        return [Segment(ascii_text(text), style, control) for text, style, control in segments]


class TooSmall(ModalScreen[None]):
    """Says how much room is needed; goes by itself when there is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit", show=False, id="small.quit")]

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """The sentence."""
        yield Static(self._sentence, markup=False)
        yield Static("Make the window larger, or press q.", markup=False)

    def say(self, sentence: str) -> None:
        """Another size, still too small."""
        self.query(Static).first().update(sentence)
