"""How many idle copies an engine holds: one after the other until memory runs low or starts take twice as long.

All of them are removed at the end, whatever happens. May not know which engine it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from backends.cgroups.parse import number
from backends.cgroups.processes import field_of
from backends.model.trial import Density
from backends.model.values import Missing
from backends.trial.ready import until_ready
from backends.trial.rounds import ELSEWHERE, Bench, create_copy, discard

LEAST_FREE = 0.1
"""Of the machine's memory: with less than that available no further copy is started."""
FIRST = 3
"""Starts whose median is the measure for the later ones, of which the median of as many has to be twice as long."""


async def pack(bench: Bench, most: int, say: Callable[[str], None]) -> Density:
    """Start copies, `most` of them at the utmost. Raises what the engine raises."""
    starts: list[float] = []
    before = await asyncio.to_thread(_available)
    reason = f"{most} were asked for"
    try:
        while len(starts) < most:
            say(f"copy {len(starts) + 1}")
            begun = time.monotonic()
            made = await create_copy(bench)
            await bench.engine.start(made)
            await until_ready(bench.engine, made, bench.request, bench.by, bench.ports)
            starts.append(time.monotonic() - begun)
            free, total = await asyncio.to_thread(_available)
            if bench.local and free < LEAST_FREE * total:
                reason = "the machine's memory runs low"
                break
            if len(starts) >= 2 * FIRST and median(starts[-FIRST:]) > 2 * median(starts[:FIRST]):
                reason = "starts take twice as long as at first"
                break
        after = await asyncio.to_thread(_available)
    finally:
        for container in sorted(bench.made):
            await discard(bench, container)
    each = ELSEWHERE if not bench.local else _each(before[0], after[0], len(starts))
    return Density(bench.engine.id, len(starts), reason, starts[0], starts[-1], each)


def _each(before: int, after: int, copies: int) -> float | Missing:
    if after >= before:
        return Missing("other programs gave more memory back than the copies took")
    return (before - after) / copies


def _available() -> tuple[int, int]:
    """Bytes of memory for new processes, and of the whole machine."""
    text = Path("/proc/meminfo").read_bytes()
    free, total = (number(field_of(text, key).removesuffix(b"kB")) for key in (b"MemAvailable", b"MemTotal"))
    return (free or 0) * 1024, (total or 0) * 1024


__all__ = ["pack"]
