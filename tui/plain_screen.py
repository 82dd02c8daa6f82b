"""The screen for terminals with little: ASCII in place of all else, and a sentence where there is no room. No data."""

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
