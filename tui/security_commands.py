"""What is risky, and which engine serves best, asked in workers of `tui.commands`. Draws nothing."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from backends.model.container import Container
from backends.model.errors import BackendError, NotFound
from tui.security_messages import Advised, SecurityJudged
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.security.finding import ContainerReport, EngineReport, RootlessReport
    from backends.services.fleet import Fleet


class SecurityCommands:
    """Starts workers on behalf of the screens. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def judge(self, containers: Sequence[Container], now: datetime, reply: Reply) -> None:
        """Look at these containers and at their engines: SecurityJudged. A later call takes an earlier one's place."""
        work = partial(self._judge, tuple(containers), now, reply)
        self._work(work, name="security", group="security", exclusive=True)

    async def _judge(self, containers: Sequence[Container], now: datetime, reply: Reply) -> None:
        await asyncio.to_thread(importlib.import_module, "backends.services.rootless")
        from backends.services.rootless import rootless_report
        from backends.services.security import look_at_all

        made: list[ContainerReport] = []
        engines: list[EngineReport] = []
        errors: list[BackendError] = []
        rootless: RootlessReport | None = None
        try:
            fleet = self._fleet()
            made, engines, errors = await look_at_all(fleet, containers, now=now)
            if len(containers) == 1 and made:
                own, views = fleet.engine(made[0].key.engine), fleet.store.view.engines.values()
                rootless = await rootless_report(own, made[0].key.id, views, os.environ)
        except NotFound:
            pass  # it, or its image, went meanwhile: what is known of it stands
        except BackendError as error:
            errors = [error]
        reply(SecurityJudged(tuple(made), tuple(engines), tuple(errors), rootless))

    def look_deeper(
        self, judged: SecurityJudged, reply: Reply, *, signatures: bool = False, scan: bool = False
    ) -> None:
        """The same with signatures verified, or images scanned: SecurityJudged. In the place of what is looked at."""
        work = partial(self._look_deeper, judged, reply, signatures, scan)
        self._work(work, name="security, deeper", group="security", exclusive=True)

    async def _look_deeper(self, judged: SecurityJudged, reply: Reply, signatures: bool, scan: bool) -> None:
        await asyncio.to_thread(importlib.import_module, "backends.services.deeper")
        from backends.services.deeper import with_scans, with_signatures

        made = list(judged.containers)
        try:
            made = await with_signatures(self._fleet(), made) if signatures else made
            made = await with_scans(self._fleet(), made) if scan else made
        except BackendError as error:
            reply(SecurityJudged(judged.containers, judged.engines, (error,), judged.rootless))
            return
        reply(SecurityJudged(tuple(made), judged.engines, (), judged.rootless))

    def advise(self, container: Container, reply: Reply) -> None:
        """Look which engine serves a container: Advised. A later call takes the place of an earlier one."""
        work = partial(self._advise, container, reply)
        self._work(work, name=f"advice {container.key.short}", group="advice", exclusive=True)

    async def _advise(self, container: Container, reply: Reply) -> None:
        await asyncio.to_thread(importlib.import_module, "backends.services.advice")
        from backends.services.advice import advise_on

        try:
            reply(Advised(await advise_on(self._fleet(), container, os.environ)))
        except BackendError as error:
            reply(Advised(None, error))
