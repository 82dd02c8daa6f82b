"""Fields to type in: a label, one line or several, and what is said of each. Knows no draft; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from widgets.dialogs import content_of
from widgets.line import Line
from widgets.text import inert


class FormRow(Vertical):
    """One line to type in, and what is said of it below."""

    def __init__(self, label: str, placeholder: str, suggester: Suggester | None) -> None:
        super().__init__()
        self._label, self._placeholder, self._suggester = label, placeholder, suggester
        self._said: tuple[Line, ...] = ()

    def compose(self) -> ComposeResult:
        """The line and its notes."""
        with Horizontal(classes="form-line"):
            yield Static(content_of(self._label), classes="form-label")
            yield Input(placeholder=inert(self._placeholder), suggester=self._suggester, compact=True)
        yield Static("", classes="form-note")

    @property
    def text(self) -> str:
        """What is typed; nothing as long as the line itself is on its way."""
        return "".join(one.value for one in self.query(Input))

    def on_descendant_focus(self) -> None:
        """Its label shows where the cursor is."""
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        """The cursor is elsewhere."""
        self.remove_class("-focused")

    def say(self, lines: Sequence[Line]) -> None:
        """Say this of it; nothing where there are no lines."""
        if tuple(lines) != self._said:
            self._said = tuple(lines)
            note = self.query_one(".form-note", Static)
            note.update(content_of(lines))
            note.display = bool(lines)


class FormField(Vertical):
    """A field. id: of the field. many: a further empty line is always there."""

    DEFAULT_CSS = """
    FormField { height: auto; }
    FormRow { height: auto; }
    FormRow .form-line { height: 1; }
    FormRow .form-label { width: 17; height: 1; padding: 0 1; color: $foreground 75%; }
    FormRow Input { width: 1fr; max-width: 132; }
    FormRow.-focused .form-label { color: $primary; text-style: bold; }
    FormRow .form-note { height: auto; margin: 0 1 0 18; max-width: 132; display: none; }
    """

    @dataclass
    class Changed(Message):
        """Something was typed into a field."""

        field: FormField

    def __init__(
        self, id: str, label: str, placeholder: str, *, many: bool = False, suggester: Suggester | None = None
    ) -> None:
        super().__init__(id=f"field-{id.replace('_', '-')}")
        self.field = id
        self._label, self._placeholder, self._many, self._suggester = label, placeholder, many, suggester

    def compose(self) -> ComposeResult:
        """One empty line."""
        yield self._row(first=True)

    def _row(self, *, first: bool) -> FormRow:
        return FormRow(self._label if first else "", self._placeholder if first else "one more", self._suggester)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is typed, line by line, without empty ones."""
        return tuple(row.text for row in self.query(FormRow) if row.text.strip())

    async def show(self, texts: Iterable[str]) -> None:
        """Put these texts in place of what is there."""
        wanted = [*texts] or [""]
        rows = [*self.query(FormRow)]
        if self._many and wanted[-1]:
            wanted.append("")
        for row in rows[len(wanted) :]:
            await row.remove()
        for _ in wanted[len(rows) :]:
            await self.mount(self._row(first=False))
        for row, text in zip(self.query(FormRow), wanted, strict=True):
            row.query_one(Input).value = text

    def say(self, notes: Mapping[int, Sequence[Line]]) -> None:
        """Say these of the texts, by their place among them; an empty field's are at place 0."""
        place = 0
        for number, row in enumerate(self.query(FormRow)):
            if row.text.strip():
                row.say(notes.get(place, ()))
                place += 1
            else:
                row.say(notes.get(0, ()) if number == 0 and not self.texts else ())

    def focus_text(self, place: int = 0) -> None:
        """Put the cursor into a text."""
        filled = [row for row in self.query(FormRow) if row.text.strip()]
        row = filled[place] if place < len(filled) else next(iter(self.query(FormRow)))
        row.query_one(Input).focus()

    @on(Input.Changed)
    async def _typed(self, event: Input.Changed) -> None:
        """A further line where the last is no longer empty."""
        event.stop()
        if self._many and [*self.query(FormRow)][-1].text.strip():
            await self.mount(self._row(first=False))
        self.post_message(self.Changed(self))


__all__ = ["FormField", "FormRow"]
