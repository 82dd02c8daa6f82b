"""A key that is pressed on a row before its engine is connected: done once it is. Draws nothing, asks no engine."""

from __future__ import annotations

from backends.model.events import Link
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.action import Scope
from tui.actions import BY_ID


class HeldKey:
    """At most one, the last that was pressed: rows are on the screen a moment before anything can be asked of them."""

    def __init__(self) -> None:
        self._held: tuple[str, ContainerKey] | None = None

    def holds(self, action: str, key: ContainerKey | None, view: FleetView) -> bool:
        """Whether the action has to wait; it is kept then. key: the row under the cursor. An earlier one is dropped."""
        self._held = None
        if key is None or BY_ID[action].scope is not Scope.CONTAINER or not _connecting(key, view):
            return False
        self._held = action, key
        return True

    def due(self, key: ContainerKey | None, view: FleetView) -> str:
        """What is to be done now, "" where nothing is (yet). Where the cursor has left the row, nothing will be."""
        if self._held is None or _connecting(self._held[1], view):
            return ""
        (action, pressed_on), self._held = self._held, None
        return action if pressed_on == key else ""


def _connecting(key: ContainerKey, view: FleetView) -> bool:
    engine = view.engines.get(key.engine)
    return engine is not None and engine.connection.link is Link.CONNECTING


__all__ = ["HeldKey"]
