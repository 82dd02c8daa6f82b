"""The box in which the columns of the containers' table are chosen and ordered. Decides and keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from widgets.column_choice import ALWAYS, USUAL, ColumnChoice, in_order
from widgets.dialogs import Dialog, content_of
from widgets.line import Line, Span, Tone
from widgets.table_layout import Column
from widgets.text import pad

_KEYS = "Enter or Space shows or hides · ← → move it · u as usual\nEsc closes"
_TITLE_CELLS = 10
_WORDS = {
    "engine": "the engine that has it",
    "name": "always shown",
    "state": "running, exited …, and its health",
    "cpu": "percent of one core",
    "memory": "what it takes",
    "limit": "memory against its limit",
    "gpu": "those given and used",
    "gpu_memory": "what it takes of theirs",
    "gpu_percent": "how busy it keeps them, or since when idle",
    "image": "what it was made of",
    "ports": "ports of the host, and its own",
    "age": "since it was created",
}


class ColumnPicker(Dialog[ColumnChoice]):
    """Every column with a mark where it is shown. Escape closes it and answers with the choice as it stands."""

    DEFAULT_CSS = """
    ColumnPicker > .dialog-box { padding: 0 2; }
    ColumnPicker OptionList { padding: 0; max-height: 60vh; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Show or hide", show=False, id="columns.turn"),
        Binding("j", "step(1)", "Down", show=False, id="columns.down"),
        Binding("k", "step(-1)", "Up", show=False, id="columns.up"),
        Binding("J,shift+down,right", "move(1)", "Further right", show=False, id="columns.later"),
        Binding("K,shift+up,left", "move(-1)", "Further left", show=False, id="columns.earlier"),
        Binding("u", "usual", "As usual", show=False, id="columns.usual"),
        Binding("q", "cancel", "Close", show=False, id="columns.close"),
    ]

    def __init__(self, columns: Sequence[Column], now: ColumnChoice) -> None:
        """columns: all there are, in their usual order. now: the choice so far."""
        super().__init__()
        self._titles = {column.key: column.title for column in columns}
        self._choice = now

    @property
    def _keys(self) -> list[str]:
        return in_order(self._choice, list(self._titles))

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of("Columns of the table"), classes="dialog-title")
            yield OptionList(*(Option(content_of([self._line(key)])) for key in self._keys), compact=True)
            yield Static(content_of(_KEYS), classes="dialog-keys")

    def _line(self, key: str) -> Line:
        shown = key in ALWAYS or key not in self._choice.hidden
        title = Span(pad(self._titles[key], _TITLE_CELLS), Tone.STRONG if shown else Tone.DIM)
        return (Span("[x] " if shown else "[ ] ", Tone.DIM), title, Span(_WORDS.get(key, ""), Tone.DIM))

    def _take(self, choice: ColumnChoice, cursor: str) -> None:
        """Draw what has changed; the cursor stands on this column."""
        self._choice = choice
        picks = self.query_one(OptionList)
        for place, key in enumerate(self._keys):
            picks.replace_option_prompt_at_index(place, content_of([self._line(key)]))
        picks.highlighted = self._keys.index(cursor)

    def _here(self) -> str | None:
        place = self.query_one(OptionList).highlighted
        return self._keys[place] if place is not None else None

    def action_turn(self) -> None:
        """Show or hide the column under the cursor."""
        key = self._here()
        if key is not None:
            self._take(self._choice.turned(key), key)

    def action_step(self, by: int) -> None:
        """As the arrow keys."""
        picks = self.query_one(OptionList)
        if by > 0:
            picks.action_cursor_down()
        else:
            picks.action_cursor_up()

    def action_move(self, by: int) -> None:
        """Move the column under the cursor."""
        key = self._here()
        if key is not None:
            self._take(self._choice.moved(list(self._titles), key, by), key)

    def action_usual(self) -> None:
        """All columns, in their usual order."""
        key = self._here()
        self._take(USUAL, key if key is not None else next(iter(self._titles)))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_turn()

    def action_cancel(self) -> None:
        """Close with the choice as it stands."""
        self.dismiss(self._choice)
