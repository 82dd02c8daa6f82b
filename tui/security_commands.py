"""What is risky, asked in workers of `tui.commands`. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.container import Container
from backends.model.errors import BackendError
from tui.image_commands import Work
from tui.security_messages import SecurityJudged

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

Reply = Callable[[Message], object]


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
        from backends.services.security import look_at_all

        try:
            made, engines, errors = await look_at_all(self._fleet(), containers, now=now)
        except BackendError as error:
            made, engines, errors = [], [], [error]
        reply(SecurityJudged(tuple(made), tuple(engines), tuple(errors)))
