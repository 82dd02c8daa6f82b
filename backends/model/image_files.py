"""The files of an image as its layers give them: trees with marks, what is wasted, hints, and how two images differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from backends.model.ids import ImageKey


class FileKind(Enum):
    """What stands at a path. A hard link is a further name of a file of the same layer and takes no bytes."""

    FOLDER = "folder"
    FILE = "file"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"
    DEVICE = "device"
    PIPE = "pipe"


class Mark(Enum):
    """What a layer did to a path, or what the second image has in place of the first one's."""

    SAME = "same"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FileNode:
    """A path of a tree, with all below it. Text that is no UTF-8 has backslash escapes.

    size_bytes, files: of this path and all below it, what was removed left out (of a removed path: what went).
    layer: index of the layer that gave it, 0 = the base. mtime_s: since 1970. link: a link's target, as written.
    children: sorted by name.
    """

    name: str
    kind: FileKind
    mark: Mark
    size_bytes: int
    files: int
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_s: int = 0
    link: str = ""
    layer: int = 0
    children: tuple[FileNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Offender:
    """Bytes that lie in the image and cannot be seen: at this path, or below it where a folder was removed.

    times: how often a layer overwrote or removed it. files: how many files were lost by that. removed: ended so.
    """

    path: str
    wasted_bytes: int
    times: int
    files: int
    removed: bool


@dataclass(frozen=True, slots=True)
class WasteReport:
    """What an image carries in vain. total_bytes: all files of all layers. offenders: largest first.

    efficiency: as dive has it: for each path the bytes of its smallest copy (none where a layer removes it), added up,
    by the bytes of all copies. 1.0 = nothing comes twice. One difference: where a folder is removed, its files count as
    removed one by one; dive counts such a folder's bytes on both sides, so that removing it costs nothing.
    wasted_bytes: exactly what no one can see in the image; dive adds the last, visible copy to it.
    Source: github.com/wagoodman/dive, dive/filetree/efficiency.go.
    """

    total_bytes: int
    wasted_bytes: int
    efficiency: float
    offenders: tuple[Offender, ...] = ()

    @property
    def wasted_share(self) -> float:
        """Part of the image's bytes that is wasted, 0.0 to 1.0."""
        return self.wasted_bytes / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class LayerHint:
    """Something that is certainly not needed, or certainly there twice. remedy: the command that avoids it."""

    title: str
    path: str
    size_bytes: int
    remedy: str


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A path that two images have differently; for a whole folder that only one has, the folder alone.

    first_bytes, second_bytes: None where that image does not have it.
    """

    path: str
    mark: Mark
    first_bytes: int | None
    second_bytes: int | None
    files: int


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """How far the reading of an image is. total_bytes: as the engine counts the image, so near the truth only."""

    key: ImageKey
    read_bytes: int
    total_bytes: int
    layers_known: int
    layers: int


__all__ = [
    "FileDifference",
    "FileKind",
    "FileNode",
    "LayerHint",
    "Mark",
    "Offender",
    "ReadProgress",
    "WasteReport",
]
