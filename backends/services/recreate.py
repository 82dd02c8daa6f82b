"""A container made again with other settings: the one before is kept, renamed and stopped; all is put back on failure.

Never removes the one before. Each effect is in a move's journal before it is begun: where this process dies meanwhile,
`doctor` tells of it, and undoing the journal puts all back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from backends.draft.check import free_name
from backends.engine import Engine
from backends.migration.journal import Effect, Journal, Record, Status, new_id
from backends.migration.lock import only_one
from backends.migration.planning import image_or_none
from backends.migration.rollback import WayBack, take_back
from backends.migration.unbroken import unbroken
from backends.migration.unfinished import refuse_unfinished
from backends.model.container import Container, ContainerState
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.ids import ContainerKey
from backends.model.workload import RestartName, RestartPolicy, WorkloadSpec
from backends.services.audit_facts import of_spec
from backends.services.fleet import Fleet
from backends.services.launch import SETTLE_S, Launched, early_end, exit_within, last_lines


@dataclass(frozen=True, slots=True)
class Before:
    """The container that is to be made again. spec: its recipe. kept_name: what it is called afterwards.

    changed_files: of its writable layer, which the new one has not; None where the engine does not tell. volumes:
    those without a name, which the new one mounts too. image_moved: its image's name stands for another image by now.
    """

    container: Container
    spec: WorkloadSpec
    kept_name: str
    changed_files: int | None = None
    volumes: tuple[str, ...] = ()
    image_moved: bool = False


async def read_before(fleet: Fleet, container: Container) -> Before:
    """What is to be known before. Raises Refused for one that cannot be made again, and what the engine raises."""
    engine = fleet.engine(container.key.engine)
    spec = await engine.workload_spec(container.key.id)
    refuse(container, spec)
    names = {one.name for one in fleet.store.view.containers.values() if one.key.engine == container.key.engine}
    try:
        changed = len(await engine.changed_paths(container.key.id))
    except BackendError:
        changed = None  # it is said that it is not known
    volumes = tuple(mount.source for mount in spec.mounts if mount.anonymous and mount.source)
    kept = free_name(f"{container.name}-before", names)
    return Before(container, spec, kept, changed, volumes, await _image_moved(engine, spec))


def refuse(container: Container, spec: WorkloadSpec) -> None:
    """Raise Refused for one whose like cannot be made in its place."""
    engine = container.key.engine
    if spec.process.auto_remove:
        hint = "run one like it instead; it removes itself when it stops, so that it could not be kept"
        raise Refused(f"{container.name} was started with --rm", hint=hint, engine=engine)
    if container.pod or container.infra:
        hint = "change the pod's own definition, and make it again"
        raise Refused(f"{container.name} belongs to the pod {container.pod}", hint=hint, engine=engine)


async def _image_moved(engine: Engine, spec: WorkloadSpec) -> bool:
    with suppress(NotFound):
        return bool(spec.image_id) and (await engine.image_facts(spec.image)).key.id != spec.image_id
    return False


async def recreate(
    fleet: Fleet, before: Before, spec: WorkloadSpec, *, state_dir: Path, settle_s: float = SETTLE_S
) -> Launched:
    """Make it again by this recipe, and start it where it ran. state_dir: where the journal lies.

    settle_s: how long it is watched for an early end. Raises the error that stopped it after all was put back; its
    detail says what could not be. Conflict where a move, a backup or a change of it is under way or not over.
    """
    old, engine = before.container, fleet.engine(before.container.key.engine)
    await refuse_unfinished(state_dir, old.key.engine.name, old.key.id)
    with fleet.operations.track("container.change", old.key, old.name) as tracked:
        tracked.note(plan=of_spec(spec))
        try:
            async with only_one(state_dir, old.key.engine.name, old.key.id, old.name):
                launched = await _change(engine, before, spec, state_dir, settle_s)
        finally:
            await fleet.refresh(old.key)
        await fleet.refresh(launched.key)
        await tracked.note_deployed(engine, launched.key.id)
        tracked.done(f"{spec.name} is made again; the one before is kept, stopped, as {before.kept_name}")
        return launched


async def _change(engine: Engine, before: Before, spec: WorkloadSpec, state_dir: Path, settle_s: float) -> Launched:
    """The lock of the container is held."""
    image = await image_or_none(engine, spec.image)
    journal = await Journal.begin(state_dir, _record(before, image.key.id if image else ""))
    try:
        launched = await _replace(engine, before, spec, journal, settle_s)
        await journal.close(Status.CONFIRMED)
    except BaseException as error:  # cancelled, too: it is put back all the same
        undone = await unbroken(take_back([WayBack(journal, engine, engine)]))
        if undone.left and isinstance(error, BackendError):
            error.detail = "; ".join(filter(None, (error.detail, *undone.left)))
            again = f"`tranship migrate {before.container.name} --undo` tries again to put it back"
            error.hint = f"{error.hint}; {again}" if error.hint else again
        raise
    return launched


def _record(before: Before, image_id: str) -> Record:
    now, old = datetime.now(UTC), before.container
    return Record(
        id=new_id(now),
        started_at=now.isoformat(timespec="seconds"),
        pid=os.getpid(),
        source=old.key.engine.name,
        target=old.key.engine.name,
        container_id=old.key.id,
        container_name=old.name,
        was_running=old.state.alive,
        was_paused=old.state is ContainerState.PAUSED,
        copy_name=before.kept_name,
        image_id=image_id,
    )


async def _replace(engine: Engine, before: Before, spec: WorkloadSpec, journal: Journal, settle_s: float) -> Launched:
    old = before.container
    id, running, policy = old.key.id, old.state.alive, before.spec.restart
    if running:
        number = await journal.intend(Effect.STOP_SOURCE, old.name)
        await engine.stop(id)
        await journal.confirm(number, id)
    if policy.name is not RestartName.NO:  # else a reboot would start both
        number = await journal.intend(Effect.HOLD, old.name, str(policy))
        await engine.set_restart(id, RestartPolicy())
        await journal.confirm(number, id)
    number = await journal.intend(Effect.RENAME, before.kept_name)
    await engine.rename(id, before.kept_name)
    await journal.confirm(number, id)
    number = await journal.intend(Effect.CONTAINER, spec.name)
    made = await engine.create_container(spec)
    await journal.confirm(number, made)
    key = ContainerKey(old.key.engine, made)
    if not running:
        return Launched(key, spec.name)
    await engine.start(made)
    ended = await exit_within(engine, made, settle_s)
    launched = Launched(key, spec.name, ended, await last_lines(engine, made) if ended else ())
    error = early_end(launched)
    if error is not None:
        raise Conflict(error.title, detail=error.detail, hint="all is as before", engine=error.engine)
    return launched


def unchanged(before: Before, spec: WorkloadSpec) -> bool:
    """Whether the recipe is the one that it has."""
    return replace(spec, unmapped=()) == replace(before.spec, unmapped=())


__all__ = ["Before", "read_before", "recreate", "refuse", "unchanged"]
