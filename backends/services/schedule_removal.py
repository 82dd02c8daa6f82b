"""Takes schedules of backups away and has the audit trail say so. Asks no engine; makes no schedule."""

from __future__ import annotations

import asyncio
from pathlib import Path

from backends.model.errors import BackendError, NotFound
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.schedule import install
from backends.schedule.install import Installed
from backends.services.audit import AuditLog, default_path

ACTION = "container.unschedule"
_NOT_ASKED = {"engine_kind": None, "container": None}
"""A schedule has names alone, and the engine may be gone long since."""


async def remove(name: str, engine: str, where: Path) -> tuple[list[Installed], BackendError | None]:
    """As install.remove, with a line of the trail for each; and what was amiss with the trail. Raises as that does."""
    trail = AuditLog(default_path())
    try:
        gone = await asyncio.to_thread(install.remove, name, engine, where)
        for one in gone:
            wish = one.schedule
            _record(trail, wish.name, wish.engine, Phase.DONE, plan=wish.terms(one.how))
    except NotFound:
        raise
    except BackendError as error:
        _record(trail, name, engine, Phase.FAILED, error)
        raise
    finally:
        await trail.close()
    return gone, trail.problem


def _record(
    trail: AuditLog, name: str, engine: str, phase: Phase, error: BackendError | None = None, **more: object
) -> None:
    key = ContainerKey(EngineId(EngineKind.DOCKER, engine), "")
    trail.record(OperationUpdate(1, ACTION, key, name, phase, error=error, record={**_NOT_ASKED, **more}))


__all__ = ["ACTION", "remove"]
