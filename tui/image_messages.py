"""What workers answer about images, their layers and registries. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.model.errors import BackendError
    from backends.model.ids import EngineId, ImageKey
    from backends.model.image import LayerReport
    from backends.model.image_files import FileNode, LayerHint, ReadProgress, WasteReport
    from backends.model.image_sharing import ImageList
    from backends.model.transfer import FoundImage, Login, PlatformReport
    from tui.layer_commands import TreeAsked


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
