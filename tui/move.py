"""One move as the screens see it: of a container, or of a project's containers in lockstep. Starts nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import Worker

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId
from tui.move_messages import MigrationFinished, MigrationProgressed, MigrationSettled
from tui.workers import Reply

if TYPE_CHECKING:
    from backends.model.plan import Check, MigrationReport, Plan, StepProgress

"""Where the answer goes: a screen's post_message."""


class Word(StrEnum):
    """What a person says of a finished move."""

    ACCEPT = "accept"
    REMOVE = "remove"  # accept it, and remove the source
    UNDO = "undo"
    VERIFY = "verify"  # compare once more


class State(StrEnum):
    """Where a move is. WAITING: done and proved, it can be accepted or undone."""

    RUNNING = "running"
    UNDOING = "undoing"  # it was cancelled, or failed, and is taken back
    CANCELLED = "cancelled"
    FAILED = "failed"
    WAITING = "waiting"
    SETTLING = "settling"  # is being accepted, undone or compared
    ACCEPTED = "accepted"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly undone"
    CUT_OFF = "cut off"  # its process is gone
    ELSEWHERE = "run by another process"

    @property
    def under_way(self) -> bool:
        """The run itself is not over."""
        return self in {State.RUNNING, State.UNDOING}


@dataclass
class Move:
    """One migration, from its start on.

    plans: of its containers, in the order in which they go. container: that it was begun from; targets: where else it
    could have gone. project: whose containers it moves, "" where it is one alone. journals: ids, as the plans; () as
    long as they are not known. reply: the screen that looks on, None while none does. progress: the newest; each: per
    container. undoing: what is taken back. reports, error: how it ended, neither where it was cancelled or met a bug.
    left: what could not be taken back, and what to do about it. told: what the journal of an earlier session's move
    says; resumable: it can be finished. settled: what accepting or undoing it did; word_error: why it did not.
    again: what a later comparison found, per container, at again_at.
    """

    plans: tuple[Plan, ...]
    container: Container
    targets: tuple[EngineId, ...]
    reply: Reply | None = None
    state: State = State.RUNNING
    project: str = ""
    journals: tuple[str, ...] = ()
    progress: StepProgress | None = None
    each: dict[ContainerKey, StepProgress] = field(default_factory=dict)
    undoing: list[str] = field(default_factory=list)
    reports: tuple[MigrationReport, ...] = ()
    error: BackendError | None = None
    bug: str = ""
    left: str = ""
    told: str = ""
    resumable: bool = False
    settled: tuple[str, ...] = ()
    word_error: BackendError | None = None
    again: tuple[tuple[Check, ...], ...] = ()
    again_at: datetime | None = None
    worker: Worker[None] | None = None

    @property
    def plan(self) -> Plan:
        """The first one's."""
        return self.plans[0]

    @property
    def name(self) -> str:
        """What is moved: a project, or a container."""
        return self.project or self.plan.source_name

    @property
    def keys(self) -> frozenset[ContainerKey]:
        """The sources."""
        return frozenset(plan.source for plan in self.plans)

    @property
    def undoable(self) -> bool:
        """The run is over, and can still be taken back, or what is left of it."""
        if self.state in {State.FAILED, State.CANCELLED}:
            return bool(self.left and self.journals)
        return self.state in {State.WAITING, State.PARTLY_UNDONE, State.CUT_OFF}

    @property
    def comparable(self) -> bool:
        """Copies and sources can be compared once more."""
        return self.state in {State.WAITING, State.ACCEPTED} and bool(self.journals)

    @property
    def over(self) -> bool:
        """Nothing is to be done about it any more."""
        ended = self.state in {State.ACCEPTED, State.UNDONE, State.CANCELLED, State.FAILED}
        return ended and not self.undoable

    def _tell(self, message: Message) -> None:
        if self.reply is not None:
            self.reply(message)

    def follow(self, plan: Plan, progress: StepProgress) -> None:
        """It has come further, with this plan."""
        if progress.undoing:
            self.state = State.UNDOING
            if progress.phase is not Phase.FAILED:
                self.undoing.append(progress.note or progress.step.title)
        else:
            self.progress = self.each[plan.source] = progress
        self._tell(MigrationProgressed(progress))

    def finish(
        self,
        state: State,
        *,
        reports: tuple[MigrationReport, ...] = (),
        error: BackendError | None = None,
        bug: str = "",
    ) -> None:
        """The run is over."""
        self.state, self.reports, self.error, self.bug = state, reports, error, bug
        self._tell(MigrationFinished(reports, error))

    def settle(self, state: State, done: tuple[str, ...] = (), error: BackendError | None = None) -> None:
        """A person's word was carried out, or could not be."""
        self.state, self.word_error = state, error
        self.settled = done or self.settled
        self._tell(MigrationSettled(done, error))

    def compared(self, state: State, checks: tuple[tuple[Check, ...], ...], at: datetime) -> None:
        """It was compared once more."""
        self.again, self.again_at = checks, at
        self.settle(state)

    def renewed(self, newer: Move) -> Move:
        """The same, as its journals tell it now; for one that no worker of ours is at."""
        self.plans, self.state, self.told = newer.plans, newer.state, newer.told
        self.reports, self.resumable = newer.reports or self.reports, newer.resumable
        return self

    def cancel(self) -> None:
        """Undo what it made."""
        if self.worker is not None and self.state is State.RUNNING:
            self.state = State.UNDOING
            self.worker.cancel()
