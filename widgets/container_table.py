"""The fleet's containers as one table: shows a FleetView, tells what the cursor is on. Acts on nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from itertools import takewhile

from textual.message import Message

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from widgets.column_choice import USUAL, ColumnChoice, arranged
from widgets.container_rows import (
    HEADING,
    NO_LIGHT,
    GpuLight,
    Group,
    Sort,
    columns_for,
    empty_lines,
    gpu_cells,
    rows_of,
    widths_of,
)
from widgets.engine_badge import badges
from widgets.live_table import HEADER_LINES, LiveTable
from widgets.text import width_of

_NO_GPUS = ColumnChoice(hidden=frozenset({"gpu", "gpu_memory", "gpu_percent"}))
"""What stands where there is no GPU and nobody chose columns: three columns of dashes say nothing."""


class ContainerTable(LiveTable):
    """Containers of every engine. Keys of its rows are ContainerKeys."""

    class InSight(Message):
        """Other containers than before are in sight, or under the cursor."""

        def __init__(self, keys: frozenset[ContainerKey]) -> None:
            super().__init__()
            self.keys = keys

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            columns_for(badge_width=0, gpus=False),
            empty="Looking for engines …",
            name=name,
            id=id,
            classes=classes,
        )
        self._told: frozenset[ContainerKey] = frozenset()
        self._measured: Mapping[ContainerKey, Container] | None = None
        self._widths: Mapping[str, int] = {}
        self._gpu_cells = 0
        self._awaited: tuple[ContainerKey, Hashable | None] | None = None  # its row; where the cursor was when asked

    def await_row(self, key: ContainerKey) -> None:
        """Put the cursor on this container's row as soon as there is one, unless a person moves it before."""
        self._awaited = (key, self.cursor_key)
        self._take_awaited()

    def _take_awaited(self) -> None:
        if self._awaited is None:
            return
        key, before = self._awaited
        stayed = self.cursor_key == before or before not in {row.key for row in self.rows}
        if stayed and all(row.key != key for row in self.rows):
            return
        self._awaited = None
        if stayed:
            self.move_to(key)

    def show(
        self,
        view: FleetView,
        *,
        filter: str = "",
        sort: Sort | None = None,
        group: Group = "none",
        now: datetime,
        light: GpuLight = NO_LIGHT,
        columns: ColumnChoice = USUAL,
    ) -> None:
        """Show the fleet as it is now. filter: words as container_filter reads them; sort: None = by name.

        light: which GPU's containers are marked, and which are called idle. columns: those to show, in which order.
        """
        sort = sort or Sort()
        named = badges(view.engines.values())
        # Until it is told that there are none, their columns keep their place: rows that jump are hard to read.
        gpus = not view.gpus.absent or any(
            container.gpus_given and container.state.alive for container in view.containers.values()
        )
        if view.containers is not self._measured:
            self._measured, self._widths = view.containers, widths_of(view)
        badge_width = max(map(width_of, named.values()), default=0)
        rows = rows_of(view, filter=filter, sort=sort, group=group, now=now, light=light)
        self._gpu_cells = max(self._gpu_cells, gpu_cells(rows))  # never narrower: a column that jumps is hard to read
        if columns == USUAL and not gpus:
            columns = _NO_GPUS
        widths = {**self._widths, "gpu": self._gpu_cells}
        self.set_columns(arranged(columns_for(badge_width=badge_width, gpus=gpus, widths=widths), columns))
        self.set_sort(sort.column, sort.descending)
        self.show_rows(rows, empty=None if rows else empty_lines(view, filter=filter, total=len(view.containers)))
        self._take_awaited()
        self._tell_in_sight()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual's hook: scrolled, whoever did it."""
        super().watch_scroll_y(old_value, new_value)
        self._tell_in_sight()

    def on_resize(self) -> None:
        """More or fewer rows are in sight."""
        self._tell_in_sight()

    def _tell_in_sight(self) -> None:
        first = self.scroll_offset.y
        rows = self.rows[first : first + max(1, self.size.height - HEADER_LINES)]
        keys = frozenset(key for key in (self.cursor_key, *(row.key for row in rows)) if isinstance(key, ContainerKey))
        if keys != self._told:
            self._told = keys
            self.post_message(self.InSight(keys))

    @property
    def selected(self) -> ContainerKey | None:
        """The container under the cursor."""
        key = self.cursor_key
        return key if isinstance(key, ContainerKey) else None

    @property
    def marked(self) -> tuple[ContainerKey, ...]:
        """The marked containers, in the order in which they were marked."""
        return tuple(key for key in self.marked_keys if isinstance(key, ContainerKey))

    @property
    def targets(self) -> tuple[ContainerKey, ...]:
        """What an action is for: the marked ones, else the one under the cursor, or the group whose header it is."""
        if self.marked:
            return self.marked
        return (self.selected,) if self.selected is not None else self.members

    @property
    def group(self) -> str:
        """The name of the group whose header is under the cursor, "" where it is on a row."""
        key = self.cursor_key
        return str(key[2]) if isinstance(key, tuple) and len(key) == 3 and key[0] == HEADING else ""

    @property
    def members(self) -> tuple[ContainerKey, ...]:
        """The containers shown of the group whose header is under the cursor."""
        if not self.group:
            return ()
        place = next(index for index, row in enumerate(self.rows) if row.key == self.cursor_key)
        below = takewhile(lambda row: not row.heading, self.rows[place + 1 :])
        return tuple(row.key for row in below if isinstance(row.key, ContainerKey))

    @property
    def shown_count(self) -> int:
        """Rows after the filter, without group headers."""
        return sum(not row.heading for row in self.rows)
