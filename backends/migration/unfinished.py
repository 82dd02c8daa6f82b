"""Moves that are not over: cut off, not wholly taken back, or not confirmed; in words. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from backends.migration.journal import Effect, Record, Status, list_journals
from backends.model.errors import Conflict

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
    since = record.resumed_at or record.started_at
    return bool(begun <= datetime.fromisoformat(since).astimezone(UTC).timestamp() + _STARTED_TOLERANCE_S)


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


async def refuse_unfinished(state_dir: Path, engine: str, container: str) -> None:
    """Raises Conflict where a move of that container is under way, or something is left of one.

    engine: its name; container: the full id.
    """
    moves = [one for one in await list_journals(state_dir) if (one.source, one.container_id) == (engine, container)]
    open_ones = [one for one in moves if one.status in {Status.RUNNING, Status.PARTLY_UNDONE}]
    if not open_ones:
        return
    newest = open_ones[-1]
    name = newest.container_name
    if newest.status is Status.RUNNING and await asyncio.to_thread(is_at_work, newest):
        hint = "wait until it is over, or stop it with Ctrl+C: it undoes itself"
        raise Conflict(f"a move of {name} is under way already, by process {newest.pid}", hint=hint)
    raise Conflict(f"an earlier move of {name} ({newest.id}) is not over", hint=next_step(newest))


async def unconfirmed(state_dir: Path) -> list[Record]:
    """All moves that are done, can still be undone, and wait to be confirmed; oldest first. Raises as `unfinished`."""
    return [record for record in await list_journals(state_dir) if record.status is Status.DONE]


def sentence(record: Record) -> str:
    """What happened, and what may be left of it."""
    move = f"the {_kind(record)} of {record.container_name}"
    where = f"from {record.source} to {record.target}" if record.source != record.target else f"on {record.source}"
    move = f"{move} {where}"
    if record.status is Status.DONE:
        return _done(record, move)
    how = "was cut off" if record.status is Status.RUNNING else "could not be taken back wholly"
    made = [f"{entry.effect} {entry.name}" for entry in record.entries if entry.effect in _MADE]
    words = [f"{move} {how} ({record.id})"]
    words.append(f"it may have left {', '.join(made)} on {record.target}" if made else "it made nothing")
    commit = record.find(Effect.COMMIT)
    if commit is not None:
        words.append(f"it may have left image {commit.name} on {record.source}")
    if record.find(Effect.RENAME) is not None:
        words.append(f"{record.container_name} may be called {record.copy_name}")
    if record.find(Effect.STOP_SOURCE) is not None:
        words.append(f"{record.container_name} on {record.source} may stand still")
    elif record.find(Effect.HOLD) is not None:
        words.append(f"the restart policy of {record.container_name} on {record.source} may be switched off")
    return "; ".join(words)


_MADE = {Effect.CONTAINER, Effect.VOLUME, Effect.NETWORK, Effect.TAG, Effect.IMAGE}


def _done(record: Record, move: str) -> str:
    words = [f"{move} is done and waits to be confirmed ({record.id})"]
    if record.find(Effect.REMOVE_SOURCE) is not None:
        words.append(f"the removal of {record.container_name} from {record.source} was begun")
    elif record.find(Effect.STOP_SOURCE) is not None:
        held = record.find(Effect.HOLD)
        off = f", its restart policy ({held.was}) switched off" if held is not None else ""
        words.append(f"{record.container_name} on {record.source} is kept, stopped{off}")
    return "; ".join(words)


def next_step(record: Record) -> str:
    """The command that goes on from there."""
    subject = f"{record.project} --project" if record.project else record.container_name
    command = f"tranship migrate {subject}"
    if record.status is Status.DONE:
        return f"{command} --confirm accepts it; --undo removes the copy and brings the source back"
    back = "--undo removes what it made and starts the source again"
    if record.is_change:
        return f"{command} --undo puts it back as it was"
    if record.status is Status.PARTLY_UNDONE or record.is_backup:
        return f"{command} {back}"
    return f"{command} --resume finishes it; {back}"


def _kind(record: Record) -> str:
    return "change" if record.is_change else "backup" if record.is_backup else "move"
