"""Containers that are made and may be called off amid it: none is left that nobody has named. Starts none."""

from __future__ import annotations

import asyncio
import logging

from backends.engine import Engine
from backends.migration.unbroken import ended, unbroken
from backends.model.errors import BackendError, Conflict
from backends.model.workload import WorkloadSpec

_log = logging.getLogger(__name__)


class Stays(asyncio.CancelledError):
    """It was called off, and something that it had made is still there. error: says what, and what to do."""

    def __init__(self, error: BackendError) -> None:
        super().__init__(error.title)
        self.error = error


async def created(engine: Engine, spec: WorkloadSpec) -> str:
    """Create a container; returns its id. Called off meanwhile, it is made to the end and then removed; where it
    cannot be, Stays is raised for the cancellation. Raises what the engine says.
    """
    task = asyncio.create_task(engine.create_container(spec), name="create a container")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as cut:
        try:
            await ended(task)
        finally:
            if task.exception() is None:
                await called_off(engine, spec, task.result(), cut)
        raise


async def called_off(
    engine: Engine, spec: WorkloadSpec, made: str, cut: asyncio.CancelledError, *, keep: bool = False
) -> None:
    """Remove what was made, or not, where it is to be kept; then raises Stays, as where it cannot be removed."""
    why = None if keep else await unbroken(taken_back(engine, spec, made))
    if not keep and why is None:
        return
    name = spec.name or made[:12]
    detail = "it was to be kept" if why is None else str(why)
    hint = f"tranship rm {name} removes it"
    title = f"{name} was called off, and stays"
    error = Conflict(title, detail=detail, hint=hint, engine=engine.id)
    _log.warning("%s", error)
    raise Stays(error) from cut


async def taken_back(engine: Engine, spec: WorkloadSpec, made: str) -> BackendError | None:
    """Remove what was made of a recipe, never the volumes that it had of another container; why it stays, or None."""
    borrowed = any(mount.anonymous and mount.source for mount in spec.mounts)
    try:
        await engine.remove(made, force=True, volumes=not borrowed)
    except BackendError as error:
        return error
    return None


__all__ = ["Stays", "called_off", "created", "taken_back"]
