"""What workers answer about migrations. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.events import Phase

if TYPE_CHECKING:
    from backends.model.errors import BackendError
    from backends.model.plan import Choices, MigrationReport, Plan, StepProgress


@dataclass
class PlanMade(Message):
    """A migration was planned; nothing was done yet. plans: in the order in which their containers go.

    choices: what was asked for. project: whose containers they are, "" where it is one alone.
    """

    plans: tuple[Plan, ...]
    choices: Choices
    project: str = ""


@dataclass
class PlanFailed(Message):
    """No plan could be made."""

    error: BackendError


@dataclass
class MovesListed(Message):
    """The moves of earlier sessions were read from their journals, or could not be (error)."""

    error: BackendError | None = None


@dataclass
class MigrationProgressed(Message):
    """Where a migration is; counts of bytes of one step replace each other."""

    progress: StepProgress

    def can_replace(self, message: Message) -> bool:
        """Only the newest count is worth drawing; beginnings and ends of steps all are."""
        return (
            isinstance(message, MigrationProgressed)
            and self.progress.phase is Phase.PROGRESS
            and message.progress.phase is Phase.PROGRESS
            and message.progress.index == self.progress.index
            and message.progress.note == self.progress.note
        )


@dataclass
class MigrationFinished(Message):
    """A migration came to its end: with a report of each, or with the error that stopped it; cancelled: neither.

    Where there is no report, what was made is undone.
    """

    reports: tuple[MigrationReport, ...] = ()
    error: BackendError | None = None


@dataclass
class MigrationSettled(Message):
    """A finished migration was accepted or undone (done: what that did, for people), or could not be (error)."""

    done: tuple[str, ...] = ()
    error: BackendError | None = None
