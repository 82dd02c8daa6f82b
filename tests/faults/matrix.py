"""Every fault of an engine, and what it may not touch. Holds no test; `strikes` writes down what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from backends.model.errors import BackendError, Conflict, Denied, Protocol, TimedOut, Unreachable, Unsupported
from backends.model.events import Link
from tests.faults import full, ways
from tests.faults.between import Way, passed_on
from tests.faults.rights import no_override
from tests.faults.scene import BEATS, On, Outcome, Scene

Struck = Callable[[Scene], AbstractAsyncContextManager[None]]
"""Within it, the fault lasts."""

_NOBODY = 65534
DOCKER, PODMAN = ("docker",), ("podman",)


@dataclass(frozen=True)
class Fault:
    """what: for people. strike: makes it. tells: the errors of which the link may tell one while it lasts; none: it
    stands, and `meanwhile` is done on the struck engine, which returns how long the slowest of it took. afterwards:
    what must be possible again. on: what is struck.
    """

    name: str
    what: str
    strike: Struck
    tells: tuple[type[BackendError], ...] = ()
    on: On = "shared"
    kinds: tuple[str, ...] = (*DOCKER, *PODMAN)
    meanwhile: Callable[[Scene], Awaitable[float]] | None = None
    afterwards: Callable[[Scene], Awaitable[None]] | None = None


def answers(way: Way | Callable[[Scene], Way], *, cut: bool = True, made: bool = False) -> Struck:
    """All answers go that way. cut: what is open is broken off first. made: the way is made for the scene."""

    @asynccontextmanager
    async def struck(scene: Scene) -> AsyncIterator[None]:
        assert scene.between is not None
        scene.between.way = way(scene) if made else way  # type: ignore[call-arg, arg-type, assignment]
        if cut:
            scene.between.cut()
        try:
            yield
        finally:
            scene.between.way = passed_on
            scene.between.cut()

    return struck


@asynccontextmanager
async def _gone(scene: Scene) -> AsyncIterator[None]:
    assert scene.between is not None
    await scene.between.vanish()
    try:
        yield
    finally:
        await scene.between.appear()


@asynccontextmanager
async def _denied(scene: Scene) -> AsyncIterator[None]:
    between = scene.between
    assert between is not None
    with no_override():
        between.close_to(_NOBODY)
        between.cut()
        try:
            yield
        finally:
            between.open_to_all()


@asynccontextmanager
async def _cut_now(scene: Scene) -> AsyncIterator[None]:
    """All connections break, and may be made again at once; ten times."""
    assert scene.between is not None
    for _ in range(10):
        scene.between.cut()
        await asyncio.sleep(0.02)
    yield


@asynccontextmanager
async def _killed(scene: Scene) -> AsyncIterator[None]:
    assert scene.private is not None
    await asyncio.to_thread(scene.private.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(scene.private.start)


@asynccontextmanager
async def _frozen(scene: Scene) -> AsyncIterator[None]:
    assert scene.private is not None
    await asyncio.to_thread(scene.private.freeze)
    try:
        yield
    finally:
        await asyncio.to_thread(scene.private.thaw)


@asynccontextmanager
async def _restarted(scene: Scene) -> AsyncIterator[None]:
    """Killed and started at once."""
    assert scene.private is not None
    await asyncio.to_thread(scene.private.kill)
    await asyncio.to_thread(scene.private.start)
    await asyncio.to_thread(scene.private.wait)
    yield


CHURN = 20
"""Containers that really come and go at once."""


@asynccontextmanager
async def _churned(scene: Scene) -> AsyncIterator[None]:
    """Made and removed by the engine itself, as fast as it can."""

    async def one() -> None:
        made = await scene.direct.make()
        await scene.direct.engine.remove(made, force=True)

    await asyncio.gather(*(one() for _ in range(CHURN)))
    yield


@asynccontextmanager
async def _many(scene: Scene) -> AsyncIterator[None]:
    async with answers(lambda one: ways.many_like(one.model), made=True)(scene):
        await scene.comes(lambda: len(scene.rows()) > ways.MANY, f"{ways.MANY} rows")
        yield


OLD, NEW = ways.speaking("1.24", "1.12"), ways.speaking("1.99", "1.90")
FAULTS: Sequence[Fault] = (
    Fault("killed", "SIGKILL to the service, started again", _killed, (Unreachable,), on="private"),
    Fault("restarted", "SIGKILL to the service, started again at once", _restarted, on="private"),
    Fault("frozen", "SIGSTOP to all its threads, then SIGCONT", _frozen, (TimedOut,), on="private"),
    Fault("socket removed", "the socket's file is unlinked, its connections broken off", _gone, (Unreachable,)),
    Fault("socket denied", "the socket is another user's, mode 0600 (EACCES)", _denied, (Denied,)),
    Fault("forbidden", "HTTP 403 to everything, as by an authorization plugin", answers(ways.forbidden), (Denied,)),
    Fault("failing", "HTTP 500 to everything: no space left on device", answers(ways.broken), (Protocol, Conflict)),
    Fault("garbage", "bytes that are no HTTP, and the end", answers(ways.garbage), (Protocol, Unreachable)),
    Fault("half an answer", "half of the bytes promised", answers(ways.half_an_answer), (Unreachable,)),
    Fault("half a document", "JSON that ends in its middle", answers(ways.half_a_document), (Protocol,)),
    Fault("connections cut", "all connections reset, ten times in a row", _cut_now),
    Fault("never", "takes every request, answers none", answers(ways.never), (TimedOut,)),
    Fault("never, in silence", "the same, and the open streams stay open", answers(ways.never, cut=False), (TimedOut,)),
    Fault("dripping", "one byte in 20 ms", answers(ways.dripping), (TimedOut,)),
    Fault("late", "every answer 250 ms late", answers(ways.late)),
    Fault("clock set back", "by an hour, after events were asked for", answers(ways.another_time), kinds=PODMAN),
    Fault("older", "speaks API 1.24 to 1.41, and refuses others", answers(ways.speaking("1.41", "1.24")), kinds=DOCKER),
    Fault("older", "says it is libpod 4.3.0", answers(ways.speaking("4.3", "4.0")), kinds=PODMAN),
    Fault("newer", "speaks API 1.44 to 1.99, and refuses others", answers(ways.speaking("1.99", "1.44")), kinds=DOCKER),
    Fault("newer", "says it is libpod 9.9.0", answers(ways.speaking("9.9", "4.0")), kinds=PODMAN),
    Fault("much too old", "speaks nothing above API 1.24", answers(OLD), (Unsupported,), kinds=DOCKER),
    Fault("much too new", "speaks nothing below API 1.90", answers(NEW), (Unsupported,), kinds=DOCKER),
    Fault("event storm", "10,000 create and destroy events at once", answers(ways.storm)),
    Fault("churn", f"{CHURN} containers made and removed at once", _churned),
    Fault("1,000 containers", "the list holds a thousand containers more", _many),
    Fault(
        "own disk full",
        f"no byte left in its store; {', '.join(full.WISHES)}: each refused as that, and done once there is room",
        full.no_room, on="small", meanwhile=full.refuses, afterwards=full.goes_on,
    ),
)  # fmt: skip


async def strike(scene: Scene, fault: Fault) -> Outcome:
    """Do it, and see that the other engine's rows live, that no row is lost, and that all is true again after it."""
    before = set(scene.rows())
    assert scene.model in before
    async with scene.pulse() as pulse:
        async with fault.strike(scene):
            if fault.tells:
                noticed_s = await scene.comes(lambda: scene.tells(fault.tells), f"{fault.name} told")
            else:
                noticed_s = await (fault.meanwhile or _seen_behind_its_back)(scene)
                await scene.comes(lambda: scene.link() is Link.CONNECTED, "the link stands")
            seen = pulse.beats
            await scene.comes(lambda: pulse.beats >= seen + BEATS, "the other engine's rows live")
            lost = before - set(scene.rows())
        back_s = await scene.is_true_again()
        if fault.afterwards is not None:
            await fault.afterwards(scene)
            await scene.is_true_again()
        seen = pulse.beats
        await scene.comes(lambda: pulse.beats >= seen + BEATS, "the other engine's rows live afterwards")
    assert not lost, f"rows that went away while it lasted: {lost}"
    return Outcome(noticed_s, back_s, pulse)


async def _seen_behind_its_back(scene: Scene) -> float:
    """Make a container on the struck engine past all faults, and remove it: returns when its row came."""
    made = await scene.direct.make()
    came_s = await scene.comes(lambda: made in scene.rows(), "a new container's row")
    await scene.direct.engine.remove(made, force=True)
    return came_s


__all__ = ["FAULTS", "Fault", "strike"]
