"""One container: its facts, and the engine's own inspect JSON below them. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.action import Scope
from tui.actions import bindings
from tui.messages import InspectFailed, InspectLoaded
from tui.screens.base import SubScreen
from tui.screens.facts import fact_lines, facts_of
from tui.screens.frame import KeyBar, TitleBar
from widgets.layer_lines import error_lines
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import inert, line_width, take_cells


def json_lines(value: object) -> list[Line]:
    """Indented JSON, each line made inert."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return [line(inert(one) if not one.startswith(" ") else _indented(one)) for one in text.split("\n")]


def _indented(text: str) -> str:
    body = text.lstrip(" ")
    return " " * (len(text) - len(body)) + inert(body)


def _wrapped(whole: Line, width: int) -> list[Line]:
    """A line in as many as it takes; those below the first stand under its text, two cells in."""
    if line_width(whole) <= width or len(whole) != 1:
        return [whole]
    text, tone = whole[0]
    body = text.lstrip(" ")
    indent = min(len(text) - len(body), max(0, width - 24))
    room, lines = max(8, width - indent), list[Line]()
    while body:
        head = take_cells(body, room - (2 if lines else 0)) or body[0]
        lines.append(line((" " * (indent + (2 if lines else 0)) + head, tone)))
        body = body[len(head) :]
    return lines


class ContainerScreen(SubScreen):
    """The detail of one container."""

    SCOPES: ClassVar = (Scope.DETAIL,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DETAIL)

    def __init__(self, key: ContainerKey) -> None:
        super().__init__()
        self._key = key
        self._view = FleetView()
        self._inspect: list[Line] = [line(("Asking the engine …", Tone.DIM))]
        self._error: BackendError | None = None

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        yield TitleBar("Container")
        yield LinesPane(id="detail")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what is known; ask for the rest."""
        self.show_modes()
        self.show_view(self.tranship.view)
        self._ask()

    def _ask(self) -> None:
        self.tranship.commands.inspect(self._key, self.post_message)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Reading again."""
        return {"detail.reload": self._ask}

    def show_view(self, view: FleetView) -> None:
        """Take the newest view."""
        self._view = view
        container = view.containers.get(self._key)
        if container is not None:
            self.query_one(TitleBar).show(f"{inert(container.name)} on {self._key.engine}")
        self._draw()

    def _draw(self) -> None:
        facts = facts_of(self._view, self._key, self.tranship.clock.now()) or [("State", "removed")]
        inspect, error = self._inspect, self._error
        heading = line(("INSPECT", Tone.HEADING))

        def build(width: int) -> list[Line]:
            wrapped = [part for one in inspect for part in _wrapped(one, width)]
            below = error_lines(error, width) if error is not None else wrapped
            return [*fact_lines(facts, width), BLANK, heading, *below]

        self.query_one(LinesPane).show_built(build)

    @on(InspectLoaded)
    def _inspected(self, message: InspectLoaded) -> None:
        self._inspect, self._error = json_lines(message.inspect), None
        self._draw()

    @on(InspectFailed)
    def _not_inspected(self, message: InspectFailed) -> None:
        self._error = message.error
        self._draw()
