"""What of a store's folders is an image: its configuration, and of each layer where its parts lie. Opens nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.model.errors import Unsupported

CONFIG_LIMIT_BYTES = 16 << 20
"""No larger configuration is read. Registries take manifests of 4 MiB; configurations are smaller than those."""


class StoreError(Unsupported):
    """The store's folders do not give this: they are elsewhere, not ours to read, of another kind, or have changed.

    Nothing is lost by it: the engine's own API gives the same.
    """


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """One layer. split: its tar-split file, what its tar is made of besides the files' contents. files: the folder that
    has those. size_bytes: of its tar, where the store tells it.
    """

    diff_id: str
    split: Path
    files: Path
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image. config: JSON, of the digest that is the image's id. layers: base first. root: the store's folder.
    oci: it is kept in OCI's format, else in Docker's.
    """

    config: bytes
    layers: tuple[StoredLayer, ...]
    root: Path
    oci: bool = False

    def layer(self, diff_id: str) -> StoredLayer:
        """The layer with this diff-ID. Raises KeyError where the image has none."""
        return {layer.diff_id: layer for layer in self.layers}[diff_id]


def small_file(path: Path, limit: int = CONFIG_LIMIT_BYTES) -> bytes:
    """All of a file. Raises StoreError where it is not there, not ours to read, or larger than `limit`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise unreadable(error) from error
    if len(data) > limit:
        raise StoreError("a file of the store is larger than such files are", detail=str(path))
    return data


def json_file(path: Path, limit: int) -> Any:
    """A JSON file. Raises StoreError where it cannot be read or is none."""
    try:
        return json.loads(small_file(path, limit))
    except (ValueError, RecursionError) as error:
        raise StoreError("a file of the store is not JSON", detail=f"{path}: {error}") from error


def unreadable(error: OSError) -> StoreError:
    """The operating system's refusal, in people's words."""
    if isinstance(error, PermissionError):
        return StoreError("its folders may not be read by this user", detail=str(error))
    if isinstance(error, FileNotFoundError):
        return StoreError("a part of it is not in its folders", detail=str(error))
    return StoreError("its folders cannot be read", detail=str(error))


def checked_config(config: bytes, image_id: str, diff_ids: tuple[str, ...]) -> bytes:
    """The configuration, if it is the one of this image. Raises StoreError where it is not: the store is another's."""
    if hashlib.sha256(config).hexdigest() != image_id:
        raise StoreError("the image's configuration in it has another digest than the engine tells")
    try:
        told = tuple(json.loads(config)["rootfs"]["diff_ids"] or ())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError("the image's configuration in it names no layers", detail=repr(error)) from error
    if told != diff_ids:
        raise StoreError("the image's configuration in it names other layers than the engine tells")
    return config


__all__ = ["StoreError", "StoredImage", "StoredLayer", "checked_config", "json_file", "small_file", "unreadable"]
