"""Keeps Python's search for cyclic garbage from holding a key up. Frees nothing that is still used, draws nothing.

A full search stops every thread, and takes the longer the more objects there are: 50 ms with 400 containers on the
screen, every few seconds while they change. What one search found alive is therefore left out of the next ones; all of
it is searched again when nobody has pressed a key for a while.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from textual import events

from tui.mended import MendedApp

_LOOK_S = 2.0
_SILENCE_S, _REST_S = 3.0, 15.0
"""No key and no mouse for so long: nobody waits, where something large has gone; where nothing is known to have."""
_MANY, _TOO_MANY = 20, 400
"""Searches that left something out: worth a search of all at rest; worth one even amid keys (an hour of full load)."""


class Tidying(MendedApp):
    """An app that searches for garbage while nobody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._touched_at = time.monotonic()
        self._left_out = 0

    async def on_event(self, event: events.Event) -> None:
        """Textual's hook for all that comes from the terminal, before it goes its way."""
        if isinstance(event, events.InputEvent):
            self._touched_at = time.monotonic()
        await super().on_event(event)

    @contextmanager
    def tidied(self) -> Iterator[None]:
        """Within, no search looks again at what an earlier one found alive. For the process, so for one app in it."""
        gc.callbacks.append(self._searched)
        try:
            yield
        finally:
            gc.callbacks.remove(self._searched)

    def on_mount(self) -> None:
        """From now on."""
        self.set_interval(_LOOK_S, self._search_in_silence)

    def leave_out_all(self) -> None:
        """What was made for good has been made: no search needs to find that out."""
        from backends.layers.uncollected import leave_out

        leave_out()

    def _searched(self, phase: str, info: dict[str, int]) -> None:
        """For `gc.callbacks`, in any thread: what a full search has found alive is not looked at by the next one."""
        if phase == "stop" and info["generation"] == 2:
            gc.freeze()
            self._left_out += 1

    def _search_in_silence(self) -> None:
        from backends.layers.uncollected import is_due, search

        silent_s = time.monotonic() - self._touched_at
        wanted = silent_s >= _SILENCE_S and is_due()
        if wanted or (silent_s >= _REST_S and self._left_out >= _MANY) or self._left_out >= _TOO_MANY:
            search()
            self._left_out = 0


__all__ = ["Tidying"]
