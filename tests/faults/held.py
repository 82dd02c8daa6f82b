"""What this process holds when nothing is under way, and whether that grows. Drives nothing. Holds no test."""

from __future__ import annotations

import asyncio
import gc
import statistics
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psutil

from tests.faults.scene import descriptors

MIB = 1 << 20
ALLOWED = {"memory, MiB": 8.0, "objects, thousands": 10.0, "descriptors": 3.0, "threads": 2.0, "tasks": 2.0}
"""By so much may the end be above the beginning."""
PARTS = 5
ENOUGH = 2 * PARTS
"""So many rests make a judgement: of two a part the median is no single moment's."""

Reading = dict[str, float]


class Work:
    """What is under way, and a rest from it: `rest` waits until each `piece` has ended, and lets none begin."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._done = asyncio.Condition()
        self._under_way = 0

    @asynccontextmanager
    async def piece(self) -> AsyncIterator[None]:
        """Begins once there is no rest."""
        await self._open.wait()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            async with self._done:
                self._done.notify_all()

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[None]:
        """Nothing is under way within."""
        self._open.clear()
        try:
            async with self._done:
                await self._done.wait_for(lambda: self._under_way == 0)
            yield
        finally:
            self._open.set()


@dataclass
class Held:
    """rests: the lowest figures of each rest, in order. most: the highest ever. tasks: by rest, which there were."""

    rests: list[Reading] = field(default_factory=list)
    most: Reading = field(default_factory=dict)
    tasks: list[Counter[str]] = field(default_factory=list)

    def look(self) -> Reading:
        """A reading of this process as it is now."""
        now = {
            "memory, MiB": psutil.Process().memory_info().rss / MIB,
            "descriptors": float(descriptors()),
            "threads": float(threading.active_count()),
            "tasks": float(len(asyncio.all_tasks())),
        }
        self.most = {what: max(value, self.most.get(what, 0.0)) for what, value in now.items()}
        return now

    async def rest(self, seconds: float, every_s: float = 0.5) -> Reading:
        """Look all that time, in which nothing may be under way; what was held all the while is kept."""
        lowest, tasks = self.look(), _tasks()
        for _ in range(int(seconds / every_s)):
            await asyncio.sleep(every_s)
            now = self.look()
            lowest = {what: min(value, lowest[what]) for what, value in now.items()}
            tasks &= _tasks()
        gc.unfreeze()
        gc.collect()
        gc.unfreeze()  # an app that is tidied has left out what was found alive
        lowest["objects, thousands"] = len(gc.get_objects()) / 1000
        self.rests.append(lowest)
        self.tasks.append(tasks)
        return lowest

    def part(self, number: int, what: str) -> float:
        """The median of a fifth of the rests, 0…4."""
        size = len(self.rests) / PARTS
        return statistics.median(one[what] for one in self.rests[round(number * size) : round((number + 1) * size)])

    def grown(self) -> list[str]:
        """What is not flat: the last fifth against the second, for in the first all is met for the first time."""
        if len(self.rests) < ENOUGH:
            return [f"{len(self.rests)} rests are too few to tell: {ENOUGH} are needed"]
        grown = [
            f"{what}: {self.part(1, what):.1f} → {self.part(PARTS - 1, what):.1f}"
            for what, allowed in ALLOWED.items()
            if self.part(PARTS - 1, what) - self.part(1, what) > allowed
        ]
        more = self.tasks[-1] - self.tasks[len(self.tasks) // PARTS]
        return [*grown, f"tasks more at the end: {dict(more)}"] if grown and more else grown

    def table(self) -> list[str]:
        """As Markdown. At least ENOUGH rests."""
        lines = ["| at rest | second fifth | third | last | most under way |", "|---|---:|---:|---:|---:|"]
        for what in ALLOWED:
            parts = " | ".join(f"{self.part(part, what):.0f}" for part in (1, 2, PARTS - 1))
            lines.append(f"| {what} | {parts} | {f'{self.most[what]:.0f}' if what in self.most else ''} |")
        return lines


def _tasks() -> Counter[str]:
    """How many tasks of each coroutine there are."""
    return Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())


__all__ = ["ENOUGH", "Held", "Work"]
