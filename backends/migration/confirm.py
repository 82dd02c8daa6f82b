"""Accepts a finished move, after which it cannot be undone; removes the source only where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import Effect, Journal, Record, Status, load
from backends.migration.lock import only_one
from backends.migration.papers import discard, load_report
from backends.migration.rollback import engines_of, remove_commit
from backends.migration.unbroken import unbroken
from backends.model.container import ContainerState, Health
from backends.model.errors import BackendError, NotFound, Refused


async def confirm(
    state_dir: Path, journal: str, engines: Mapping[str, Engine], *, remove_source: bool
) -> tuple[str, ...]:
    """Close a finished move as confirmed; returns what was done, for people.

    engines: by name, those of the journal's source and target must be among them. remove_source: the source container
    is removed too (never its volumes or image), only where all comparisons held and, looked at again now, the copy is
    as it was planned to be. Without, the source stays stopped, its restart policy off.
    Raises Refused where the move is not finished or the source cannot be removed yet, Conflict where something is under
    way with it, NotFound where an engine is missing; FileNotFoundError where there is no such journal.
    """
    first = (await load(state_dir, journal)).record
    async with only_one(state_dir, first.source, first.container_id, first.container_name):
        found = await load(state_dir, journal)
        record = found.record
        if record.status is not Status.DONE:
            raise Refused(f"move {journal} does not wait to be confirmed: it is {record.status}")
        source, target = engines_of(record, engines, lenient=not remove_source)
        return await unbroken(_close(found, source, target, state_dir, remove_source=remove_source))


async def _close(
    journal: Journal, source: Engine, target: Engine, state_dir: Path, *, remove_source: bool
) -> tuple[str, ...]:
    record, done = journal.record, []
    removal = record.find(Effect.REMOVE_SOURCE)
    if remove_source or (removal is not None and removal.made):
        done.append(await _remove_source(journal, source, target, state_dir))
    try:
        done.append(await remove_commit(record, source))
    except BackendError as error:
        done.append(f"the image made for the move is left on {source.id}: {error}")
    await discard(state_dir, record.id, report=False)
    await journal.close(Status.CONFIRMED)
    held = record.find(Effect.HOLD)
    if removal is None and not remove_source and held is not None:
        done.append(f"{record.container_name} on {source.id} stays, with its restart policy ({held.was}) switched off")
    done.append(f"the move of {record.container_name} to {target.id} is confirmed")
    return tuple(text for text in done if text)


async def _remove_source(journal: Journal, source: Engine, target: Engine, state_dir: Path) -> str:
    record = journal.record
    try:
        seen = await source.inspect_container(record.container_id)
    except NotFound:
        return f"{record.container_name} is gone from {source.id}"
    report = await load_report(state_dir, record.id)
    if report is None or not report.equal:
        title = "its report is not there" if report is None else "the copy was not equal"
        raise Refused(f"the source is not removed: {title}", hint="remove it yourself if you are sure")
    await _look_at_copy(record, target)
    if seen.state.alive:
        title = f"{record.container_name} on {source.id} is {seen.state}: it is not removed while it runs"
        raise Refused(title, hint="look why it runs; stop it, then confirm again", engine=source.id)
    number = await journal.intend(Effect.REMOVE_SOURCE, record.container_name)
    try:
        await source.remove(record.container_id)
    except NotFound:
        await journal.confirm(number)
        return f"{record.container_name} is gone from {source.id}"
    await journal.confirm(number)
    return f"removed {record.container_name} from {source.id}; its volumes and its image are still there"


async def _look_at_copy(record: Record, target: Engine) -> None:
    """Raises Refused where the copy is not as planned at this moment."""
    container = record.find(Effect.CONTAINER)
    refusal = f"{record.container_name} is not removed: its copy {record.copy_name} on {target.id}"
    hint = "look at the copy, or take the move back with --undo"
    try:
        seen = await target.inspect_container(container.id if container is not None else record.copy_name)
    except NotFound as error:
        raise Refused(f"{refusal} is gone", hint=hint, engine=target.id) from error
    if record.was_running and seen.state is not ContainerState.RUNNING:
        raise Refused(f"{refusal} is {seen.state}", hint=hint, engine=target.id)
    if seen.health is Health.UNHEALTHY:
        raise Refused(f"{refusal} is unhealthy", hint=hint, engine=target.id)
