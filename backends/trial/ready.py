"""Waits until a container that was started is ready, as the trial was asked to tell. Changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from backends.engine import Engine
from backends.listening import listened
from backends.model.container import Health
from backends.model.errors import Conflict, NotFound, TimedOut, Unsupported
from backends.model.expression import BadPattern, Expression
from backends.model.trial import ReadyBy, TrialRequest
from backends.trial.totals import Places

HEALTH_LOOK_S = 0.1
"""Each look runs the check where the engine has no timer for it (Podman without systemd)."""
PORT_LOOK_S = 0.005


async def until_ready(
    engine: Engine, container: str, request: TrialRequest, by: ReadyBy, ports: frozenset[int]
) -> None:
    """Return as soon as it is. ports: of the container, of which one has to be listened to, with PORT.

    Raises Conflict where it ends before, TimedOut after request.ready_limit_s, Unsupported where that cannot be told.
    """
    if by is ReadyBy.RUNNING:
        return
    waits = {ReadyBy.HEALTH: _healthy, ReadyBy.LOG: _said, ReadyBy.PORT: _listening}
    ready = asyncio.ensure_future(waits[by](engine, container, request, ports))
    ended = asyncio.ensure_future(engine.wait_exit(container))
    try:
        done, _ = await asyncio.wait({ready, ended}, timeout=request.ready_limit_s, return_when=asyncio.FIRST_COMPLETED)
        if ready in done:
            return ready.result()
        if ended in done:
            title = f"the copy ended with exit code {ended.result()} before it was ready"
            raise Conflict(
                title, hint="look at what it says: tranship logs; nothing of the trial is kept", engine=engine.id
            )
        raise TimedOut(
            f"the copy is not ready after {request.ready_limit_s:.0f} s",
            hint="choose another sign with --ready, or give it longer with --ready-limit",
            engine=engine.id,
        )
    finally:
        for task in (ready, ended):
            task.cancel()
        await asyncio.gather(ready, ended, return_exceptions=True)


async def _healthy(engine: Engine, container: str, request: TrialRequest, ports: frozenset[int]) -> None:
    del request, ports
    while (health := await engine.check_health(container)) is not Health.HEALTHY:
        if health is Health.NONE:
            raise Unsupported(
                "the container has no health check",
                hint="choose another sign with --ready: running, port or log=PATTERN",
                engine=engine.id,
            )
        await asyncio.sleep(HEALTH_LOOK_S)


async def _said(engine: Engine, container: str, request: TrialRequest, ports: frozenset[int]) -> None:
    del ports
    wanted = Expression(request.ready_pattern)
    async with engine.logs(container, follow=True) as lines:
        async for line in lines:
            if wanted.found_in(line.text):
                return
    await asyncio.Event().wait()  # the log is over: how it ended is told by whoever waits for that


async def _listening(engine: Engine, container: str, request: TrialRequest, ports: frozenset[int]) -> None:
    """By the tables of its own network namespace: a published port is served by the engine before the program is."""
    del request
    pid: int | None = None
    while True:
        if pid is None:
            pid = await asyncio.to_thread(_process, container) or await _first_process(engine, container)
        heard = await asyncio.to_thread(listened, Path(f"/proc/{pid}/net")) if pid else frozenset()
        if heard is None:
            raise Unsupported(
                "the container's ports cannot be looked at from here",
                detail=f"/proc/{pid}/net is not to be read; {engine.id} is on another machine, or hides its processes",
                hint="choose another sign with --ready: running, health or log=PATTERN",
                engine=engine.id,
            )
        if heard & ports if ports else heard:
            return
        await asyncio.sleep(PORT_LOOK_S)


def _process(container: str) -> int | None:
    return Places(container).first_pid()


async def _first_process(engine: Engine, container: str) -> int | None:
    try:
        found = await engine.processes(container)
    except (Conflict, NotFound):
        return None  # it has just ended: whoever waits for that says so
    return found[0].pid if found else None


def wrong_pattern(text: str) -> str:
    """What is wrong with a pattern for a line of the log, "" where nothing is."""
    try:
        Expression(text)
    except BadPattern as error:
        return str(error)
    return ""


__all__ = ["until_ready", "wrong_pattern"]
