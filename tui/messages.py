"""Messages between bridge, commands and screens: facts in past tense. They carry model objects, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.events import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backends.model.container import LogLine
    from backends.model.errors import BackendError
    from backends.model.events import OperationUpdate
    from backends.model.fleet import FleetView
    from backends.model.ids import ContainerKey, ImageKey
    from backends.model.image import LayerReport
    from backends.model.image_files import FileNode, LayerHint, ReadProgress, WasteReport
    from backends.model.image_sharing import ImageList
    from backends.model.plan import MigrationReport, Plan, StepProgress
    from backends.services.doctor import Diagnosis
    from backends.services.groups import GroupResult
    from tui.layer_commands import TreeAsked


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
class GroupFinished(Message):
    """One action on several containers came to its end, whichever."""

    action: str
    result: GroupResult


@dataclass
class Examined(Message):
    """Doctor has looked at everything."""

    diagnoses: tuple[Diagnosis, ...]


@dataclass
class FleetOpened(Message):
    """The engines are known; the store is alive."""


@dataclass
class LayersLoaded(Message):
    """An image's layers were read."""

    image: ImageKey
    report: LayerReport


@dataclass
class LayersFailed(Message):
    """An image's layers could not be read."""

    image: ImageKey
    error: BackendError


@dataclass
class ImagesSeen(Message):
    """What images there are now; a later one replaces an earlier one that still waits."""

    images: ImageList

    def can_replace(self, message: Message) -> bool:
        """Only the newest list is worth drawing."""
        return isinstance(message, ImagesSeen)


@dataclass
class ImageReadProgressed(Message):
    """How far the reading of an image's layers is."""

    progress: ReadProgress

    def can_replace(self, message: Message) -> bool:
        """Only the newest count is worth drawing."""
        return isinstance(message, ImageReadProgressed)


@dataclass
class ImageRead(Message):
    """All layers of an image were read; its trees can be asked for."""

    image: ImageKey
    waste: WasteReport
    hints: tuple[LayerHint, ...]


@dataclass
class ImageUnread(Message):
    """An image's layers could not be read."""

    image: ImageKey
    error: BackendError


@dataclass
class TreeGrown(Message):
    """A tree that was asked for."""

    image: ImageKey
    asked: TreeAsked
    tree: FileNode


@dataclass
class LayersShared(Message):
    """Names of the other images that have the layers of one, by diff-ID."""

    image: ImageKey
    others: Mapping[str, tuple[str, ...]]


@dataclass
class InspectLoaded(Message):
    """The engine's own JSON of one container."""

    container: ContainerKey
    inspect: Mapping[str, object]


@dataclass
class InspectFailed(Message):
    """A container could not be inspected."""

    container: ContainerKey
    error: BackendError


@dataclass
class UsersNamed(Message):
    """The names of users of this machine, by numeric id; the id itself where one has none."""

    names: Mapping[int, str]


@dataclass
class LogLinesArrived(Message):
    """More lines of a log that is followed, oldest first."""

    container: ContainerKey
    lines: tuple[LogLine, ...]


@dataclass
class LogEnded(Message):
    """No more lines come: the engine ended the stream, or it broke (error). last_at: when the last line was printed."""

    container: ContainerKey
    error: BackendError | None = None
    last_at: datetime | None = None


@dataclass
class LogSearched(Message):
    """A log was searched. found: lines that hold the text."""

    text: str
    found: int


@dataclass
class PlanMade(Message):
    """A migration was planned; nothing was done yet."""

    plan: Plan


@dataclass
class PlanFailed(Message):
    """No plan could be made."""

    error: BackendError


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
    """A migration came to its end: with a report, or with the error that stopped it; cancelled: neither.

    Where there is no report, what was made is undone.
    """

    report: MigrationReport | None = None
    error: BackendError | None = None


@dataclass
class MigrationSettled(Message):
    """A finished migration was accepted or undone (done: what that did, for people), or could not be (error)."""

    done: tuple[str, ...] = ()
    error: BackendError | None = None
