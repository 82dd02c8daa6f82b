"""Builds that a person asked for, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.build import BuildEvent, BuildView, OutputLine
from backends.model.container import LogLine, LogStream
from backends.model.errors import BackendError
from backends.model.ids import EngineId
from tui.build_messages import BuildEnded, BuildMoved
from tui.telling import TELL_EVERY_S
from tui.workers import Reply, Work, called_off

if TYPE_CHECKING:
    from backends.services.builds import BuildWish
    from backends.services.fleet import Fleet


class BuildCommands:
    """Starts workers on behalf of the build screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._builds: list[tuple[str, Worker[None]]] = []

    def build(self, engine: EngineId, wish: BuildWish, reply: Reply) -> Worker[None]:
        """Build (BuildMoved, then BuildEnded); cancelling the worker ends the build."""
        subject = wish.tags[0] if wish.tags else str(wish.folder)
        worker = self._work(partial(self._build, engine, wish, reply), name=f"build {subject}", group="builds")
        self._builds = [one for one in self._builds if not one[1].is_finished]
        self._builds.append((subject, worker))
        return worker

    async def _build(self, engine: EngineId, wish: BuildWish, reply: Reply) -> None:
        from backends.services.builds import build_image, failed

        telling = _Telling(reply)
        try:
            built = await build_image(self._fleet(), engine, wish, telling)
        except BackendError as error:
            telling.flush()
            reply(BuildEnded(failed(telling.view, telling.now_s()), telling.now_s(), error=error))
        except asyncio.CancelledError:
            telling.flush()
            reply(BuildEnded(failed(telling.view, telling.now_s()), telling.now_s()))
            raise
        else:
            telling.flush()
            reply(BuildEnded(built.view, telling.now_s(), built.key, built.names))
        finally:
            telling.close()

    @property
    def running(self) -> tuple[str, ...]:
        """What is being built."""
        return tuple(subject for subject, worker in self._builds if not worker.is_finished)

    async def close(self) -> None:
        """End all builds and wait until nothing of them runs."""
        await called_off(worker for _, worker in self._builds)
        self._builds.clear()


class _Telling:
    """Gathers events and hands them on at most ten times a second."""

    def __init__(self, reply: Reply) -> None:
        self.view = BuildView()
        self._reply = reply
        self._began_s = time.monotonic()
        self._lines: list[LogLine] = []
        self._timer: asyncio.TimerHandle | None = None

    def now_s(self) -> float:
        """Seconds since the build began."""
        return time.monotonic() - self._began_s

    def __call__(self, event: BuildEvent) -> None:
        from backends.services.builds import advanced

        if isinstance(event, OutputLine):
            self._lines.append(LogLine(LogStream.STDOUT, event.text))
        else:
            self.view = advanced(self.view, event, self.now_s())
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY_S, self.flush)

    def flush(self) -> None:
        """Hand on what waits."""
        self.close()
        lines, self._lines = tuple(self._lines), []
        self._reply(BuildMoved(self.view, lines, self.now_s()))

    def close(self) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


__all__ = ["BuildCommands"]
