"""What to pull, and who logs in: questions with several fields. They decide nothing, and keep no secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static

from backends.model.ids import EngineId
from backends.model.transfer import Credentials
from widgets.dialogs import Dialog, Validate, content_of
from widgets.text import inert


@dataclass(frozen=True, slots=True)
class PullWish:
    """What is to be pulled, and to which engines."""

    reference: str
    engines: tuple[EngineId, ...]
    platform: str = ""
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class LoginWish:
    """Who logs in where."""

    engine: EngineId
    registry: str
    credentials: Credentials


class _Fields(Dialog[object]):
    """Fields below each other; Enter in one, or Ctrl+S, takes all."""

    DEFAULT_CSS = """
    _Fields .field { width: 1fr; height: auto; }
    _Fields .field-label { width: 11; color: $foreground 62%; }
    _Fields .field-note { width: 1fr; height: auto; padding: 0 1 0 12; color: $foreground 62%; }
    _Fields Input { margin-top: 0; width: 1fr; }
    _Fields .dialog-title { margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "Take", show=False, priority=True, id="dialog.take"),
        # Done before the next key is looked at: of keys that arrive at once, each is for the field that it follows.
        Binding("tab,down", "app.focus_next", "Next", show=False, priority=True, id="dialog.next"),
        Binding("shift+tab,up", "app.focus_previous", "Previous", show=False, priority=True, id="dialog.previous"),
    ]

    def _say(self, wrong: str) -> None:
        self.query_one(".dialog-wrong", Static).update(content_of(f"✕ {wrong}" if wrong else ""))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_take()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._say("")

    def action_take(self) -> None:
        """Answer with what stands in the fields, or say what is wrong with it."""
        raise NotImplementedError


def _field(label: str, *widgets: Widget) -> Horizontal:
    """Widgets with a word before them."""
    return Horizontal(
        Static(content_of(label), classes="field-label"), Vertical(*widgets, classes="field"), classes="field"
    )


class Tick(Static, can_focus=True):
    """A word to tick, by Space or a click. The mark alone tells whether it is, without colour."""

    DEFAULT_CSS = """
    Tick { width: 1fr; height: 1; padding: 0 1; }
    Tick:focus { background: $panel; text-style: bold; }
    Tick:focus:nocolor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Tick", show=False, priority=True, id="tick.turn"),
        Binding("enter", "screen.take", "Take", show=False, priority=True, id="tick.take"),
    ]

    def __init__(self, label: str, value: bool = False, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label, self.value = label, value

    def on_mount(self) -> None:
        """Draw it."""
        self._draw()

    def _draw(self) -> None:
        self.update(content_of(f"[{'x' if self.value else ' '}] {self._label}"))

    def action_turn(self) -> None:
        """Tick it, or not any more."""
        self.value = not self.value
        self._draw()

    def on_click(self) -> None:
        """As Space."""
        self.action_turn()


class _Engines(Vertical):
    """A word to tick for each engine."""

    DEFAULT_CSS = "_Engines { height: auto; max-height: 6; width: 1fr; overflow-y: auto; }"

    def __init__(self, engines: Sequence[EngineId], chosen: Sequence[EngineId]) -> None:
        super().__init__()
        self._engines, self._first = tuple(engines), frozenset(chosen)

    def compose(self) -> ComposeResult:
        """One line for each."""
        for engine in self._engines:
            yield Tick(engine.name, engine in self._first)

    @property
    def chosen(self) -> tuple[EngineId, ...]:
        """Those that are ticked."""
        boxes = self.query(Tick)
        return tuple(engine for engine, box in zip(self._engines, boxes, strict=True) if box.value)


class PullDialog(_Fields):
    """What is to be pulled. Answers with a PullWish, None where cancelled."""

    AUTO_FOCUS = "#reference"

    def __init__(
        self,
        engines: Sequence[EngineId],
        chosen: Sequence[EngineId],
        *,
        reference: str = "",
        platform: str = "",
        known: Sequence[str] = (),
        check: Validate,
        check_platform: Validate,
        meaning: Callable[[str], str],
    ) -> None:
        """known: names that are offered while one is typed (→ takes it). check, check_platform: what is wrong with a
        text, "" where nothing is. meaning: what a name stands for, "" where it says that itself.
        """
        super().__init__()
        self._engines, self._chosen = tuple(engines), tuple(chosen)
        self._reference, self._platform, self._known = reference, platform, tuple(known)
        self._check, self._check_platform, self._meaning = check, check_platform, meaning

    def compose(self) -> ComposeResult:
        """The box."""
        offered = SuggestFromList(self._known, case_sensitive=False)
        with Vertical(classes="dialog-box"):
            yield Static(content_of("Pull an image"), classes="dialog-title")
            hint = "python:3.12, ghcr.io/team/name:tag"
            yield _field(
                "Image", Input(self._reference, placeholder=hint, suggester=offered, id="reference", compact=True)
            )
            yield Static("", classes="field-note", id="meaning")
            yield _field("To", _Engines(self._engines, self._chosen))
            yield _field("Platform", Input(self._platform, placeholder="the engine's own", id="platform", compact=True))
            yield _field("", Tick("without TLS, or any certificate (Podman)", id="insecure"))
            yield Static("", classes="dialog-wrong")
            yield Static(content_of("Tab next · Enter pulls · Esc cancels"), classes="dialog-keys")

    @on(Input.Changed, "#reference")
    def _typed(self, event: Input.Changed) -> None:
        text = event.value.strip()
        meant = self._meaning(text) if text and not self._check(text) else ""
        self.query_one("#meaning", Static).update(content_of(f"→ {meant}" if meant else ""))

    def action_take(self) -> None:
        """Answer with what stands in the fields, or say what is wrong with it."""
        reference = self.query_one("#reference", Input).value.strip()
        platform = self.query_one("#platform", Input).value.strip()
        engines = self.query_one(_Engines).chosen
        wrong = self._check(reference) or self._check_platform(platform)
        if not wrong and not engines:
            wrong = "Choose an engine: Tab goes there, Space ticks it."
        if wrong:
            self._say(wrong)
            return
        self.dismiss(PullWish(reference, engines, platform, self.query_one("#insecure", Tick).value))


class LoginDialog(_Fields):
    """Who logs in where. Answers with a LoginWish, None where cancelled. The secret is never shown."""

    AUTO_FOCUS = "#registry"

    def __init__(self, engines: Sequence[EngineId], *, registry: str = "", check: Validate) -> None:
        """check: what is wrong with a registry's name, "" where nothing is."""
        super().__init__()
        self._engines, self._registry, self._check = tuple(engines), registry, check

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of("Log in to a registry"), classes="dialog-title")
            yield _field("Registry", Input(self._registry, placeholder="docker.io", id="registry", compact=True))
            yield _field("User name", Input(id="username", compact=True))
            yield _field("Password", Input(password=True, placeholder="or access token", id="secret", compact=True))
            yield _field("For", _Engines(self._engines, self._engines[:1]))
            yield Static("", classes="dialog-wrong")
            kept = "Kept by the engine's own program, not by Tranship."
            yield Static(content_of(kept), classes="dialog-keys")
            yield Static(content_of("Tab next · Enter logs in · Esc cancels"), classes="dialog-keys")

    def action_take(self) -> None:
        """Answer with what stands in the fields, or go to the first that is empty."""
        registry, username, secret = (self.query_one(f"#{id}", Input) for id in ("registry", "username", "secret"))
        wrong = self._check(registry.value)
        chosen = self.query_one(_Engines).chosen
        if wrong:
            self._say(wrong)
        elif not username.value.strip():
            username.focus()
        elif not secret.value:
            secret.focus()
        elif len(chosen) != 1:
            self._say("Choose one engine: each has a store of its own.")
        else:
            credentials = Credentials(username.value.strip(), secret.value)
            self.dismiss(LoginWish(chosen[0], inert(registry.value), credentials))


__all__ = ["LoginDialog", "LoginWish", "PullDialog", "PullWish"]
