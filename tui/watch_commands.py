"""What a person asked to see of a container, asked in workers of `tui.commands`. Draws nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.events import EngineEvent
from backends.model.ids import ContainerKey
from backends.model.service_link import LinkReport
from tui.messages import ChangesSeen, LinkOpened, LinksFound, ProcessesSeen
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


class WatchCommands:
    """Starts workers on behalf of the screens. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def find_links(self, container: Container, reply: Reply) -> None:
        """Look for a container's links: LinksFound."""
        work = partial(self._find_links, container, reply)
        self._work(work, name=f"links of {container.key.short}", group="links", exclusive=True)

    async def _find_links(self, container: Container, reply: Reply) -> None:
        from tui.ground import ground_here

        try:
            from backends.services.links import find_links

            engine = self._fleet().engine(container.key.engine)
            reply(LinksFound(await find_links(engine, container, ground_here(engine.endpoint))))
        except BackendError as error:
            reply(LinksFound(LinkReport(), error))

    def processes(self, key: ContainerKey, reply: Reply) -> Worker[None]:
        """Ask for a container's processes: ProcessesSeen."""
        work = partial(self._processes, key, reply)
        return self._work(work, name=f"processes {key.short}", group="top", exclusive=True)

    async def _processes(self, key: ContainerKey, reply: Reply) -> None:
        try:
            reply(ProcessesSeen(key, await self._fleet().engine(key.engine).processes(key.id)))
        except BackendError as error:
            reply(ProcessesSeen(key, error=error))

    def changes(self, key: ContainerKey, reply: Reply) -> None:
        """Ask what a container has changed of its image's files, which may take a while: ChangesSeen."""
        self._work(partial(self._changes, key, reply), name=f"changes {key.short}", group="changes", exclusive=True)

    async def _changes(self, key: ContainerKey, reply: Reply) -> None:
        try:
            reply(ChangesSeen(key, await self._fleet().engine(key.engine).changed_paths(key.id)))
        except BackendError as error:
            reply(ChangesSeen(key, error=error))

    def series(self, key: ContainerKey) -> Mapping[str, Sequence[float | None]]:
        """What the container took lately, by field; empty before the engines are known."""
        try:
            return self._fleet().history.series(key)
        except BackendError:
            return {}

    def events(self) -> tuple[int, Sequence[EngineEvent]]:
        """How many events ever came, and the last ones, oldest first; none before the engines are known."""
        try:
            feed = self._fleet().events
        except BackendError:
            return 0, ()
        return feed.total, tuple(feed.kept)

    def open_address(self, address: str, reply: Reply) -> None:
        """Ask a browser to open it: LinkOpened."""
        self._work(partial(self._open_address, address, reply), name="open a browser", group="browser")

    async def _open_address(self, address: str, reply: Reply) -> None:
        from tui.browser import open_address

        reply(LinkOpened(await asyncio.to_thread(open_address, address, dict(os.environ))))
