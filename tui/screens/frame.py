"""The line above and the line below every screen: who we are and in which mode, and which keys matter here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from tui.action import Action, Scope
from tui.actions import first_key_label, footer_actions
from widgets.line import Tone
from widgets.palette import palette_of

_WAY_BACK = "app.back"
_OWN = frozenset(Scope) - {Scope.MOVE, Scope.APP}


class TitleBar(Horizontal):
    """ "Tranship", what this screen is about, and on the right the modes: DEMO, READ-ONLY."""

    def __init__(self, about: str = "") -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """Name and subject on the left, modes on the right."""
        yield Static("Tranship", classes="name")
        yield Static(self._about, classes="about", markup=False)
        yield Static("", classes="modes", markup=False)

    def show(self, about: str) -> None:
        """Say what the screen is about now."""
        if about != self._about:
            self._about = about
            # Its place is what the others leave, one line high: to lay the screen out anew would change nothing.
            self.query_one(".about", Static).update(about, layout=False)

    def show_modes(self, modes: Sequence[str]) -> None:
        """Name the modes that are on; nothing where none is."""
        text = Text("  ".join(modes))
        self.query_one(".modes", Static).update(text)


class KeyBar(Widget):
    """The footer: keys of the actions that apply, the most useful first, as many as fit; the way back always."""

    def __init__(self, *scopes: Scope, read_only: bool) -> None:
        super().__init__()
        self._actions = footer_actions(*scopes, read_only=read_only)
        self._words: Mapping[str, str] = {}
        self._ends: list[tuple[int, Action]] = []

    def say(self, words: Mapping[str, str]) -> None:
        """Other words than the registry's, by action id, for what a key does now; "" = it does nothing now."""
        if words != self._words:
            self._words = dict(words)
            self.refresh()

    def render(self) -> Text:
        """One line."""
        palette = palette_of(self)
        text = Text(no_wrap=True, end="")
        self._ends = []
        for action, key, word in self._fitting():
            text.append(key, palette[Tone.INFO] + Style(bold=True)).append(f" {word}", palette[Tone.DIM]).append("  ")
            self._ends.append((text.cell_len, action))
        return text

    def _fitting(self) -> list[tuple[Action, str, str]]:
        """The actions that are shown at this width, each with its key and its word."""
        said = [
            (action, first_key_label(action), word)
            for action in self._actions
            if (word := self._words.get(action.id, action.short or action.title))
        ]
        while len(said) > 1 and sum(len(key) + len(word) + 3 for _, key, word in said) - 2 > self.size.width:
            said.pop(-2 if said[-1][0].id == _WAY_BACK else -1)
        return said

    async def on_click(self, event: events.Click) -> None:
        """A click on a word acts as its key would."""
        spot = event.get_content_offset(self)
        for end, action in self._ends if spot is not None else ():
            if spot is not None and spot.x < end:
                await self.app.run_action(f"act({action.id!r})", self.screen if action.scope in _OWN else self.app)
                return
