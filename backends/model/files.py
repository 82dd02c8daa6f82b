"""What stands in a folder of a container or a volume."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FileKind(StrEnum):
    """What an entry is."""

    FOLDER = "folder"
    FILE = "file"
    LINK = "link"
    OTHER = "other"  # devices, pipes, sockets


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of a folder. name: without its folder. mode: the permission bits. modified_at: None where not told.

    target: of a link, "" where not told.
    """

    name: str
    kind: FileKind
    size_bytes: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    modified_at: datetime | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it was read: entries by name, folders first. path: absolute in its container, or in its volume."""

    path: str
    entries: tuple[FileEntry, ...]


__all__ = ["FileEntry", "FileKind", "Folder"]
