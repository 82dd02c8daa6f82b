"""Whose the containers and volumes of a trial or a sweep are, by a label, and the removal of those that nobody owns.

The label tells the process that will remove them, its pid namespace, and when it began: its number may be another's by
now. A process of another namespace (Tranship in a
container, on the same socket) cannot be looked for from here, so what is its own is never taken for left over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from backends.engine import Engine
from backends.model.errors import BackendError
from backends.model.labels import TRIAL_LABEL
from backends.owner import PROC, is_gone, started_ticks

_log = logging.getLogger(__name__)


def mark(proc: Path = PROC) -> dict[str, str]:
    """The label of what this process makes."""
    return {TRIAL_LABEL: f"{os.getpid()}-{_namespace(proc)}-{started_ticks(proc=proc)}"}


def nobodys(labels: Mapping[str, str], proc: Path = PROC) -> bool:
    """Whether it bears the label of a process of this pid namespace that is no more."""
    pid, _, rest = labels.get(TRIAL_LABEL, "").partition("-")
    namespace, _, ticks = rest.partition("-")
    return pid.isdecimal() and namespace == str(_namespace(proc)) and is_gone(pid, ticks, proc)


def _namespace(proc: Path) -> int:
    return (proc / "self" / "ns" / "pid").stat().st_ino


async def sweep_nobodys(engine: Engine, proc: Path = PROC) -> tuple[str, ...]:
    """Remove what dead processes have left on an engine of this machine; returns the names.

    What cannot be removed stays for the next time: it is no reason not to begin.
    """
    gone: list[str] = []
    for container in await engine.list_containers():
        if nobodys(container.labels, proc):
            try:
                await engine.remove(container.key.id, force=True, volumes=True)
            except BackendError as error:
                _log.info("%s of an earlier trial stays on %s: %s", container.name, engine.id, error)
                continue
            gone.append(container.name)
    for volume in await engine.list_volumes():
        if nobodys(volume.labels, proc):
            try:
                await engine.remove_volume(volume.name)
            except BackendError as error:
                _log.info("%s of an earlier trial stays on %s: %s", volume.name, engine.id, error)
                continue
            gone.append(volume.name)
    return tuple(gone)


__all__ = ["mark", "nobodys", "sweep_nobodys"]
