"""The audit trail, read and proved in a worker of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.errors import BackendError
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.services.audit_query import Entry
    from backends.services.audit_read import Verified
    from widgets.live_table import Row

SHOWN = 2_000
"""The newest lines, which the screen shows; `tranship audit` lists all."""


@dataclass
class AuditRead(Message):
    """The trail was read.

    entries: the newest, newest first. words: of each, what a filter looks in, in small letters. rows: of each, ready to
    be shown, since making thousands would hold keys up. verified: the proof, of all lines; None where it could not be
    read, with the reason.
    """

    entries: list[Entry] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    verified: Verified | None = None
    error: BackendError | None = None


class AuditCommands:
    """state_dir: where the trail lies."""

    def __init__(self, work: Work, state_dir: Path) -> None:
        self._work = work
        self._path = state_dir / "audit.jsonl"

    def read(self, reply: Reply) -> None:
        """Read and prove it: AuditRead. A later call takes the place of an earlier one."""
        self._work(partial(self._read, reply), name="audit trail", group="audit", exclusive=True)

    async def _read(self, reply: Reply) -> None:
        reply(await asyncio.to_thread(_read, self._path))


def _read(path: Path) -> AuditRead:
    from backends.services.audit_query import text
    from backends.services.audit_read import read
    from tui.screens.audit_lines import entry_row

    try:
        entries, verified = read(path, most=SHOWN)
    except BackendError as error:
        return AuditRead(error=error)
    entries.reverse()
    rows = [entry_row(place, entry) for place, entry in enumerate(entries)]
    return AuditRead(entries, [text(entry) for entry in entries], rows, verified)
