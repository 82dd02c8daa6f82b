"""Questions and messages that need an answer: confirm, input, choice, error. They decide nothing themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from backends.model.errors import BackendError
from widgets.engine_badge import badge_tone
from widgets.line import Line, Span, Tone
from widgets.text import inert

Answer = TypeVar("Answer")
Validate = Callable[[str], str]
"""Text to what is wrong with it; "" where nothing is."""

_STYLES = {
    Tone.DIM: "$foreground 62%",
    Tone.FAINT: "$foreground 30%",
    Tone.STRONG: "bold",
    Tone.HEADING: "bold $foreground 62%",
    Tone.OK: "$text-success",
    Tone.WARN: "$text-warning",
    Tone.BAD: "bold $text-error",
    Tone.ACCENT: "$text-accent",
    Tone.INFO: "$text-primary",
    Tone.DOCKER: "bold",
    Tone.PODMAN: "bold",
    Tone.CLUSTER: "bold",
}


def content_of(body: str | Sequence[Line]) -> Content:
    """Text or lines as content, never read as markup."""
    if isinstance(body, str):
        return Content("\n".join(inert(part) for part in body.split("\n")))
    lines = [Content.assemble(*((span.text, _STYLES.get(span.tone, "")) for span in spans)) for spans in body]
    return Content("\n").join(lines)


class Dialog(ModalScreen[Answer]):
    """A framed box in the middle of a dimmed screen; Escape answers "no"."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 65%; }
    Dialog > .dialog-box {
        width: 64; max-width: 92%; height: auto; max-height: 90%;
        padding: 1 2; background: $surface; border: round $border;
        border-title-color: $foreground; border-title-style: bold; border-title-align: left;
    }
    Dialog > .dialog-box.-destructive { border: round $error; border-title-color: $text-error; }
    Dialog .dialog-title { width: 1fr; text-style: bold; }
    Dialog .dialog-body { width: 1fr; height: auto; margin-top: 1; color: $foreground 85%; }
    Dialog .dialog-keys { width: 1fr; margin-top: 1; color: $foreground 62%; }
    Dialog .dialog-wrong { width: 1fr; height: auto; color: $text-error; }
    Dialog .dialog-buttons { width: 1fr; height: auto; margin-top: 1; align-horizontal: right; }
    Dialog Button { min-width: 10; margin-left: 2; background: $panel; color: $foreground; text-style: none; }
    Dialog Button.-destructive { color: $text-error; }
    Dialog Button:focus { background: $primary; color: $background; text-style: bold !important; }
    Dialog Button.-destructive:focus { background: $error; color: $background; }
    Dialog Button:focus:nocolor { background: $panel; color: $foreground; text-style: bold reverse !important; }
    Dialog Input { margin-top: 1; }
    Dialog OptionList { margin-top: 1; height: auto; max-height: 12; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False, id="dialog.cancel")]

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def walk(options: OptionList, step: int) -> None:
    """Move its cursor as the arrow keys do: down for a step above 0."""
    if step > 0:
        options.action_cursor_down()
    else:
        options.action_cursor_up()


class ConfirmDialog(Dialog[bool]):
    """A question with two answers; "no" has the focus, so that a hasty Enter does nothing."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False, id="dialog.yes"),
        Binding("n", "answer(False)", "No", show=False, id="dialog.no"),
        Binding("left,h", "app.focus_previous", "Left", show=False, id="dialog.left"),
        Binding("right,l", "app.focus_next", "Right", show=False, id="dialog.right"),
    ]

    def __init__(
        self,
        title: str,
        body: str | Sequence[Line] = "",
        *,
        yes: str = "Yes",
        no: str = "No",
        destructive: bool = False,
    ) -> None:
        """title names the object and its engine; destructive: what is done cannot be undone."""
        super().__init__()
        self._title, self._body, self._yes, self._no, self._destructive = title, body, yes, no, destructive

    def compose(self) -> ComposeResult:
        """The box."""
        mark = "-destructive" if self._destructive else ""
        with Vertical(classes=f"dialog-box {mark}"):
            sign = "▲ " if self._destructive else ""
            yield Static(content_of(sign + self._title), classes="dialog-title")
            if self._body:
                yield Static(content_of(self._body), classes="dialog-body")
            with Horizontal(classes="dialog-buttons"):
                yield Button(content_of(f" {self._no} (n) "), id="no", compact=True)
                yield Button(content_of(f" {self._yes} (y) "), id="yes", classes=mark, compact=True)

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)

    def action_cancel(self) -> None:
        """Escape says no."""
        self.dismiss(False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Enter or a click on one of the two."""
        self.dismiss(event.button.id == "yes")


class InputDialog(Dialog[str | None]):
    """One line of text; what is wrong with it is said while it is typed. None where cancelled."""

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        placeholder: str = "",
        note: str = "",
        validate: Validate | None = None,
    ) -> None:
        """note: a quiet line under the field. validate: what is wrong with a text, "" where nothing is."""
        super().__init__()
        self._title, self._value, self._placeholder, self._note = title, value, placeholder, note
        self._check = validate

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of(self._title), classes="dialog-title")
            yield Input(self._value, placeholder=inert(self._placeholder), compact=True)
            yield Static("", classes="dialog-wrong")
            if self._note:
                yield Static(content_of(self._note), classes="dialog-keys")
            yield Static(content_of("Enter confirms · Esc cancels"), classes="dialog-keys")

    def _wrong(self, value: str) -> str:
        return self._check(value) if self._check is not None else ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong, or nothing."""
        wrong = self._wrong(event.value)
        self.query_one(".dialog-wrong", Static).update(content_of(f"✕ {wrong}" if wrong else ""))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it where nothing is wrong."""
        event.stop()
        if not self._wrong(event.value):
            self.dismiss(event.value)


class ErrorDialog(Dialog[None]):
    """All that is known of one error: what, where, the engine's words, the next step."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "cancel", "Close", show=False, id="dialog.close")]

    def __init__(self, error: BackendError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        """The box."""
        error = self._error
        parts: list[Line] = []
        if error.engine is not None:
            parts.append((Span("on ", Tone.DIM), Span(inert(error.engine.name), badge_tone(error.engine))))
        if error.detail:
            parts.extend([(), *((Span(inert(part), Tone.DIM),) for part in error.detail.splitlines())])
        if error.hint:
            parts.extend([(), (Span(f"→ {inert(error.hint)}"),)])
        with Vertical(classes="dialog-box -destructive"):
            yield Static(content_of(f"✕ {error.title}"), classes="dialog-title")
            yield Static(content_of(parts), classes="dialog-body")
            yield Static(content_of("Enter or Esc closes"), classes="dialog-keys")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several. id: what the dialog answers; detail: a quiet second part."""

    id: str
    title: str
    detail: str = ""


class ChoiceDialog(Dialog[str | None]):
    """One of several by arrow keys and Enter; None where cancelled."""

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._choices = title, tuple(choices)

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of(self._title), classes="dialog-title")
            yield OptionList(*(Option(self._prompt(choice)) for choice in self._choices), compact=True)
            yield Static(content_of("Enter chooses · Esc cancels"), classes="dialog-keys")

    @staticmethod
    def _prompt(choice: Choice) -> Content:
        title, detail = Span(inert(choice.title)), Span(f"  {inert(choice.detail)}", Tone.DIM)
        return content_of([(title, detail) if choice.detail else (title,)])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The one chosen."""
        event.stop()
        self.dismiss(self._choices[event.option_index].id)
