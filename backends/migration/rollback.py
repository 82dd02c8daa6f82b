"""Takes back what a move has done, the copy first, from its journal alone. Removes only what that move made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import MARK, Effect, Entry, Journal, Record, Status, list_journals, load
from backends.migration.lock import only_one
from backends.migration.papers import discard
from backends.migration.planning import image_or_none
from backends.migration.unbroken import unbroken
from backends.migration.unfinished import is_at_work
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Refused
from backends.model.labels import HELPER_LABEL, HELPER_STARTED_LABEL
from backends.model.plan import Undone
from backends.model.workload import RestartName, RestartPolicy
from backends.owner import is_gone

RETRIES = 20
RETRY_EVERY_S = 0.25
"""A volume stays in use for a moment after its helper or its container was removed: tried again for 5 s."""

STOP_WAIT_S = 60.0
"""For a stop under way to end; the engines' default stop timeout is 10 s."""

PORTS_FREE_S = 20.0
"""How long the ports of a container that did not start may stay taken after its removal (Podman's service)."""


def policy_of(text: str) -> RestartPolicy:
    """The policy that its own text was. Raises Protocol where it is none."""
    name, _, retries = text.partition(":")
    try:
        return RestartPolicy(RestartName(name), int(retries or 0))
    except ValueError as error:
        raise Protocol("the journal names a restart policy that there is not", detail=text) from error


async def remove_commit(record: Record, source: Engine) -> str:
    """Remove the image that a move has made of its source; returns what was done, "" where there is none (any more)."""
    entry = record.find(Effect.COMMIT)
    seen = await image_or_none(source, entry.name) if entry is not None else None
    if entry is None or seen is None or entry.id not in {"", seen.key.id}:
        return ""
    await source.remove_image(entry.name)
    return f"removed the image {entry.name} from {source.id}"


class TakeBack:
    """The way back for each effect. Each method returns what it did, "" where there was nothing to do."""

    def __init__(self, record: Record, source: Engine, target: Engine) -> None:
        self._record = record
        self._source = source
        self._target = target

    async def entry(self, entry: Entry) -> str:
        """Take one effect back. Raises BackendError where that is not possible."""
        match entry.effect:
            case Effect.CONTAINER:
                return await self._container(entry)
            case Effect.VOLUME:
                return await self._volume(entry)
            case Effect.NETWORK:
                return await self._network(entry)
            case Effect.TAG:
                return await self._tag(entry)
            case Effect.IMAGE:
                return await self._image(entry)
            case Effect.COMMIT:
                return await remove_commit(self._record, self._source)
            case Effect.HOLD:
                return await self._restore_policy(entry)
            case Effect.STOP_SOURCE:
                return await self._restart_source()
            case Effect.RENAME:
                return await self._rename_back()
            case Effect.REMOVE_SOURCE:
                raise Refused(f"{entry.name} was removed after the move")

    async def _container(self, entry: Entry) -> str:
        try:
            seen = await self._target.inspect_container(entry.id or entry.name)
        except NotFound:
            return ""
        if seen.key.id == self._record.container_id:
            return ""  # a change that was taken back so far: the name is the source's again
        if not entry.id and (seen.state is not ContainerState.CREATED or seen.image_id != self._image_id()):
            # Its creation was begun and nothing is known of the outcome: what has run is not ours.
            raise Conflict(f"a container named {entry.name} is there that is not certainly ours")
        await self._target.remove(seen.key.id, force=True)
        return f"removed container {entry.name} from {self._target.id}"

    def _image_id(self) -> str:
        """Of the image that the copy is made from, as far as it is known."""
        for effect in (Effect.IMAGE, Effect.COMMIT):
            entry = self._record.find(effect)
            if entry is not None and entry.id:
                return entry.id
        return self._record.image_id

    async def _volume(self, entry: Entry) -> str:
        try:
            seen = await self._target.inspect_volume(entry.name)
        except NotFound:
            return ""
        if seen.labels.get(MARK) != self._record.id:
            return ""  # not ours: its name was taken when we came
        await _patiently(self._target.remove_volume, entry.name)
        return f"removed volume {entry.name} from {self._target.id}"

    async def _network(self, entry: Entry) -> str:
        try:
            seen = await self._target.inspect_network(entry.name)
        except NotFound:
            return ""
        if seen.spec.labels.get(MARK) != self._record.id:
            return ""  # not ours
        await _patiently(self._target.remove_network, entry.name)
        return f"removed network {entry.name} from {self._target.id}"

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
        seen = await image_or_none(self._target, entry.id or entry.name.removeprefix("sha256:"))
        if seen is None:
            return ""
        try:
            await self._target.remove_image(seen.key.id)
        except NotFound:
            return ""
        return f"removed image {seen.tags[0] if seen.tags else seen.key.short} from {self._target.id}"

    async def _restore_policy(self, entry: Entry) -> str:
        await self._source.set_restart(self._record.container_id, policy_of(entry.was))
        return f"gave {entry.name} on {self._source.id} its restart policy {entry.was} again"

    async def _restart_source(self) -> str:
        record = self._record
        seen = await self._source.inspect_container(record.container_id)
        if seen.state is ContainerState.STOPPING:  # a stop that was still under way when the process died
            async with asyncio.timeout(STOP_WAIT_S):
                await self._source.wait_exit(record.container_id)
            seen = await self._source.inspect_container(record.container_id)
        if not seen.state.alive:
            await self._start_source()
        elif seen.state is ContainerState.PAUSED or not record.was_paused:
            return ""
        if record.was_paused:
            await self._source.pause(record.container_id)
        return f"started {record.container_name} on {self._source.id}" + (" and paused it" if record.was_paused else "")

    async def _start_source(self) -> None:
        """Where the copy was on the same engine: once the ports are free that it held."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (PORTS_FREE_S if self._source.id == self._target.id else 0)
        while True:
            try:
                return await self._source.start(self._record.container_id)
            except Conflict:
                if loop.time() >= deadline:
                    raise
                await asyncio.sleep(RETRY_EVERY_S)

    async def _rename_back(self) -> str:
        record = self._record
        if (await self._source.inspect_container(record.container_id)).name == record.container_name:
            return ""
        await self._source.rename(record.container_id, record.container_name)
        return f"gave {record.container_name} on {self._source.id} its name again"


async def _patiently(remove: Callable[[str], Awaitable[None]], name: str) -> None:
    """Remove what may still be in use for a moment; that it is gone already is no error."""
    for attempt in range(RETRIES):
        try:
            await remove(name)
            return
        except NotFound:
            return
        except Conflict:
            if attempt == RETRIES - 1:
                raise
            await asyncio.sleep(RETRY_EVERY_S)


_OF_THE_SOURCE = frozenset({Effect.COMMIT, Effect.HOLD, Effect.STOP_SOURCE, Effect.RENAME, Effect.REMOVE_SOURCE})
_COPY = frozenset({Effect.CONTAINER})
_REST = frozenset(Effect) - _OF_THE_SOURCE - _COPY


class WayBack:
    """One move on its way back. say: told of each thing that was taken back, and of each that could not be."""

    def __init__(
        self, journal: Journal, source: Engine, target: Engine, say: Callable[[str], None] = lambda _text: None
    ) -> None:
        self._journal = journal
        self._back = TakeBack(journal.record, source, target)
        self._say = say
        self.done: list[str] = []
        self.left: list[str] = []

    async def go(self, effects: Container[Effect]) -> None:
        """Undo its effects of these kinds, newest first; goes on where one fails."""
        for entry in reversed(self._journal.record.entries):
            if entry.effect not in effects:
                continue
            try:
                text = await self._back.entry(entry)
            except (BackendError, TimeoutError) as error:
                self.left.append(f"{entry.effect} {entry.name}: {error}")
                self._say(self.left[-1])
                continue
            if text:
                self.done.append(text)
                self._say(text)

    async def close(self) -> None:
        """The journal is closed as undone, its plan removed, or as partly undone where something is left."""
        try:
            if not self.left:
                await discard(self._journal.state_dir, self._journal.record.id, report=True)
            await self._journal.close(Status.PARTLY_UNDONE if self.left else Status.UNDONE)
        except BackendError as error:
            self.left.append(str(error))


async def take_back(moves: Sequence[WayBack]) -> Undone:
    """Undo moves, of one container or of several that belong together, in the order in which they were begun.

    First the copies go, for they hold ports and names that the sources need; then the sources come back, who is needed
    first; then what else was made. Returns what was done and what is left with the reason; that can be tried again.
    """
    for move in reversed(moves):
        await move.go(_COPY)
    for move in moves:
        await move.go(_OF_THE_SOURCE)
    for move in reversed(moves):
        await move.go(_REST)
    for move in moves:
        await move.close()
    return Undone(tuple(t for move in moves for t in move.done), tuple(t for move in moves for t in move.left))


def engines_of(record: Record, engines: Mapping[str, Engine], *, lenient: bool = False) -> tuple[Engine, Engine]:
    """The source's and the target's engine. Raises NotFound where one is missing.

    lenient: a source to which nothing was done may be missing (a file that was restored); the target stands in for it.
    """
    needed = [record.source, record.target]
    if lenient and not any(entry.effect in _OF_THE_SOURCE for entry in record.entries):
        needed.remove(record.source)
    missing = [name for name in needed if name not in engines]
    if missing:
        raise NotFound(f"engine {missing[0]} of move {record.id} is not there", hint="start it, then try again")
    return engines.get(record.source, engines[record.target]), engines[record.target]


async def undo(state_dir: Path, journal: str, engines: Mapping[str, Engine], *, finished: bool = False) -> Undone:
    """Take back a move that crashed, from its journal.

    engines: by name, those of the journal's source and target must be among them. finished: also a move that was
    completed (and not confirmed), which removes the copy with all that was written into it since. Raises Refused where
    the move was completed and finished is False, was confirmed, or is undone already; Conflict where it is under way;
    NotFound where an engine is missing; FileNotFoundError where there is no such journal.
    """
    return await undo_all(state_dir, [journal], engines, finished=finished)


async def undo_all(
    state_dir: Path, journals: Sequence[str], engines: Mapping[str, Engine], *, finished: bool = False
) -> Undone:
    """Take back the moves of containers that belong together, in the order in which they were begun; as `undo`."""
    firsts = [(await load(state_dir, journal)).record for journal in journals]
    async with AsyncExitStack() as locks:
        for first in sorted(firsts, key=lambda record: record.container_id):
            await locks.enter_async_context(only_one(state_dir, first.source, first.container_id, first.container_name))
        found = [await load(state_dir, journal) for journal in journals]
        ends = [_ends(journal.record, engines, finished) for journal in found]

        async def work() -> Undone:
            for journal, (source, target) in zip(found, ends, strict=True):
                await _keep_source(journal, source)
                await remove_helpers(journal, (target, source))
            return await take_back([WayBack(one, *both) for one, both in zip(found, ends, strict=True)])

        return await unbroken(work())


def _ends(record: Record, engines: Mapping[str, Engine], finished: bool) -> tuple[Engine, Engine]:
    """The engines of a move that can be taken back. Raises Refused where it cannot, NotFound where one is missing."""
    if record.status is Status.UNDONE:
        raise Refused(f"move {record.id} is undone already")
    if record.status is Status.CONFIRMED:
        raise Refused(f"move {record.id} was confirmed", hint="move it back as a move of its own")
    if record.status is Status.DONE and not finished:
        hint = "undoing it would remove the copy with all that was written since"
        raise Refused(f"move {record.id} was completed", hint=hint)
    return engines_of(record, engines, lenient=True)


async def _keep_source(journal: Journal, source: Engine) -> None:
    """Where its removal was begun and did not happen, it is there to be given back. Raises Refused where it is gone."""
    entry = journal.record.find(Effect.REMOVE_SOURCE)
    if entry is None:
        return
    try:
        await source.inspect_container(journal.record.container_id)
    except NotFound as error:
        title = f"{entry.name} was removed from {source.id}: there is nothing to go back to"
        raise Refused(title, hint="tranship migrate --confirm ends this move") from error
    await journal.forget(entry)


async def remove_helpers(journal: Journal, engines: Iterable[Engine]) -> None:
    """The helper containers that the process of a move has left; they hold the volumes. The container's lock is held.

    A process that lives removes its own, unless the engine was dead then, or had no room for that; and may have some of
    other moves: then nothing is removed.
    """
    record = journal.record
    at_work = await asyncio.to_thread(is_at_work, record)
    if at_work and any(
        other.pid == record.pid and other.id != record.id and other.status is Status.RUNNING
        for other in await list_journals(journal.state_dir)
    ):
        return
    for engine in engines:
        for container in await engine.list_containers():
            ticks = container.labels.get(HELPER_STARTED_LABEL, "")
            if container.labels.get(HELPER_LABEL) == str(record.pid):
                if not at_work and ticks and not is_gone(str(record.pid), ticks):
                    continue  # another process has the number now, and this is its own
                try:
                    await engine.remove(container.key.id, force=True)
                except NotFound:
                    continue  # it went by itself
