"""Moves that were cut off, by a crash or by a rollback that could not do all, in words. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from backends.migration.journal import Effect, Record, Status, list_journals

_STARTED_TOLERANCE_S = 2.0  # the journal's time is in whole seconds


def is_at_work(record: Record) -> bool:
    """Whether the process that runs this move still lives; a later process with the same number is another one."""
    import psutil

    try:
        begun = psutil.Process(record.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return bool(begun <= datetime.fromisoformat(record.started_at).astimezone(UTC).timestamp() + _STARTED_TOLERANCE_S)


def select(records: Iterable[Record], at_work: Callable[[Record], bool]) -> list[Record]:
    """Those of which something is left: cut off, or partly undone."""
    return [
        record
        for record in records
        if record.status is Status.PARTLY_UNDONE or (record.status is Status.RUNNING and not at_work(record))
    ]


async def unfinished(state_dir: Path) -> list[Record]:
    """All moves of which something is left, oldest first. Raises Protocol where a journal cannot be read."""
    records = await list_journals(state_dir)
    return await asyncio.to_thread(select, records, is_at_work)


def sentence(record: Record) -> str:
    """What happened, and what may be left of it."""
    how = "was cut off" if record.status is Status.RUNNING else "could not be taken back wholly"
    made = [
        f"{entry.effect} {entry.name}"
        for entry in record.entries
        if entry.effect in {Effect.CONTAINER, Effect.VOLUME, Effect.TAG, Effect.IMAGE}
    ]
    words = [f"the move of {record.container_name} from {record.source} to {record.target} {how} ({record.id})"]
    words.append(f"it may have left {', '.join(made)} on {record.target}" if made else "it made nothing")
    if any(entry.effect is Effect.STOP_SOURCE for entry in record.entries):
        words.append(f"{record.container_name} on {record.source} may stand still")
    return "; ".join(words)


def next_step(record: Record) -> str:
    """The command that takes it back."""
    return f"tranship migrate {record.container_name} --undo removes what it made and starts the source again"
