"""Help: every action with its keys, those of the screen that one sees first, from the registry. May not act."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.action import Scope
from tui.actions import ACTIONS, keys_label, keys_of, permitted
from tui.screens.base import TranshipScreen
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import fit_line, pad

TWO_COLUMNS = 128  # cells from which the list stands in two columns
_KEY_CELLS = 17
READ_ONLY_NOTE = "Read-only: keys that change something are switched off."


def scope_lines(scope: Scope, *, read_only: bool, taken: frozenset[str] = frozenset()) -> list[Line]:
    """One group: its heading, its keys, a blank line; nothing where it has none. taken: keys that do another thing."""
    actions = [action for action in ACTIONS if action.scope is scope and permitted(action, read_only=read_only)]
    if not actions:
        return []
    keys = [line((pad(keys_label(one, but=taken), _KEY_CELLS), Tone.INFO), one.title) for one in actions]
    return [line((scope.value, Tone.HEADING)), *keys, BLANK]


def in_order(here: Sequence[Scope], also: Sequence[Scope] = ()) -> list[Scope]:
    """All groups: those of the screen that one sees (here) first, then what holds on it too (also), then the others."""
    if not here or Scope.FLEET in here:
        return list(Scope)
    first = [*here, *also, Scope.BACK, Scope.APP, Scope.MOVE]
    return [*first, *(scope for scope in Scope if scope not in first)]


def help_lines(width: int, *, read_only: bool, here: Sequence[Scope] = (), also: Sequence[Scope] = ()) -> list[Line]:
    """All groups, in two columns where the width allows it. here, also: those of the screen that one sees."""
    own = frozenset(key for action in ACTIONS if action.scope in {*here, Scope.BACK} for key in keys_of(action))
    groups = [
        scope_lines(scope, read_only=read_only, taken=own if scope in also else frozenset())
        for scope in in_order(here, also)
    ]
    note = [line((READ_ONLY_NOTE, Tone.WARN)), BLANK] if read_only else []
    if width < TWO_COLUMNS:
        return [*note, *(one for group in groups for one in group)]
    left, right = _halves(groups)
    half = width // 2
    return [
        *note,
        *((*fit_line(one, half), *other) for one, other in zip_longest(left, right, fillvalue=BLANK)),
    ]


def _halves(groups: Sequence[list[Line]]) -> tuple[list[Line], list[Line]]:
    """The groups in their order, broken where both columns are nearest to equally long."""
    total = sum(map(len, groups))
    best = min(range(len(groups) + 1), key=lambda cut: abs(total - 2 * sum(map(len, groups[:cut]))))
    flat = [[one for group in part for one in group] for part in (groups[:best], groups[best:])]
    return flat[0], flat[1]


class HelpScreen(ModalScreen[None]):
    """All keys by where they apply, those of the screen below first; read-only: without those that change something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "close", "Close", show=False, id="help.close"),
    ]

    def __init__(self, *, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """A box with the list."""
        box = LinesPane(id="help-box", classes="box")
        box.border_title = "Keys"
        box.border_subtitle = "Esc closes"
        yield box

    def on_mount(self) -> None:
        """Fill it."""
        below = next((one for one in reversed(self.app.screen_stack) if isinstance(one, TranshipScreen)), None)
        here, also = (below.SCOPES, below.ALSO) if below is not None else ((), ())
        read_only = self._read_only
        self.query_one(LinesPane).show_built(lambda width: help_lines(width, read_only=read_only, here=here, also=also))

    def action_close(self) -> None:
        """Close."""
        self.dismiss()
