"""A list of presets, with what the one under the cursor sets and why. Answers with a name; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from widgets.dialogs import Dialog, content_of, walk
from widgets.line import Line, Tone, line
from widgets.text import cut_end, cut_line, inert, pad, width_of

_NAME = 13
_NARROWEST = 40


class PresetRow(NamedTuple):
    """One of the list. settings: what it sets, with the reason of each."""

    name: str
    title: str
    what: str
    settings: tuple[tuple[str, str], ...] = ()


class PresetPicker(Dialog[str | None]):
    """The chosen row's name; None where cancelled. wrong: files that cannot be used, a sentence each."""

    DEFAULT_CSS = """
    PresetPicker > .dialog-box { width: 92%; max-width: 120; height: 92%; max-height: 40; padding: 0 2; }
    PresetPicker OptionList { padding: 0; height: auto; max-height: 50%; scrollbar-size-vertical: 1; }
    PresetPicker #settings { scrollbar-size-vertical: 1; height: 1fr; margin-top: 1; border-top: solid $border; }
    """
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "Down", show=False, id="presets.down"),
        Binding("k", "move(-1)", "Up", show=False, id="presets.up"),
    ]

    def __init__(self, rows: Sequence[PresetRow], wrong: Sequence[str] = ()) -> None:
        super().__init__()
        self._rows, self._wrong = tuple(rows), tuple(wrong)

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of("What kind of container?"), classes="dialog-title")
            yield OptionList(*(Option(content_of([_prompt(row, _NARROWEST)])) for row in self._rows), compact=True)
            with VerticalScroll(id="settings", can_focus=False):
                yield Static(id="sets")
            if self._wrong:
                yield Static(content_of([line((inert(text), Tone.WARN)) for text in self._wrong]), id="wrong")
            yield Static(content_of("Enter fills the form · Esc cancels"), classes="dialog-keys")

    def on_resize(self, _event: events.Resize) -> None:
        """A row is one line, whatever the width."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        picks = self.query_one(OptionList)
        width = self._width
        for place, row in enumerate(self._rows):
            picks.replace_option_prompt_at_index(place, content_of([_prompt(row, width)]))

    @property
    def _width(self) -> int:
        """Cells of a row of the list."""
        return max(_NARROWEST, self.query_one(OptionList).scrollable_content_region.width)

    def action_move(self, step: int) -> None:
        """As the arrow keys."""
        walk(self.query_one(OptionList), step)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        row = self._rows[event.option_index]
        whole = width_of(inert(row.what)) + _NAME + 1 <= self._width
        lines = [*([] if whole or not row.settings else [line((inert(row.what), Tone.PLAIN))]), *_settings(row)]
        self.query_one("#sets", Static).update(content_of(lines))
        self.query_one("#settings", VerticalScroll).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._rows[event.option_index].name)


def _prompt(row: PresetRow, width: int) -> Line:
    whole = line((pad(cut_end(inert(row.title), _NAME), _NAME), Tone.STRONG), (f" {inert(row.what)}", Tone.DIM))
    return cut_line(whole, width)


def _settings(row: PresetRow) -> list[Line]:
    """What it sets, the reason below each."""
    lines: list[Line] = []
    for what, why in row.settings:
        lines.append(line((inert(what), Tone.ACCENT)))
        lines.append(line((f"  {inert(why)}", Tone.DIM)))
    return lines or [line((inert(row.what), Tone.DIM))]


__all__ = ["PresetPicker", "PresetRow"]
