"""How two images differ: files, layers and configuration. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from backends.model.ids import ImageKey
from backends.model.image import Layer
from backends.model.image_config import ConfigDifference
from backends.model.image_files import FileDifference, FileNode, Mark


@dataclass(frozen=True, slots=True)
class ComparedImage:
    """One of two. layers: those that hold files, base first. files_bytes, files: what is seen in it at last."""

    key: ImageKey
    reference: str
    layers: tuple[Layer, ...]
    files_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """A layer of either. mark: in both (SAME), in the first only (REMOVED), or in the second only (ADDED)."""

    layer: Layer
    mark: Mark


@dataclass(frozen=True, slots=True)
class ImageComparison:
    """What the second has differently. tree: the second's, what only the first has as removed. files: largest first."""

    first: ComparedImage
    second: ComparedImage
    tree: FileNode
    files: tuple[FileDifference, ...]
    layers: tuple[LayerDifference, ...]
    config: tuple[ConfigDifference, ...]


__all__ = ["ComparedImage", "ImageComparison", "LayerDifference"]
