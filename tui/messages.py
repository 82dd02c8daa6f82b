"""Messages between bridge, commands and screens: facts in past tense. They carry model objects, never widgets."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate
from backends.model.fleet import FleetView


@dataclass
class StoreChanged(Message):
    """The fleet's newest view; a later one replaces an earlier one that still waits."""

    view: FleetView

    def can_replace(self, message: Message) -> bool:
        """Only the newest view is worth drawing."""
        return isinstance(message, StoreChanged)


@dataclass
class OperationFinished(Message):
    """A command came to its end, whichever."""

    update: OperationUpdate


@dataclass
class CommandFailed(Message):
    """A command could not do what was asked. title: what was asked."""

    error: BackendError
    asked: str = ""


@dataclass
class FleetOpened(Message):
    """The engines are known; the store is alive. demo_reason: why it is the demo fleet, "" where it is not."""

    demo_reason: str = ""
