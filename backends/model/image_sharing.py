"""What images share, within one engine's store and across engines. Plain facts; who works them out stands elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backends.model.errors import BackendError
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image
from backends.model.values import Count

_NOWHERE: Mapping[EngineId, Count] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer of an image, and who has it too.

    diff_id: "sha256:…". size_bytes: uncompressed, as the image's engine counts it. own: no other image of that engine
    has this layer upon the same ones, so that it goes when the image goes. holders: all images of all engines that have
    a layer with this diff-ID, this image too.
    """

    diff_id: str
    command: str
    size_bytes: Count
    own: bool
    holders: tuple[ImageKey, ...]


@dataclass(frozen=True, slots=True)
class ImageShare:
    """An image with what it shares.

    layers: base first; () where they could not be read, and then the sums say why. containers: names of those that use
    it. total_bytes: of all layers. unique_bytes: of its own layers, what removing it frees. shared_bytes: of the
    others. base: the image (with a name) that it was built on, None where none is known; base_name: that one's name.
    travels: per other engine what copying it there moves, uncompressed; an estimate.
    """

    image: Image
    layers: tuple[SharedLayer, ...]
    total_bytes: Count
    unique_bytes: Count
    shared_bytes: Count
    containers: tuple[str, ...] = ()
    base: ImageKey | None = None
    base_name: str = ""
    travels: Mapping[EngineId, Count] = field(default_factory=lambda: _NOWHERE)

    @property
    def dangling(self) -> bool:
        """It has no name of any kind, as far as all of it could be read."""
        return not self.image.tags and not self.image.digests and not self.image.why

    @property
    def name(self) -> str:
        """What a person calls it: its first tag, else a digest, else the short id."""
        names = self.image.tags or self.image.digests
        return names[0] if names else self.image.key.short

    @property
    def others(self) -> frozenset[ImageKey]:
        """Images that have one of its layers too, on any engine."""
        return frozenset(key for layer in self.layers for key in layer.holders) - {self.image.key}


@dataclass(frozen=True, slots=True)
class ImageList:
    """All images of the engines that answered. errors: of those that did not.

    stored: what the images of an engine take together, a layer that several have counted once.
    """

    images: tuple[ImageShare, ...] = ()
    errors: tuple[BackendError, ...] = ()
    stored: Mapping[EngineId, Count] = field(default_factory=lambda: _NOWHERE)


__all__ = ["ImageList", "ImageShare", "SharedLayer"]
