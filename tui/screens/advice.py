"""Which engine serves a container: the verdict, its rule, and every statement with the fact it was read from.

Changes nothing: a remedy is copied for the person's own shell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.advice import RULE, Advice, Candidate, Effect, Statement
from backends.model.container import Container
from tui.action import Scope
from tui.actions import bindings
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.security_messages import Advised
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import Column, LiveTable, Row
from widgets.text import inert, paragraph, wrap

_COLUMNS = (
    Column("effect", "", 9, fixed=True, sortable=False),
    Column("topic", "TOPIC", 13, fixed=True, sortable=False),
    Column("statement", "STATEMENT", 40, flex=6, fixed=True, sortable=False),
    Column("read", "READ FROM", 40, flex=4, priority=1, sortable=False, fixed=True),
)
_LOOKS = {
    Effect.BLOCKS: ("✕", Tone.BAD),
    Effect.LACKS: ("!", Tone.WARN),
    Effect.SERVES: ("✓", Tone.OK),
    Effect.TELLS: ("·", Tone.DIM),
}
_AGAINST = (Effect.BLOCKS, Effect.LACKS)
_VERDICT = "verdict"


def _counted(one: Candidate) -> str:
    """What speaks against an engine, counted."""
    if not one.blocks and not one.lacks:
        return "nothing against it"
    return f"{one.blocks} blocking, {one.lacks} lacking"


def advice_rows(advice: Advice, *, against: bool) -> list[Row]:
    """The verdict, then each engine's statements, the best engine's first, this machine's last.

    against: only what counts against an engine. A statement's key is its place in the advice.
    """
    first = (line(("→ best", Tone.ACCENT)), line(inert(advice.best or "none")), line(inert(advice.verdict)), BLANK)
    rows = [Row(_VERDICT, first)]
    counts = {one.engine: _counted(one) for one in advice.candidates}
    silent = sorted({one.engine for one in advice.statements if one.engine} - counts.keys())
    for engine in (*counts, *silent, ""):
        those = [
            (place, one)
            for place, one in enumerate(advice.statements)
            if one.engine == engine and (one.effect in _AGAINST or not against)
        ]
        if not those:
            continue
        said = counts.get(engine, "not asked" if engine else "")
        here = ", where it is now" if engine == advice.engine else ""
        heading = line((inert(engine or "This machine"), Tone.HEADING), (f"  {said}{here}", Tone.DIM))
        rows.append(Row(("heading", engine), (heading,), heading=True))
        rows += [_row(place, one) for place, one in those]
    return rows


def _row(place: int, one: Statement) -> Row:
    sign, tone = _LOOKS[one.effect]
    quiet = Tone.DIM if one.effect is Effect.TELLS else Tone.PLAIN
    cells = (
        line((f"{sign} {one.effect.value}", tone)),
        line((inert(one.topic), quiet)),
        line((inert(one.sentence), quiet)),
        line((inert(f"{one.source} = {one.value}"), Tone.DIM)),
    )
    return Row(place, cells)


def statement_lines(one: Statement, width: int) -> list[Line]:
    """One statement in full: what, where it was read, what would change it."""
    lines = [line((part, Tone.STRONG)) for part in wrap(inert(one.sentence), max(8, width)) or [""]]
    lines += paragraph(f"read: {one.source} = {one.value}", Tone.DIM, width)
    return lines + (paragraph(f"→ {one.remedy}", Tone.ACCENT, width) if one.remedy else [])


def verdict_lines(advice: Advice, width: int) -> list[Line]:
    """The verdict and how it follows."""
    lines = [line((part, Tone.STRONG)) for part in wrap(inert(advice.verdict), max(8, width)) or [""]]
    return [*lines, *paragraph(f"Rule: {RULE}", Tone.DIM, width)]


class AdviceScreen(SubScreen):
    """Statements about each engine of the fleet, and the one under the cursor in full."""

    SCOPES: ClassVar = (Scope.ADVICE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.ADVICE)
    AUTO_FOCUS = "#advice"

    def __init__(self, container: Container) -> None:
        super().__init__()
        self._container = container
        self._advice: Advice | None = None
        self._against = False

    def compose(self) -> ComposeResult:
        """Title, statements, the one chosen, keys."""
        yield TitleBar(f"Advice for {inert(self._container.name)}")
        yield LiveTable(_COLUMNS, empty="Asking every engine, and reading this machine …", id="advice")
        yield LinesPane(id="statement")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self.query_one("#statement", LinesPane).border_title = "In full"
        self._look()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {"advice.copy": self._copy, "advice.against": self._turn, "advice.again": self._look}

    def _look(self) -> None:
        self.tranship.commands.security.advise(self._container, self.post_message)

    @on(Advised)
    def _told(self, message: Advised) -> None:
        if message.error is not None:
            self.tranship.fail(message.error, asked="Advice: ")
        else:
            self._advice = message.advice
        self._draw()

    def _draw(self) -> None:
        table = self.query_one("#advice", LiveTable)
        if self._advice is None:
            table.show_rows([], empty=[line(("Nothing could be told.", Tone.DIM))])
            return
        best = self._advice.best or "none"
        self.query_one(TitleBar).show(f"Advice for {inert(self._container.name)} · best: {inert(best)}")
        table.show_rows(advice_rows(self._advice, against=self._against))
        self._show_chosen()

    @on(LiveTable.RowHighlighted)
    def _show_chosen(self) -> None:
        key, advice = self.query_one("#advice", LiveTable).cursor_key, self._advice
        pane, one = self.query_one("#statement", LinesPane), self._chosen()
        pane.border_subtitle = "y copies the remedy" if one is not None and one.remedy else ""
        if one is not None:
            pane.show_built(lambda width: statement_lines(one, width))
        elif advice is not None and key == _VERDICT:
            pane.show_built(lambda width: verdict_lines(advice, width))
        else:
            pane.show_built(lambda _width: [BLANK])

    def _chosen(self) -> Statement | None:
        key = self.query_one("#advice", LiveTable).cursor_key
        if self._advice is None or not isinstance(key, int) or key >= len(self._advice.statements):
            return None
        return self._advice.statements[key]

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self._copy()

    def _copy(self) -> None:
        one = self._chosen()
        if one is None or not one.remedy:
            self.tranship.refuse("This has no remedy to copy.")
            return
        self.app.copy_to_clipboard(inert(one.remedy))
        self.notify(f"Copied: {inert(one.remedy)}", timeout=4, markup=False)

    def _turn(self) -> None:
        self._against = not self._against
        if self._advice is not None:
            self._draw()
