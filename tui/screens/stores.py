"""All volumes, or all networks, of all engines: who uses each, made and removed when asked. Opens no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
from tui.screens.list_screen import ListScreen
from tui.screens.store_questions import Kind
from widgets.container_sort import Sort
from widgets.engine_badge import badges
from widgets.filter_line import FilterLine
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
    toggled,
)
from widgets.text import inert, width_of

FILTER_HELP = "words in name, engine, container, driver…   is:unused  -word"


class StoresScreen(ListScreen):
    """The list, and the facts of the row under the cursor. KIND: of what."""

    SCOPES: ClassVar = (Scope.STORES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.STORES)
    AUTO_FOCUS = "#stores"
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
        yield LiveTable(kind.columns(0), empty=f"Reading the {kind.plural} …", id="stores")
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
        kind, table = self.KIND, self.query_one("#stores", LiveTable)
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

    # -- which -----------------------------------------------------------------------------------
    def _by_key(self) -> Mapping[object, AnyRow]:
        return {row.key: row for row in self._rows or ()}

    def _chosen(self) -> AnyRow | None:
        """The row under the cursor."""
        return self._by_key().get(self.query_one("#stores", LiveTable).cursor_key)

    def _targets(self) -> list[AnyRow]:
        """What an action is for: the marked ones, else the one under the cursor."""
        table, known = self.query_one("#stores", LiveTable), self._by_key()
        return [known[key] for key in table.marked_keys or (table.cursor_key,) if key in known]

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of volumes and networks."""
        return {
            "stores.open": self._open,
            "stores.create": self._create,
            "stores.remove": self._remove,
            "stores.prune": self._prune,
            "stores.filter": self.query_one(FilterLine).edit,
            "stores.sort": self._sort_next,
            "stores.reverse": lambda: self._sort_by(Sort(self._sort.column, not self._sort.descending)),
            "stores.part": self._next_part,
        }

    @on(LiveTable.RowSelected, "#stores")
    def _row_selected(self) -> None:
        self.action_act("stores.open")

    def _open(self) -> None:
        row = self._chosen()
        if row is None:
            self.tranship.refuse(f"No {self.KIND.word} is selected.")
        else:
            self.open(row)

    def open(self, row: AnyRow) -> None:
        """What Enter does on a row: its facts, where there is no more."""
        del row
        self.set_focus(self.query_one(LinesPane))

    def _remove(self) -> None:
        targets = self._targets()
        if not targets:
            self.tranship.refuse(f"No {self.KIND.word} is selected.")
        for row in targets:
            if not row.removable:
                self.tranship.refuse(store_questions.kept_words(self.KIND, row))
        self._ask_to_remove([row for row in targets if row.removable])

    def _ask_to_remove(self, rows: Sequence[AnyRow]) -> None:
        if not rows:
            return

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self.query_one("#stores", LiveTable).clear_marks()
                self.tranship.commands.stores.remove(rows)

        self.app.push_screen(store_questions.removal(self.KIND, rows), do)

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
            self.app.push_screen(store_questions.engine_choice(title, engines), partial(self._on_engine, engines))

    def _on_engine(self, engines: Sequence[EngineId], chosen: str | None) -> None:
        for engine in engines:
            if engine.name == chosen:
                self._name_it(engine)

    def _name_it(self, engine: EngineId) -> None:
        def do(text: str | None) -> None:
            if text:
                self.tranship.commands.stores.create(engine, self.KIND.spec(text))

        taken = {row.key.name for row in self._rows or () if row.key.engine == engine}
        self.app.push_screen(store_questions.naming(self.KIND, engine, taken), do)

    def _next_part(self) -> None:
        table, facts = self.query_one("#stores"), self.query_one(LinesPane)
        self.set_focus(table if self.focused is facts else facts)

    # -- filter and sort -------------------------------------------------------------------------
    def leave(self) -> None:
        """Escape and q, one thing at a time: the filter, the facts, the marks, then back to the fleet."""
        field, table = self.query_one(FilterLine), self.query_one("#stores", LiveTable)
        if field.display:
            field.drop()
            table.focus()
        elif not table.has_focus:
            table.focus()
        elif table.marked_keys:
            table.clear_marks()
        else:
            super().leave()

    def _sort_next(self) -> None:
        sortable = [one for one in SORTABLE if one in {column.key for column in self.KIND.columns(0)}]
        place = sortable.index(self._sort.column) if self._sort.column in sortable else -1
        self._sort_by(toggled(self._sort, sortable[(place + 1) % len(sortable)]))

    @on(LiveTable.HeaderSelected, "#stores")
    def _header_selected(self, message: LiveTable.HeaderSelected) -> None:
        self._sort_by(toggled(self._sort, message.column))
