"""The chosen columns, read and kept in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.messages import ColumnsRead
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from widgets.column_choice import ColumnChoice


class ColumnCommands:
    """state_dir: where the choice is kept."""

    def __init__(self, work: Work, state_dir: Path) -> None:
        self._work = work
        self._state_dir = state_dir
        self._turn = asyncio.Lock()  # the file is that of the last choice

    def read(self, reply: Reply) -> None:
        """Read the choice (ColumnsRead)."""
        self._work(partial(self._read, reply), name="read the chosen columns", group="columns")

    async def _read(self, reply: Reply) -> None:
        from tui.kept_columns import read_columns

        reply(ColumnsRead(await asyncio.to_thread(read_columns, self._state_dir)))

    def keep(self, choice: ColumnChoice) -> None:
        """Keep the choice for the next start."""
        self._work(partial(self._keep, choice), name="keep the chosen columns", group="columns")

    async def _keep(self, choice: ColumnChoice) -> None:
        from tui.kept_columns import keep_columns

        async with self._turn:
            await asyncio.to_thread(keep_columns, self._state_dir, choice)
