"""Takes back what a move has done, newest first, from its journal alone. Removes only what that move made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import MARK, Effect, Entry, Journal, Record, Status, load
from backends.migration.planning import image_or_none
from backends.migration.unbroken import unbroken
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.plan import Undone
from backends.model.workload import HELPER_LABEL

RETRIES = 20
RETRY_EVERY_S = 0.25
"""A volume stays in use for a moment after its helper or its container was removed: tried again for 5 s."""

STOP_WAIT_S = 60.0
"""For a stop under way to end; the engines' default stop timeout is 10 s."""


class _TakeBack:
    """The way back for each effect. Each method returns what it did, "" where there was nothing to do."""

    def __init__(self, record: Record, source: Engine, target: Engine) -> None:
        self._record = record
        self._source = source
        self._target = target

    async def entry(self, entry: Entry) -> str:
        """Take one effect back. Raises BackendError where that is not possible."""
        if entry.effect is Effect.CONTAINER:
            return await self._container(entry)
        if entry.effect is Effect.VOLUME:
            return await self._volume(entry)
        if entry.effect is Effect.TAG:
            return await self._tag(entry)
        if entry.effect is Effect.IMAGE:
            return await self._image(entry)
        return await self._restart_source()

    async def _container(self, entry: Entry) -> str:
        try:
            seen = await self._target.inspect_container(entry.id or entry.name)
        except NotFound:
            return ""
        if not entry.id and (seen.state is not ContainerState.CREATED or seen.image_id != self._image_id()):
            # Its creation was begun and nothing is known of the outcome: what has run is not ours.
            raise Conflict(f"a container named {entry.name} is there that is not certainly ours")
        await self._target.remove(seen.key.id, force=True)
        return f"removed container {entry.name} from {self._target.id}"

    def _image_id(self) -> str:
        brought = [entry.id for entry in self._record.entries if entry.effect is Effect.IMAGE and entry.id]
        return brought[0] if brought else self._record.image_id

    async def _volume(self, entry: Entry) -> str:
        try:
            seen = await self._target.inspect_volume(entry.name)
        except NotFound:
            return ""
        if seen.labels.get(MARK) != self._record.id:
            return ""  # not ours: its name was taken when we came
        for attempt in range(RETRIES):
            try:
                await self._target.remove_volume(entry.name)
                break
            except NotFound:
                break
            except Conflict:
                if attempt == RETRIES - 1:
                    raise
                await asyncio.sleep(RETRY_EVERY_S)
        return f"removed volume {entry.name} from {self._target.id}"

    async def _tag(self, entry: Entry) -> str:
        seen = await image_or_none(self._target, entry.name)
        if seen is None or seen.key.id != self._image_id():
            return ""
        brought = any(other.effect is Effect.IMAGE for other in self._record.entries)
        if not brought and len(seen.tags) < 2:
            raise Conflict(
                f"image {seen.key.short} keeps the name {entry.name}",
                detail="it had none, and is only removed with its last",
            )
        await self._target.remove_image(entry.name)
        return f"removed the name {entry.name} from {self._target.id}"

    async def _image(self, entry: Entry) -> str:
        seen = await image_or_none(self._target, entry.id or self._record.image_id)
        if seen is None:
            return ""
        try:
            await self._target.remove_image(seen.key.id)
        except NotFound:
            return ""
        return f"removed image {seen.key.short} from {self._target.id}"

    async def _restart_source(self) -> str:
        record = self._record
        seen = await self._source.inspect_container(record.container_id)
        if seen.state is ContainerState.STOPPING:  # a stop that was still under way when the process died
            async with asyncio.timeout(STOP_WAIT_S):
                await self._source.wait_exit(record.container_id)
            seen = await self._source.inspect_container(record.container_id)
        if not seen.state.alive:
            await self._source.start(record.container_id)
        elif seen.state is ContainerState.PAUSED or not record.was_paused:
            return ""
        if record.was_paused:
            await self._source.pause(record.container_id)
        return f"started {record.container_name} on {self._source.id}" + (" and paused it" if record.was_paused else "")


async def take_back(
    journal: Journal, source: Engine, target: Engine, say: Callable[[str], None] = lambda _text: None
) -> Undone:
    """Undo each effect in the journal, newest first; goes on where one fails.

    say: told of each thing that was taken back. Returns what was done and what is left with the reason; the journal is
    closed as undone, or as partly undone where something is left (and can be tried again).
    """
    way_back = _TakeBack(journal.record, source, target)
    done: list[str] = []
    left: list[str] = []
    for entry in reversed(journal.record.entries):
        try:
            text = await way_back.entry(entry)
        except (BackendError, TimeoutError) as error:
            left.append(f"{entry.effect} {entry.name}: {error}")
            say(left[-1])
            continue
        if text:
            done.append(text)
            say(text)
    try:
        await journal.close(Status.PARTLY_UNDONE if left else Status.UNDONE)
    except BackendError as error:
        left.append(str(error))
    return Undone(tuple(done), tuple(left))


async def undo(state_dir: Path, journal: str, engines: Mapping[str, Engine], *, finished: bool = False) -> Undone:
    """Take back a move that crashed, from its journal.

    engines: by name, those of the journal's source and target must be among them. finished: also a move that was
    completed, which removes the copy with all that was written into it since. Raises Refused where the move was
    completed and finished is False, or where it is undone already; NotFound where an engine is missing;
    FileNotFoundError where there is no such journal.
    """
    found = await load(state_dir, journal)
    record = found.record
    if record.status is Status.UNDONE:
        raise Refused(f"move {journal} is undone already")
    if record.status is Status.DONE and not finished:
        raise Refused(
            f"move {journal} was completed", hint="undoing it would remove the copy with all that was written since"
        )
    missing = [name for name in (record.source, record.target) if name not in engines]
    if missing:
        raise NotFound(f"engine {missing[0]} of move {journal} is not there", hint="start it, then try again")
    source, target = engines[record.source], engines[record.target]

    async def work() -> Undone:
        for engine in (target, source):
            await _remove_helpers(engine, record.pid)
        return await take_back(found, source, target)

    return await unbroken(work())


async def _remove_helpers(engine: Engine, pid: int) -> None:
    """The helper containers that a process which is gone had at that moment; they hold the volumes."""
    for container in await engine.list_containers():
        if container.labels.get(HELPER_LABEL) == str(pid):
            try:
                await engine.remove(container.key.id, force=True)
            except NotFound:
                continue  # it went by itself
