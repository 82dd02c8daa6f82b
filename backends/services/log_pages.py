"""Older pages of logs, read on demand as one goes up: from the end backwards, never from the beginning. Keeps no log.

Both engines cut to the last lines first and by time second. So a page is asked for as "the last N lines, but only up to
the oldest known one": the engine reads N lines from the end and sends those that are missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backends.engine import Engine
from backends.model.container import LogLine
from backends.model.ids import ContainerKey
from backends.services.log_flow import TURN_LINES, Sourced

PAGE_LINES = 2_000
_TRIES = 3  # a log that grows meanwhile hides its older lines behind new ones: asked again for twice as many


@dataclass(slots=True)
class _Place:
    """How far up one log is known. seen: lines received so far; ties: those of them of just the oldest moment."""

    engine: Engine
    seen: int = 0
    oldest: datetime | None = None
    ties: int = 0
    held: deque[LogLine] = field(default_factory=deque)  # read and not shown yet, oldest first
    exhausted: bool = False

    def takes(self, line: LogLine) -> None:
        """A line that was received in whichever order."""
        self.seen += 1
        if line.at is None:
            return
        if self.oldest is None or line.at < self.oldest:
            self.oldest, self.ties = line.at, 1
        elif line.at == self.oldest:
            self.ties += 1


class LogPages:
    """The way up from what is shown of one or more logs, at most to `since`."""

    def __init__(self, sources: Sequence[tuple[ContainerKey, Engine]], since: datetime | None = None) -> None:
        self._since = since
        self._places = {key: _Place(engine) for key, engine in sources}

    def know(self, lines: Iterable[Sourced], left_out: Iterable[tuple[ContainerKey, int]] = ()) -> None:
        """Lines that were received from the flow, and how many were left out of it."""
        for key, line in lines:
            self._places[key].takes(line)
        for key, count in left_out:
            self._places[key].seen += count

    def hold(self, lines: Iterable[Sourced]) -> None:
        """Lines of the flow that belong to an older page."""
        for key, line in lines:
            self._places[key].takes(line)
            self._places[key].held.append(line)

    @property
    def ended(self) -> bool:
        """Whether the beginning of every log is reached."""
        return all(one.exhausted and not one.held for one in self._places.values())

    async def older(self, count: int = PAGE_LINES) -> list[Sourced]:
        """The lines above what is known, oldest first; about `count` of each log, none where all begin here.

        Raises the engine's errors; what was read before stays for the next call.
        """
        for key, place in self._places.items():
            if not place.held and not place.exhausted:
                await self._fill(key, place, count)
        # Above the oldest line held of a log that has more, lines of that one may be missing.
        horizons = [one.held[0].at for one in self._places.values() if one.held and not one.exhausted]
        horizon = max((at for at in horizons if at is not None), default=None)
        found: list[Sourced] = []
        for key, place in self._places.items():
            kept: deque[LogLine] = deque()
            while place.held and horizon is not None:
                at = place.held[0].at
                if at is None or at >= horizon:
                    break
                kept.append(place.held.popleft())
            found.extend((key, line) for line in place.held)
            place.held = kept
        return sorted(found, key=lambda sourced: sourced[1].at.timestamp() if sourced[1].at else 0.0)

    async def _fill(self, key: ContainerKey, place: _Place, count: int) -> None:
        if place.oldest is None:
            place.exhausted = True  # it has said nothing
            return
        asked = place.seen + count
        for _ in range(_TRIES):
            lines: list[LogLine] = []
            async with place.engine.logs(
                key.id, tail=asked, timestamps=True, since=self._since, until=place.oldest
            ) as stream:
                async for line in stream:
                    lines.append(line)
                    if len(lines) % TURN_LINES == 0:
                        await asyncio.sleep(0)
            missing = _above(lines, place.oldest, place.ties)
            if missing:
                for line in missing:
                    place.takes(line)
                place.held.extend(missing)
                return
            asked *= 2
        place.exhausted = True


def _above(lines: Sequence[LogLine], oldest: datetime, ties: int) -> list[LogLine]:
    """Those of a page (oldest first) that are not known yet."""
    above = [line for line in lines if line.at is None or line.at < oldest]
    same = [line for line in lines if line.at == oldest]
    return above + same[: max(0, len(same) - ties)]
