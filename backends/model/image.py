"""An image, its layers, and the facts by which two copies of it are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backends.model.ids import ImageKey
from backends.model.settings import HealthSpec


@dataclass(frozen=True, slots=True)
class Image:
    """One image in one store. tags: full references; size_bytes: as the engine counts it (all layers).

    why: which parts of the engine's answer could not be read, and why not; "" where all could.
    """

    key: ImageKey
    tags: tuple[str, ...]
    size_bytes: int
    created_at: datetime | None
    digests: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What identifies an image's content on any engine.

    config_digest: "sha256:..." of the image config where the engine tells it, else "".
    diff_ids: ordered uncompressed layer digests ("sha256:..."), from RootFS.Layers.
    health: the check that its containers inherit on this engine, None where there is none. Podman inherits none from an
    image in OCI form, whose specification has no such field; Docker reads it there all the same.
    Source for the comparison: OCI image spec, config.md, "rootfs.diff_ids".
    """

    key: ImageKey
    tags: tuple[str, ...]
    config_digest: str
    diff_ids: tuple[str, ...]
    architecture: str
    os: str
    size_bytes: int
    health: HealthSpec | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of an image's history.

    diff_id: "sha256:..." or "" for a step that made no layer (ENV, CMD, ...).
    command: what made it, cleaned for reading. size_bytes: uncompressed; None where the engine does not tell.
    """

    command: str
    diff_id: str
    size_bytes: int | None
    created_at: datetime | None
    comment: str = ""

    @property
    def empty(self) -> bool:
        """Made no layer."""
        return not self.diff_id


@dataclass(frozen=True, slots=True)
class LayerReport:
    """An image's history, base first. total_bytes: sum of the layers whose size is known."""

    key: ImageKey
    reference: str
    layers: tuple[Layer, ...]
    architecture: str = ""

    @property
    def total_bytes(self) -> int:
        """Bytes of all layers together, uncompressed."""
        return sum(layer.size_bytes or 0 for layer in self.layers)
