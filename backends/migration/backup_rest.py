"""Stops a container while it is read, and starts it again whatever happens; the journal knows of it. Reads nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from backends.engine import Engine
from backends.migration.backup_source import BackupFacts
from backends.migration.journal import Effect, Journal, Record, Status, new_id
from backends.migration.unbroken import unbroken
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict


async def _stop(engine: Engine, facts: BackupFacts) -> None:
    """With its own timeout; frozen it cannot end."""
    if facts.container.state is ContainerState.PAUSED:
        await engine.unpause(facts.container.key.id)
    await engine.stop(facts.container.key.id)
    seen = await engine.inspect_container(facts.container.key.id)
    if seen.state.alive:
        hint = "something starts it again: look for what does"
        raise Conflict(f"{facts.container.name} was stopped but is {seen.state}", hint=hint, engine=engine.id)


async def _start_again(engine: Engine, facts: BackupFacts) -> None:
    """As it was before."""
    seen = await engine.inspect_container(facts.container.key.id)
    if not seen.state.alive:
        await engine.start(facts.container.key.id)
    if facts.container.state is ContainerState.PAUSED and seen.state is not ContainerState.PAUSED:
        await engine.pause(facts.container.key.id)


def _record(facts: BackupFacts) -> Record:
    now = datetime.now(UTC)
    return Record(
        id=new_id(now),
        started_at=now.isoformat(timespec="seconds"),
        pid=os.getpid(),
        source=facts.engine.name,
        target=facts.engine.name,
        container_id=facts.container.key.id,
        container_name=facts.container.name,
        was_running=facts.container.state.alive,
        was_paused=facts.container.state is ContainerState.PAUSED,
        copy_name=facts.container.name,
        image_id=facts.image.key.id,
    )


@asynccontextmanager
async def at_rest(
    engine: Engine, facts: BackupFacts, state_dir: Path, on_start: Callable[[], None]
) -> AsyncIterator[None]:
    """The container is stopped inside, and as before outside. on_start: told when all went well and it is started.

    Where this process is killed inside, `doctor` tells of it, and undoing the journal starts the container again.
    Where it cannot be started again, the error (with that of the inside as its cause, if there was one) says so.
    """
    journal = await Journal.begin(state_dir, _record(facts))
    broken: BaseException | None = None
    try:
        number = await journal.intend(Effect.STOP_SOURCE, facts.container.name)
        await unbroken(_stop(engine, facts))
        await journal.confirm(number, facts.container.key.id)
        yield
        on_start()
    except BaseException as error:
        broken = error
        raise
    finally:
        await unbroken(_end(engine, facts, journal, broken))


async def _end(engine: Engine, facts: BackupFacts, journal: Journal, broken: BaseException | None) -> None:
    try:
        await _start_again(engine, facts)
    except BackendError as error:
        await journal.close(Status.PARTLY_UNDONE)
        raise type(error)(
            f"{facts.container.name} stands still: it could not be started again after the backup",
            detail=str(error),
            hint=f"tranship migrate {facts.container.name} --undo tries again",
            engine=engine.id,
        ) from (broken or error)
    await journal.close(Status.UNDONE)
