"""All volumes, or all networks, of all engines: who uses each, made and removed when asked. Opens no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from backends.model.events import OperationUpdate
from backends.model.ids import EngineId
from backends.model.stores import StoreKey
from tui.action import Scope
from tui.actions import bindings
from tui.screens import store_questions
from tui.screens.facts import fact_lines
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.list_screen import ListScreen, with_engine
from tui.screens.store_questions import Kind
from widgets.engine_badge import badges
from widgets.filter_line import FilterLine
from widgets.fitted_table import FittedTable
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.store_rows import (
    FIRST_SORT,
    SORTABLE,
    AnyRow,
    in_order,
    let_through,
    rows_of,
)
from widgets.text import inert, width_of

FILTER_HELP = "words in name, engine, container, driver…   is:unused  -word"


class StoresScreen(ListScreen[AnyRow]):
    """The list, and the facts of the row under the cursor. KIND: of what."""

    SCOPES: ClassVar = (Scope.STORES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.STORES)
    AUTO_FOCUS = "#stores"
    PART = "#store-facts"
    KIND: ClassVar[Kind]

    def __init__(self) -> None:
        super().__init__(FIRST_SORT)
        self._rows: tuple[AnyRow, ...] | None = None
        self._errors: tuple[BackendError, ...] = ()

    def compose(self) -> ComposeResult:
        """Title, filter, list, facts, keys."""
        kind = self.KIND
        yield TitleBar(kind.title)
        yield FilterLine(FILTER_HELP, take=self._take_filter, back="#stores")
        yield FittedTable(kind.columns(0), empty=f"Reading the {kind.plural} …", id="stores")
        facts = LinesPane(id="store-facts")
        facts.border_title = "In full"
        yield facts
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    # -- showing ---------------------------------------------------------------------------------
    def take(self, rows: Sequence[AnyRow], errors: Sequence[BackendError]) -> None:
        """A new list."""
        self._rows, self._errors = tuple(rows), tuple(errors)
        self._draw()

    def _draw(self) -> None:
        if not self.in_sight() or self._rows is None:
            return
        kind, table = self.KIND, self.table
        shown: list[AnyRow] = in_order(let_through(self._filter, self._rows), self._sort)
        named = badges(self._view.engines.values())
        table.set_columns(kind.columns(max(map(width_of, named.values()), default=0)))
        table.set_sort(self._sort.column, self._sort.descending)
        rows = rows_of(shown, named, self.tranship.clock.now(), self._doing())
        table.show_rows(rows, empty=self._nothing())
        self._draw_facts()
        total = len(self._rows)
        of = f"{len(shown)} of {total} for “{self._filter}”" if self._filter else str(total)
        silent = [f"{inert(error.engine.name)} does not answer" for error in self._errors if error.engine]
        unused = sum(1 for row in self._rows if row.removable)
        spare = [f"{unused} unused"] if unused else []
        self.query_one(TitleBar).show(" · ".join([f"{kind.title}  {of}", *spare, *silent]))

    def _doing(self) -> Mapping[StoreKey, OperationUpdate]:
        prefix = f"{self.KIND.word}:"
        return {
            StoreKey(key.engine, key.id.removeprefix(prefix)): update
            for key, update in self._view.operations.items()
            if key.id.startswith(prefix)
        }

    def _nothing(self) -> list[Line]:
        """What is said where there is no row; engines that did not answer are named."""
        if self._rows:
            return [line((f"Nothing fits “{inert(self._filter)}”. Esc shows all.", Tone.DIM))]
        failed = [line((inert(str(error)), Tone.BAD)) for error in self._errors]
        return failed or [line((f"The engines that answer have no {self.KIND.plural}. c makes one.", Tone.DIM))]

    def _draw_facts(self) -> None:
        row, now = self._chosen(), self.tranship.clock.now()
        facts = self.KIND.facts(row, now) if row is not None else []
        self.query_one(LinesPane).show_built(lambda width: fact_lines(facts, width))

    @on(LiveTable.RowHighlighted, "#stores")
    def _cursor_moved(self) -> None:
        self._draw_facts()

    def _sortable(self) -> Sequence[str]:
        columns = {column.key for column in self.KIND.columns(0)}
        return [one for one in SORTABLE if one in columns]

    def _by_key(self) -> Mapping[object, AnyRow]:
        return {row.key: row for row in self._rows or ()}

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of volumes and networks."""
        return {
            "stores.open": self._open,
            "stores.create": self._create,
            "stores.remove": self._remove,
            "stores.prune": self._prune,
            **self._acts("stores"),
        }

    @on(LiveTable.RowSelected, "#stores")
    def _row_selected(self) -> None:
        self.action_act("stores.open")

    def _open(self) -> None:
        row = self._one()
        if row is not None:
            self.open(row)

    def open(self, row: AnyRow) -> None:
        """What Enter does on a row: its facts, where there is no more."""
        del row
        self.set_focus(self.query_one(LinesPane))

    def _remove(self) -> None:
        targets = self._targets()
        for row in targets:
            if not row.removable:
                self.tranship.refuse(store_questions.kept_words(self.KIND, row))
        self._ask_to_remove([row for row in targets if row.removable])

    def _ask_to_remove(self, rows: Sequence[AnyRow]) -> None:
        if rows:
            self._ask(store_questions.removal(self.KIND, rows), lambda: self.tranship.commands.stores.remove(rows))

    def _prune(self) -> None:
        offers = store_questions.prunings(self.KIND, self._rows or ())

        def do(chosen: str | None) -> None:
            if chosen is not None:
                self._ask_to_remove(store_questions.pruned(self._rows or (), chosen))

        if not offers:
            self.tranship.refuse(f"There is nothing to prune: no {self.KIND.word} is unused.")
        elif len(offers) == 1:
            do(offers[0].id)
        else:
            self.app.push_screen(store_questions.choice(f"Which {self.KIND.plural} are to go?", offers), do)

    def _create(self) -> None:
        engines = self._view.offering(Capability.STORES)
        if not engines:
            self.tranship.refuse("No engine is connected.")
        elif len(engines) == 1:
            self._name_it(engines[0])
        else:
            title = f"A new {self.KIND.word} on which engine?"
            self.app.push_screen(store_questions.engine_choice(title, engines), with_engine(engines, self._name_it))

    def _name_it(self, engine: EngineId) -> None:
        def do(text: str | None) -> None:
            if text:
                self.tranship.commands.stores.create(engine, self.KIND.spec(text))

        taken = {row.key.name for row in self._rows or () if row.key.engine == engine}
        self.app.push_screen(store_questions.naming(self.KIND, engine, taken), do)
