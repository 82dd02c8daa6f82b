"""Asks what is to be built: folder, Containerfile, name, stage, arguments, engine. Builds nothing, reads no folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from widgets.dialogs import Dialog, content_of
from widgets.text import inert


@dataclass(frozen=True, slots=True)
class BuildAsked:
    """What was typed. engine: place in the list that was offered."""

    folder: str = "."
    file: str = ""
    name: str = ""
    target: str = ""
    arguments: str = ""
    engine: int = 0


_FIELDS = (
    ("folder", "Folder", "."),
    ("file", "File", "Containerfile or Dockerfile in it"),
    ("name", "Name", "repository:tag"),
    ("target", "Stage", "the last"),
    ("arguments", "Arguments", "NAME=VALUE …"),
)


class BuildDialog(Dialog[BuildAsked | None]):
    """A field for each, the engines below; Enter in any of them builds. None where cancelled."""

    DEFAULT_CSS = """
    BuildDialog Horizontal { height: 1; }
    BuildDialog .build-label { width: 11; color: $foreground 62%; }
    BuildDialog Horizontal > Input { width: 1fr; margin: 0; }
    BuildDialog Vertical#fields { height: auto; margin-top: 1; }
    BuildDialog OptionList { width: 1fr; height: auto; max-height: 5; margin: 0; padding: 0 1 !important; }
    BuildDialog #build-engines { height: auto; max-height: 5; }
    """
    AUTO_FOCUS = "#build-folder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False, id="build.next"),
        Binding("up", "app.focus_previous", "Previous", show=False, id="build.previous"),
    ]

    def __init__(self, engines: Sequence[str], check: Callable[[BuildAsked], str], *, now: BuildAsked) -> None:
        """engines: names to choose from. check: what is wrong with it, "" where nothing is. now: what stands there."""
        super().__init__()
        self._engines, self._check, self._now = tuple(engines), check, now

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of("Build an image"), classes="dialog-title")
            with Vertical(id="fields"):
                for id, label, placeholder in _FIELDS:
                    with Horizontal():
                        yield Static(label, classes="build-label")
                        yield Input(getattr(self._now, id), placeholder=placeholder, compact=True, id=f"build-{id}")
                with Horizontal(id="build-engines"):
                    yield Static("Engine", classes="build-label")
                    yield OptionList(*(Option(content_of(inert(name))) for name in self._engines), compact=True)
            yield Static("", classes="dialog-wrong")
            yield Static(content_of("Tab next · Enter builds · Esc cancels"), classes="dialog-keys")

    def on_mount(self) -> None:
        """The engine that was chosen before, or the first."""
        if self._engines:
            self.query_one(OptionList).highlighted = min(self._now.engine, len(self._engines) - 1)

    def _asked(self) -> BuildAsked:
        typed = {id: self.query_one(f"#build-{id}", Input).value.strip() for id, _, _ in _FIELDS}
        engine = self.query_one(OptionList).highlighted or 0
        return BuildAsked(typed["folder"], typed["file"], typed["name"], typed["target"], typed["arguments"], engine)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one(".dialog-wrong", Static).update("")

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _submitted(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        event.stop()
        asked = self._asked()
        wrong = self._check(asked)
        if wrong:
            self.query_one(".dialog-wrong", Static).update(content_of(f"✕ {wrong}"))
        else:
            self.dismiss(asked)


__all__ = ["BuildAsked", "BuildDialog"]
