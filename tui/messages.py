"""Messages between bridge, commands and screens: facts in past tense. They carry model objects, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backends.model.container import ChangedPath, LogLine
    from backends.model.errors import BackendError
    from backends.model.events import OperationUpdate
    from backends.model.files import Folder
    from backends.model.fleet import FleetView
    from backends.model.ids import ContainerKey
    from backends.model.process import ContainerProcess
    from backends.model.service_link import LinkReport
    from backends.model.stores import NetworkList, StoreKey, VolumeList
    from backends.model.values import Count
    from backends.model.workload import WorkloadSpec
    from backends.services.doctor import Diagnosis
    from backends.services.groups import GroupResult
    from backends.services.launch import Judged
    from backends.services.log_flow import LogBatch, LogPlace, Sourced
    from backends.services.log_pages import LogPages
    from backends.services.recreate import Before
    from widgets.column_choice import ColumnChoice


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
class AuditTroubled(Message):
    """Something is not in the audit trail, or the trail is not whole."""

    error: BackendError


@dataclass
class FleetOpened(Message):
    """The engines are known; the store is alive."""


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
    """Lines from before those shown, oldest first. pages: the way up that was asked. ended: there are none before them.
    error: they could not be read."""

    pages: LogPages
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
class RunLineRead(Message):
    """The command line that makes a container like `name`. hidden: variables whose values are left out, since they look
    like secrets. unsaid: what no option says."""

    name: str
    text: str
    hidden: tuple[str, ...]
    unsaid: tuple[str, ...]


@dataclass
class ColumnsRead(Message):
    """The columns that were chosen at an earlier start."""

    choice: ColumnChoice


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
    """How far a copy or the reading of a folder is, in a few words. share: 0.0 to 1.0, None where it is not known."""

    words: str
    share: float | None = None

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
