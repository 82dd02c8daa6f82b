"""The fleet's containers as one table: shows a FleetView, tells what the cursor is on. Acts on nothing."""

from __future__ import annotations

from datetime import datetime

from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from widgets.container_rows import Group, Sort, columns_for, empty_lines, rows_of
from widgets.engine_badge import badges
from widgets.live_table import LiveTable
from widgets.text import width_of


class ContainerTable(LiveTable):
    """Containers of every engine. Keys of its rows are ContainerKeys."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            columns_for(badge_width=0, gpus=False),
            empty="Looking for engines …",
            name=name,
            id=id,
            classes=classes,
        )

    def show(
        self,
        view: FleetView,
        *,
        filter: str = "",
        sort: Sort | None = None,
        group: Group = "none",
        now: datetime,
    ) -> None:
        """Show the fleet as it is now. filter: words as container_filter reads them; sort: None = by name."""
        sort = sort or Sort()
        named = badges(view.engines.values())
        gpus = bool(view.gpus.readings) or any(
            container.gpus_given and container.state.alive for container in view.containers.values()
        )
        self.set_columns(columns_for(badge_width=max(map(width_of, named.values()), default=0), gpus=gpus))
        self.set_sort(sort.column, sort.descending)
        rows = rows_of(view, filter=filter, sort=sort, group=group, now=now)
        self.show_rows(rows, empty=None if rows else empty_lines(view, filter=filter, total=len(view.containers)))

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
        """What an action is for: the marked ones, else the one under the cursor."""
        if self.marked:
            return self.marked
        return (self.selected,) if self.selected is not None else ()

    @property
    def shown_count(self) -> int:
        """Rows after the filter, without group headers."""
        return sum(not row.heading for row in self.rows)
