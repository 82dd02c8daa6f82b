"""What a person asked for about logs, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from backends.model.errors import BackendError
from backends.model.ids import ContainerKey
from tui.messages import LogEnded, LogLinesArrived, LogSaved, LogSearched, OlderLinesRead
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.log_flow import LogEnd, LogPlace
    from backends.services.log_pages import LogPages

LOG_TAIL = 1_000  # lines of each log shown from before the screen was opened


class LogCommands:
    """Starts workers on behalf of the log screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def follow(
        self,
        keys: Sequence[ContainerKey],
        reply: Reply,
        *,
        tail: int = LOG_TAIL,
        since: datetime | None = None,
        after: Mapping[ContainerKey, LogPlace] | None = None,
    ) -> Worker[None]:
        """Follow logs until the worker is cancelled or all have ended (LogEnded for each).

        since: only lines from then on. after: by container, how far it was read: it goes on where an earlier stream
        ended.
        """
        work = partial(self._follow, tuple(keys), reply, tail, since, after)
        return self._work(work, name=f"logs of {len(keys)} containers", group="log")

    async def _follow(
        self,
        keys: Sequence[ContainerKey],
        reply: Reply,
        tail: int,
        since: datetime | None,
        after: Mapping[ContainerKey, LogPlace] | None,
    ) -> None:
        from backends.services.log_flow import LogFlow

        def ended(end: LogEnd) -> None:
            reply(LogEnded(end.container, end.error, end.last))

        fleet = self._fleet()
        sources = []
        for key in keys:
            try:
                sources.append((key, fleet.engine(key.engine)))
            except BackendError as error:
                reply(LogEnded(key, error))
        flow = LogFlow(sources, tail=tail, since=since, after=after)
        await flow.run(lambda batch: reply(LogLinesArrived(batch)), ended)

    def pages(self, keys: Sequence[ContainerKey], since: datetime | None) -> LogPages | None:
        """The way up in these logs; None where an engine is not there, which following them says."""
        from backends.services.log_pages import LogPages

        try:
            fleet = self._fleet()
            return LogPages([(key, fleet.engine(key.engine)) for key in keys], since)
        except BackendError:
            return None

    def older(self, pages: LogPages, reply: Reply) -> None:
        """Read one page more: OlderLinesRead."""
        self._work(partial(self._older, pages, reply), name="older log lines", group="log pages", exclusive=True)

    async def _older(self, pages: LogPages, reply: Reply) -> None:
        try:
            lines = await pages.older()
        except BackendError as error:
            reply(OlderLinesRead(pages, (), error=error))
            return
        reply(OlderLinesRead(pages, tuple(lines), ended=pages.ended))

    def search(self, search: Callable[[str], Coroutine[Any, Any, int]], text: str, reply: Reply) -> None:
        """Search a log that may be long, without holding up the keys: LogSearched."""
        self._work(partial(self._search, search, text, reply), name="search", group="search", exclusive=True)

    async def _search(self, search: Callable[[str], Coroutine[Any, Any, int]], text: str, reply: Reply) -> None:
        reply(LogSearched(text, await search(text)))

    def lay_out(self, lay_out: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Lay a log that may be long out anew, without holding up the keys; a later one replaces an earlier one."""
        self._work(lay_out, name="lay the log out", group="lay out", exclusive=True)

    def save(self, path: Path, lines: Sequence[str], reply: Reply) -> None:
        """Write lines into a new file: LogSaved. A file that is there is not touched."""
        self._work(partial(self._save, path, lines, reply), name=f"save {path}", group="save log")

    async def _save(self, path: Path, lines: Sequence[str], reply: Reply) -> None:
        from backends.new_file import write_new

        await asyncio.to_thread(write_new, path, "the log", (f"{line}\n" for line in lines))
        reply(LogSaved(path, len(lines)))
