"""The box in which volumes and ports of a move are chosen one by one. Decides nothing; plans nothing."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from backends.model.plan import Choices
from widgets.dialogs import Dialog, content_of, walk
from widgets.move_parts import HIGHEST_PORT, PartRow, Parts, part_rows, turned, with_port

_NARROWEST = 40
_KEYS = "Enter or Space turns · digits: another port · Esc closes"


class PartPicker(Dialog[Choices | None]):
    """Rows of volumes and ports. Escape closes it and answers with the choices as they stand."""

    DEFAULT_CSS = """
    PartPicker > .dialog-box { width: 92%; max-width: 104; padding: 0 2; }
    PartPicker OptionList { padding: 0; max-height: 60vh; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right,l", "turn(1)", "Next", show=False, id="parts.next"),
        Binding("left,h", "turn(-1)", "Before", show=False, id="parts.before"),
        Binding("j", "move(1)", "Down", show=False, id="parts.down"),
        Binding("k", "move(-1)", "Up", show=False, id="parts.up"),
        Binding("backspace", "erase", "Erase a digit", show=False, id="parts.erase"),
        Binding("q", "cancel", "Close", show=False, id="parts.close"),
    ]

    def __init__(self, title: str, parts: Parts, now: Choices) -> None:
        """now: what is chosen so far."""
        super().__init__()
        self._title, self._parts, self._choices = title, parts, now
        self._typed = ""
        self._rows: list[PartRow] = []

    @property
    def rows(self) -> list[PartRow]:
        """The rows as they stand."""
        return self._rows

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of(self._title), classes="dialog-title")
            yield OptionList(compact=True)
            yield Static(content_of(_KEYS), classes="dialog-keys")

    def on_mount(self) -> None:
        """The rows, the cursor on the first that can be turned."""
        self._draw()
        self.query_one(OptionList).highlighted = next((at for at, row in enumerate(self._rows) if not row.idle), None)

    def on_resize(self, _event: events.Resize) -> None:
        """The columns fit the width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        picks = self.query_one(OptionList)
        old, width = self._rows, max(_NARROWEST, picks.scrollable_content_region.width)
        self._rows = part_rows(self._choices, self._parts, width)
        if not old:
            picks.add_options(Option(content_of([row.text]), disabled=row.idle) for row in self._rows)
            return
        for at, (before, now) in enumerate(zip(old, self._rows, strict=True)):
            if before.text != now.text:
                picks.replace_option_prompt_at_index(at, content_of([now.text]))

    def _under_cursor(self) -> PartRow | None:
        at = self.query_one(OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    # -- keys ------------------------------------------------------------------------------------
    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._typed = ""

    def action_move(self, step: int) -> None:
        """As the arrow keys."""
        walk(self.query_one(OptionList), step)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_turn(1)

    def action_turn(self, step: int) -> None:
        """The next choice of the row, or the one before."""
        row = self._under_cursor()
        if row is not None:
            self._typed = ""
            self._choices = turned(self._choices, self._parts, row, step)
            self._draw()

    def on_key(self, event: events.Key) -> None:
        """A digit is of a port of the host that the copy is to have."""
        if event.character is not None and event.character.isascii() and event.character.isdecimal():
            event.stop()
            self._type(self._typed + event.character)

    def action_erase(self) -> None:
        """Take the last digit back; without any, the port is the same again."""
        self._type(self._typed[:-1])

    def _type(self, typed: str) -> None:
        row = self._under_cursor()
        if row is None or row.port is None or int(typed or 0) > HIGHEST_PORT or typed.startswith("0"):
            return
        self._typed = typed
        self._choices = with_port(self._choices, self._parts, row.port, int(typed) if typed else row.port)
        self._draw()

    def action_cancel(self) -> None:
        """Close with the choices as they stand."""
        self.dismiss(self._choices)
