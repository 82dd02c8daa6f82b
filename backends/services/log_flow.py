"""Follows the logs of several containers as one, in batches that a screen can take. Knows no screen, keeps no log.

A log that grows faster than a person can read is not lagged behind: when too many lines wait, all but the newest of
them are left out, and how many is said. A burst that fits is handed on whole.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backends.engine import Engine
from backends.model.container import LogLine
from backends.model.errors import BackendError
from backends.model.ids import ContainerKey

FRAME_S = 0.1  # batches are so far apart
FRAME_LINES = 500  # lines of one batch: what a screen takes in less than 5 ms
WAITING_LINES = 20_000  # a burst of so many is handed on whole; more, and all but the newest frame's are left out
FLOODED_LINES = 2_000  # so many wait while a flood goes on: 20,000 forgotten at once would hold a key up
TURN_LINES = 250  # lines read before others get their turn: about 1 ms
_PAUSE_S = 0.002  # and for how long: a key needs many turns of the loop until what it did is drawn
_QUIET_S = 0.15  # a log from which nothing came for so long has given its tail
_FIRST_S = 2.0  # so long the first batch of several logs waits for the slowest

Sourced = tuple[ContainerKey, LogLine]


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines in the order of their times. left_out: how many of each log came before these and are not handed on.

    early: lines of the tails that are older than what other logs' tails reach back to; they belong to an older page.
    """

    lines: tuple[Sourced, ...]
    left_out: Mapping[ContainerKey, int] = field(default_factory=dict)
    early: tuple[Sourced, ...] = ()


@dataclass(frozen=True, slots=True)
class LogPlace:
    """How far a log was read: the time of its last line, and how many lines of just that time were read."""

    at: datetime
    lines: int


@dataclass(frozen=True, slots=True)
class LogEnd:
    """A log ended: by its engine, or by an error. last: how far it was read, None where not at all."""

    container: ContainerKey
    error: BackendError | None
    last: LogPlace | None


@dataclass(slots=True)
class _Source:
    key: ContainerKey
    engine: Engine
    last: LogPlace | None  # how far it is read
    known: int = 0  # lines of just that time that were read before this flow and come again
    taken: int = 0
    heard_at: float = 0.0
    ended: bool = False

    def __post_init__(self) -> None:
        self.known = self.last.lines if self.last is not None else 0

    def is_news(self, at: datetime) -> bool:
        """Whether a line of this time was not read before; it is from now on."""
        if self.last is None or at > self.last.at:
            self.last, self.known = LogPlace(at, 1), 0
            return True
        if at < self.last.at:
            return self.taken > 0  # else from before this flow; in the midst of it, a clock that was set back
        if self.known:
            self.known -= 1
            return False
        self.last = LogPlace(at, self.last.lines + 1)
        return True


class LogFlow:
    """One reading of one or more logs; `run` is called once.

    tail: how many last lines of each come first. after: by container, how far it was read before.
    since: only lines from then on.
    """

    def __init__(
        self,
        sources: Sequence[tuple[ContainerKey, Engine]],
        *,
        tail: int,
        since: datetime | None = None,
        after: Mapping[ContainerKey, LogPlace] | None = None,
    ) -> None:
        places = {key: (after or {}).get(key) for key, _ in sources}
        self._sources = [_Source(key, engine, places[key]) for key, engine in sources]
        self._tail, self._since = tail, since
        self._waiting: deque[Sourced] = deque()
        self._left_out: dict[ContainerKey, int] = {}
        self._most = WAITING_LINES
        self._ends: list[LogEnd] = []
        self._first = len(sources) > 1
        self._began_at = 0.0

    async def run(self, hand_on: Callable[[LogBatch], object], ended: Callable[[LogEnd], object]) -> None:
        """Hand on until every log has ended."""
        loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        readers = [asyncio.create_task(self._read(one), name=f"log of {one.key.short}") for one in self._sources]
        try:
            while True:
                running = [one for one in readers if not one.done()]
                if running:
                    await asyncio.wait(running, timeout=FRAME_S, return_when=asyncio.FIRST_COMPLETED)
                if self._first and running and not self._tails_are_there(loop.time()):
                    continue
                self._hand_on(hand_on)
                if not self._waiting:
                    while self._ends:
                        ended(self._ends.pop(0))
                    if not running:
                        break
                elif not running:
                    await asyncio.sleep(FRAME_S)
            for reader in readers:
                reader.result()  # a bug in a reader is not swallowed
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    def _tails_are_there(self, now: float) -> bool:
        """Whether each log has given its tail, so that they can be put in order."""
        late = now - self._began_at > _FIRST_S
        return late or all(
            one.ended or one.taken >= self._tail or (one.heard_at and now - one.heard_at > _QUIET_S)
            for one in self._sources
        )

    def _hand_on(self, hand_on: Callable[[LogBatch], object]) -> None:
        if not self._waiting:
            self._most = WAITING_LINES  # what came was shown: it is no flood, or no more
            return
        early: list[Sourced] = []
        if self._first:
            self._first = False
            early, shown = self._split(sorted(self._waiting, key=_moment))
            self._waiting = deque(shown)
        count = min(len(self._waiting), FRAME_LINES)
        lines = sorted([self._waiting.popleft() for _ in range(count)], key=_moment)
        left_out, self._left_out = self._left_out, {}
        hand_on(LogBatch(tuple(lines), left_out, tuple(early)))

    def _split(self, lines: list[Sourced]) -> tuple[list[Sourced], list[Sourced]]:
        """(too early to be shown, shown): below the oldest line of a full tail another log's lines may be missing."""
        oldest: dict[ContainerKey, datetime] = {}
        for key, line in lines:
            if line.at is not None:
                oldest.setdefault(key, line.at)
        full = [oldest[one.key] for one in self._sources if one.taken >= self._tail and one.key in oldest]
        if not full:
            return [], lines
        horizon = max(full)
        place = next((n for n, (_, line) in enumerate(lines) if line.at is not None and line.at >= horizon), 0)
        return lines[:place], lines[place:]

    async def _read(self, source: _Source) -> None:
        loop = asyncio.get_running_loop()
        error: BackendError | None = None
        try:
            before = source.last.at if source.last is not None else None
            since = max((one for one in (self._since, before) if one is not None), default=None)
            async with source.engine.logs(
                source.key.id, follow=True, tail=self._tail, timestamps=True, since=since
            ) as lines:
                source.heard_at = loop.time()
                async for line in lines:
                    source.heard_at = loop.time()
                    if line.at is None or source.is_news(line.at):
                        self._take(source, line)
                    if source.taken % TURN_LINES == 0:
                        await asyncio.sleep(_PAUSE_S)
        except BackendError as caught:
            error = caught
        source.ended = True
        self._ends.append(LogEnd(source.key, error, source.last))

    def _take(self, source: _Source, line: LogLine) -> None:
        source.taken += 1
        self._waiting.append((source.key, line))
        if len(self._waiting) > self._most:
            self._most = FLOODED_LINES
            newest = [self._waiting.pop() for _ in range(FRAME_LINES)]
            # By the id's text, whose hash is kept: thousands of them are counted in a millisecond or two.
            counts = Counter(key.id for key, _ in self._waiting)
            for one in self._sources:
                if count := counts.get(one.key.id):
                    self._left_out[one.key] = self._left_out.get(one.key, 0) + count
            self._waiting = deque(reversed(newest))


def _moment(sourced: Sourced) -> float:
    at = sourced[1].at
    return at.timestamp() if at is not None else 0.0
