"""From the fleet to the screen: at most ten views a second, the newest always last, and how operations ended.

May not change the store. One of the two modules where workers live (the other is commands).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from backends.model.fleet import FleetView
from tui.bootstrap import Show
from tui.messages import AuditTroubled, FleetOpened, OperationFinished, StoreChanged

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from backends.services.fleet import Fleet

OpenFleet: TypeAlias = Callable[[Show], Awaitable["Fleet"]]
"""Opens the fleet. What it is given shows a view on the way, and returns when that is on the screen."""

FRAME_MOST_S = 0.5
"""No longer is waited for a frame: a screen that is covered before it was drawn does not tell of it (Textual 8.2)."""
FRAME_S = 0.1  # measured: 10 frames a second is what a table of 200 rows is drawn at without being felt


class Coalescer:
    """Passes on the newest of many values: the first in the next turn of the loop, then one per `frame_s` seconds."""

    def __init__(self, emit: Callable[[FleetView], object], *, frame_s: float = FRAME_S) -> None:
        self._emit = emit
        self._frame_s = frame_s
        self._waiting: FleetView | None = None
        self._timer: asyncio.Handle | None = None
        self._next_at = 0.0

    def take(self, view: FleetView) -> None:
        """Accept a view; event-loop thread only."""
        self._waiting = view
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._next_at - loop.time()
        # Never within the call: the readings of several engines come in one turn of the loop, and are one frame.
        self._timer = loop.call_soon(self._pass_on) if wait_s <= 0 else loop.call_later(wait_s, self._pass_on)

    def _pass_on(self) -> None:
        self._timer = None
        view, self._waiting = self._waiting, None
        if view is not None:
            self._next_at = asyncio.get_running_loop().time() + self._frame_s
            self._emit(view)

    def close(self) -> None:
        """Pass on nothing more."""
        self._waiting = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Bridge:
    """Opens the fleet after the first frame and carries its views and the ends of its operations to the app."""

    def __init__(self, app: App[None], open_fleet: OpenFleet) -> None:
        self._app = app
        self._open_fleet = open_fleet
        self._coalescer = Coalescer(lambda view: app.post_message(StoreChanged(view)))
        self._subscriptions: tuple[Callable[[], None], ...] = ()
        self._worker: Worker[None] | None = None
        self.fleet: Fleet | None = None

    def start_after_frame(self) -> None:
        """Open the fleet once the first frame is drawn; FleetOpened says when it is there."""
        self._app.call_after_refresh(self._start)
        self._app.set_timer(FRAME_MOST_S, self._start, name="open the fleet anyhow")

    def _start(self) -> None:
        if self._worker is not None:
            return
        self._worker = self._app.run_worker(self._open(), name="open fleet", group="bridge", exit_on_error=False)

    async def _open(self) -> None:
        fleet = await self._open_fleet(self._show)
        self.fleet = fleet
        self._subscriptions = (
            fleet.store.subscribe(self._coalescer.take),
            fleet.operations.subscribe(lambda update: self._app.post_message(OperationFinished(update))),
            fleet.on_audit_problem(lambda error: self._app.post_message(AuditTroubled(error))),
        )
        await fleet.start()
        self._coalescer.take(fleet.store.view)
        self._app.post_message(FleetOpened())

    async def _show(self, view: FleetView) -> None:
        """A view from before there is a fleet; returns when it is drawn, so that no import holds that up."""
        drawn = asyncio.Event()
        self._app.post_message(StoreChanged(view))
        if self._app.call_after_refresh(drawn.set):  # False where the app is ending
            with suppress(TimeoutError):
                await asyncio.wait_for(drawn.wait(), FRAME_MOST_S)

    async def close(self) -> None:
        """Stop listening and close the fleet; safe when it never opened, and to call twice."""
        if self._worker is not None and not self._worker.is_finished:
            self._worker.cancel()
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._coalescer.close()
        fleet, self.fleet = self.fleet, None
        if fleet is not None:
            await fleet.close()
