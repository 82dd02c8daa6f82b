"""The schedules of this account, read and taken away in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.errors import BackendError
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.schedule.install import Installed


@dataclass
class SchedulesRead(Message):
    """What is scheduled now. error: why it could not be read, or taken away."""

    found: tuple[Installed, ...] = ()
    error: BackendError | None = None


class ScheduleCommands:
    """Asks systemd and cron of this machine; no engine."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def read(self, reply: Reply) -> None:
        """All of this account: SchedulesRead. A later call takes the place of an earlier one."""
        self._work(partial(self._read, reply, None), name="schedules", group="schedules", exclusive=True)

    def remove(self, one: Installed, reply: Reply) -> None:
        """Take one away; its backups stay: SchedulesRead, without it."""
        work = partial(self._read, reply, one)
        self._work(work, name=f"remove the schedule of {one.schedule.name}", group="schedules")

    async def _read(self, reply: Reply, gone: Installed | None) -> None:
        from backends.schedule import install
        from backends.services import schedule_removal

        try:
            where = await asyncio.to_thread(install.folder)
            amiss = None
            if gone is not None:
                _, amiss = await schedule_removal.remove(gone.schedule.name, gone.schedule.engine, where)
            reply(SchedulesRead(tuple(await asyncio.to_thread(install.installed, where))))
            if amiss is not None:
                reply(SchedulesRead(error=amiss))
        except BackendError as error:
            reply(SchedulesRead(error=error))


__all__ = ["ScheduleCommands", "SchedulesRead"]
