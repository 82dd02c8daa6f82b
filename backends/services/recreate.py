"""A container made again with other settings: the one before is kept, renamed and stopped; all is put back on failure.

Never removes the one before. If this process dies meanwhile, that one is there under its kept name, stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from backends.draft.check import free_name
from backends.engine import Engine
from backends.model.container import Container
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.ids import ContainerKey
from backends.model.workload import RestartName, RestartPolicy, WorkloadSpec
from backends.services.audit_facts import of_spec
from backends.services.fleet import Fleet
from backends.services.launch import SETTLE_S, Launched, early_end, exit_within, last_lines

PORTS_FREE_S = 20.0
"""How long the ports of a container that did not start may stay taken after its removal."""


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


@dataclass
class _Way:
    """What was done, to be taken back in the other order."""

    back: list[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=list)

    async def take_back(self) -> list[str]:
        """Undo all; returns what could not be undone, for people."""
        left = []
        for what, undo in reversed(self.back):
            try:
                await undo()
            except BackendError as error:
                left.append(f"{what}: {error.title}")
        self.back.clear()
        return left


async def recreate(fleet: Fleet, before: Before, spec: WorkloadSpec, *, settle_s: float = SETTLE_S) -> Launched:
    """Make it again by this recipe, and start it where it ran. settle_s: how long it is watched for an early end.

    Raises the error that stopped it after all was put back; its detail says what could not be.
    """
    old, engine = before.container, fleet.engine(before.container.key.engine)
    with fleet.operations.track("container.change", old.key, old.name) as tracked:
        tracked.note(plan=of_spec(spec))
        way = _Way()
        try:
            launched = await _replace(engine, before, spec, way, settle_s)
        except BackendError as error:
            left = await asyncio.shield(way.take_back())
            if left:
                error.detail = "; ".join(filter(None, (error.detail, *left)))
                error.hint = f"look for {old.name} and {before.kept_name} on {old.key.engine}: {error.hint}"
            raise
        except BaseException:  # cancelled: it is put back all the same
            await asyncio.shield(way.take_back())
            raise
        finally:
            await fleet.refresh(old.key)
        await fleet.refresh(launched.key)
        await tracked.note_deployed(engine, launched.key.id)
        tracked.done(f"{spec.name} is made again; the one before is kept, stopped, as {before.kept_name}")
        return launched


async def _replace(engine: Engine, before: Before, spec: WorkloadSpec, way: _Way, settle_s: float) -> Launched:
    old = before.container
    id, running, policy = old.key.id, old.state.alive, before.spec.restart
    if running:
        way.back.append(("it is not started again", lambda: _start_again(engine, id)))
        await engine.stop(id)
    if policy.name is not RestartName.NO:  # else a reboot would start both
        way.back.append(("its restart policy is off", lambda: engine.set_restart(id, policy)))
        await engine.set_restart(id, RestartPolicy())
    await engine.rename(id, before.kept_name)
    way.back.append((f"it is called {before.kept_name}", lambda: engine.rename(id, old.name)))
    made = await engine.create_container(spec)
    way.back.append(("the new one is still there", lambda: engine.remove(made, force=True)))
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


async def _start_again(engine: Engine, container: str) -> None:
    """Start it once its ports are free: Podman's service holds those of a container that did not start for a moment."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PORTS_FREE_S
    while True:
        try:
            await engine.start(container)
        except Conflict:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


def unchanged(before: Before, spec: WorkloadSpec) -> bool:
    """Whether the recipe is the one that it has."""
    return replace(spec, unmapped=()) == replace(before.spec, unmapped=())


__all__ = ["Before", "read_before", "recreate", "refuse", "unchanged"]
