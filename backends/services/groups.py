"""One operation on several containers, what others need first (or last): Compose projects, pods, marked rows.

Says nothing to people and edits no row; each container's operation is one of `operations`, alone or in a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from backends.engine import Engine
from backends.migration.order import DEPENDS_ON, service_of
from backends.model.container import Container, Health
from backends.model.errors import BackendError
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId

Operate: TypeAlias = Callable[[Container], Awaitable[OperationUpdate]]
EngineOf: TypeAlias = Callable[[EngineId], Engine]

HEALTHY_TIMEOUT_S = 120.0
"""How long those that need a healthy one wait for it; then they are not started."""
_LOOK_S = 0.5
_BACKWARDS = frozenset({"stop", "kill", "remove", "pause"})
_HEALTHY, _COMPLETED = "service_healthy", "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class Left:
    """A container that was not touched, and why."""

    container: Container
    reason: str


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How it ended: the operations that were tried, in their order, and what was left alone."""

    updates: tuple[OperationUpdate, ...]
    left: tuple[Left, ...] = ()


def needs(containers: Iterable[Container]) -> Mapping[ContainerKey, Mapping[ContainerKey, str]]:
    """Of each container, those (among these, on its engine) that it needs, with Compose's condition; "" = started."""
    every = list(containers)
    services: dict[tuple[EngineId, str, str], list[ContainerKey]] = {}
    infra: dict[tuple[EngineId, str], list[ContainerKey]] = {}
    for one in every:
        if one.infra:
            infra.setdefault((one.key.engine, one.pod), []).append(one.key)
        services.setdefault((one.key.engine, one.project, service_of(one.labels)), []).append(one.key)
    found: dict[ContainerKey, Mapping[ContainerKey, str]] = {}
    for one in every:
        wanted: dict[ContainerKey, str] = {}
        for part in one.labels.get(DEPENDS_ON, "").split(","):
            service, _, rest = part.strip().partition(":")
            for key in services.get((one.key.engine, one.project, service), []) if service else []:
                wanted[key] = rest.partition(":")[0]
        if one.pod and not one.infra:
            wanted |= dict.fromkeys(infra.get((one.key.engine, one.pod), ()), "")
        wanted.pop(one.key, None)
        found[one.key] = wanted
    return found


def stages(containers: Sequence[Container], *, backwards: bool = False) -> tuple[tuple[Container, ...], ...]:
    """What can be done at once, after each other: what others need first, or last (backwards).

    A ring, which Compose itself refuses, has no order: then all are one stage.
    """
    by_key = {one.key: one for one in containers}
    sorter = TopologicalSorter({key: tuple(wanted) for key, wanted in needs(containers).items()})
    try:
        sorter.prepare()
    except CycleError:
        return (tuple(containers),)
    found: list[tuple[Container, ...]] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(tuple(by_key[key] for key in sorted(ready)))
        sorter.done(*ready)
    return tuple(reversed(found) if backwards else found)


async def operate_together(
    verb: str, containers: Sequence[Container], operate: Operate, engine_of: EngineOf
) -> GroupResult:
    """Do it to all of them, in the order of their needs; engine errors are in the updates, never raised.

    verb: "start", "stop", "restart", "pause", "unpause", "kill", "remove". Of a start, what needs one that did not
    start, or that does not become what Compose's condition wants, is left alone. A pod goes with its infra container,
    after the others in it.
    """
    waits = verb in {"start", "restart", "unpause"}
    wanted = needs(containers) if waits else {}
    by_key = {one.key: one for one in containers}
    failed: dict[ContainerKey, str] = {}
    updates: list[OperationUpdate] = []
    left: list[Left] = []
    for stage in stages(containers, backwards=verb in _BACKWARDS):
        asked = [(one, _why_not(wanted.get(one.key, {}), by_key, failed, engine_of)) for one in stage]
        reasons = await asyncio.gather(*(reason for _, reason in asked))
        left += [Left(one, reason) for one, reason in zip(stage, reasons, strict=True) if reason]
        failed |= {one.key: "was not started" for one, reason in zip(stage, reasons, strict=True) if reason}
        chosen = [one for one, reason in zip(stage, reasons, strict=True) if not reason]
        ended = await asyncio.gather(*(operate(one) for one in chosen))
        updates += ended
        failed |= {update.key: f"did not {verb}" for update in ended if update.phase is not Phase.DONE}
    return GroupResult(tuple(updates), tuple(left))


async def _why_not(
    wanted: Mapping[ContainerKey, str],
    by_key: Mapping[ContainerKey, Container],
    failed: Mapping[ContainerKey, str],
    engine_of: EngineOf,
) -> str:
    """Why one that needs these cannot go on: a clause, or "" where it can."""
    for key, condition in wanted.items():
        name = by_key[key].name
        if key in failed:
            return f"it needs {name}, which {failed[key]}"
        try:
            if condition == _HEALTHY and not await _becomes_healthy(engine_of(key.engine), key.id):
                return f"it needs {name}, which is not healthy"
            if condition == _COMPLETED and await _exit_code(engine_of(key.engine), key.id) != 0:
                return f"it needs {name}, which did not end with 0"
        except BackendError as error:
            return f"it needs {name}: {error.title}"
    return ""


async def _becomes_healthy(engine: Engine, container: str) -> bool:
    try:
        async with asyncio.timeout(HEALTHY_TIMEOUT_S):
            # What is waited for is the engine's: where it has no timer, each look is a check.
            while (health := await engine.check_health(container)) is Health.STARTING:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return False
    return health in {Health.HEALTHY, Health.NONE}


async def _exit_code(engine: Engine, container: str) -> int | None:
    try:
        async with asyncio.timeout(HEALTHY_TIMEOUT_S):
            return await engine.wait_exit(container)
    except TimeoutError:
        return None
