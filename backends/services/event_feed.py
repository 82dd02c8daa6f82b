"""The events of all engines, as they came: the last ones kept, listeners told. Asks no engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from backends.model.events import EngineEvent

KEPT = 5_000


class EventFeed:
    """kept: the last events, oldest first. total: how many ever came."""

    def __init__(self) -> None:
        self.kept: deque[EngineEvent] = deque(maxlen=KEPT)
        self.total = 0
        self._listeners: list[Callable[[EngineEvent], object]] = []

    def hear(self, event: EngineEvent) -> None:
        """An event came."""
        self.kept.append(event)
        self.total += 1
        for listener in tuple(self._listeners):
            listener(event)

    def subscribe(self, listener: Callable[[EngineEvent], object]) -> Callable[[], None]:
        """Call the listener with each event from now on; returns the function that ends it (safe to call twice)."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end
