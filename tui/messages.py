"""Messages between bridge, commands and screens: facts in past tense. They carry model objects, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.events import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backends.model.container import ChangedPath, LogLine
    from backends.model.errors import BackendError
    from backends.model.events import OperationUpdate
    from backends.model.files import Folder
    from backends.model.fleet import FleetView
    from backends.model.ids import ContainerKey, EngineId, ImageKey
    from backends.model.image import LayerReport
    from backends.model.image_files import FileNode, LayerHint, ReadProgress, WasteReport
    from backends.model.image_sharing import ImageList
    from backends.model.plan import Choices, MigrationReport, Plan, StepProgress
    from backends.model.process import ContainerProcess
    from backends.model.service_link import LinkReport
    from backends.model.stores import NetworkList, StoreKey, VolumeList
    from backends.model.transfer import FoundImage, Login, PlatformReport
    from backends.model.values import Count
    from backends.model.workload import WorkloadSpec
    from backends.services.launch import Judged
    from backends.services.log_flow import LogBatch, LogPlace, Sourced
    from backends.services.recreate import Before
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
class ImagesFound(Message):
    """What a search found, in the order of the engines; errors: of those that found nothing because they failed."""

    term: str
    found: tuple[tuple[EngineId, FoundImage], ...]
    errors: tuple[BackendError, ...] = ()


@dataclass
class PlatformsSeen(Message):
    """For which platforms a registry has an image."""

    engine: EngineId
    report: PlatformReport


@dataclass
class LoginsSeen(Message):
    """What the engines' credential stores have, without the secrets. errors: of those that cannot be read."""

    logins: Mapping[EngineId, tuple[Login, ...]]
    errors: tuple[BackendError, ...] = ()


@dataclass
class VolumesSeen(Message):
    """What volumes there are now. sizes: as far as they were counted."""

    volumes: VolumeList
    sizes: Mapping[StoreKey, Count]


@dataclass
class NetworksSeen(Message):
    """What networks there are now."""

    networks: NetworkList


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
class ProcessesSeen(Message):
    """The processes of a container, or why they are not known (error)."""

    container: ContainerKey
    processes: tuple[ContainerProcess, ...] = ()
    error: BackendError | None = None


@dataclass
class ChangesSeen(Message):
    """What a container has changed of its image's files, or why that is not known (error)."""

    container: ContainerKey
    paths: tuple[ChangedPath, ...] = ()
    error: BackendError | None = None


@dataclass
class InspectFailed(Message):
    """A container could not be inspected."""

    container: ContainerKey
    error: BackendError


@dataclass
class LinksFound(Message):
    """What was found of a container's links, or why not (error)."""

    report: LinkReport
    error: BackendError | None = None


@dataclass
class LinkOpened(Message):
    """A browser was asked to open an address. wrong: why it could not be, "" where it could."""

    wrong: str = ""


@dataclass
class UsersNamed(Message):
    """The names of users of this machine, by numeric id; the id itself where one has none."""

    names: Mapping[int, str]


@dataclass
class LogLinesArrived(Message):
    """More lines of logs that are followed."""

    batch: LogBatch


@dataclass
class OlderLinesRead(Message):
    """Lines from before those shown, oldest first. ended: there are none before them. error: they could not be read."""

    lines: tuple[Sourced, ...]
    ended: bool = False
    error: BackendError | None = None


@dataclass
class LogSaved(Message):
    """Lines of a log were written into a file."""

    path: Path
    lines: int


@dataclass
class LogEnded(Message):
    """No more lines come: the engine ended the stream, or it broke (error). last: how far it was read."""

    container: ContainerKey
    error: BackendError | None = None
    last: LogPlace | None = None


@dataclass
class LogSearched(Message):
    """A log was searched. found: lines that hold the text."""

    text: str
    found: int


@dataclass
class DraftJudged(Message):
    """What becomes of a draft. looked: the engine and its machine were asked; else only what is known already."""

    judged: Judged
    looked: bool


@dataclass
class NamesKnown(Message):
    """Names that can be completed in a form."""

    images: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]


@dataclass
class BaseRead(Message):
    """The recipe that a form begins with, and what becomes of a container to be changed; or why it is not read."""

    base: WorkloadSpec | None = None
    before: Before | None = None
    error: BackendError | None = None


@dataclass
class FolderRead(Message):
    """A folder was read, or could not be (error). path: as it was asked for."""

    path: str
    folder: Folder | None = None
    error: BackendError | None = None


@dataclass
class LaunchEnded(Message):
    """A new container runs (key), or does not: error, where nobody else tells of it."""

    key: ContainerKey | None = None
    error: BackendError | None = None


@dataclass
class FilesProgressed(Message):
    """How far a copy or the reading of a folder is, in a few words."""

    words: str

    def can_replace(self, message: Message) -> bool:
        """Only the newest is worth drawing."""
        return isinstance(message, FilesProgressed)


@dataclass
class FilesCopied(Message):
    """A copy came to its end: what was done, for people, and what is to be known of it; or the error."""

    words: str = ""
    notes: tuple[str, ...] = ()
    error: BackendError | None = None


@dataclass
class ProgramSaid(Message):
    """A command in a container said more."""

    lines: tuple[LogLine, ...]


@dataclass
class ProgramEnded(Message):
    """A command in a container came to its end, or could not be run (error)."""

    exit_code: int | None = None
    error: BackendError | None = None


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
