"""containers/storage (Podman's image store) with overlay: where in its folders an image and its layers lie. Reads only.

Source: github.com/containers/storage, images.go, layers.go (layers.json, tar-split) and drivers/overlay/overlay.go.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from backends.stores.stored import (
    CONFIG_LIMIT_BYTES,
    StoredImage,
    StoredLayer,
    StoreError,
    checked_config,
    json_file,
    small_file,
)

DRIVER = "overlay"
_LIST_LIMIT_BYTES = 256 << 20
"""Of layers.json and images.json: about 1 KiB for each layer or image."""
_OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
_ID = re.compile(r"[0-9a-f]{64}")


def podman_image(root: Path, image_id: str, diff_ids: tuple[str, ...]) -> StoredImage:
    """The image below Podman's graph root. image_id: bare hex. Raises StoreError where it is not whole there.

    Images of additional, read-only stores are not.
    """
    if not _ID.fullmatch(image_id):
        raise StoreError("the image's id is of an unknown kind", detail=image_id[:80])
    coded = base64.b64encode(f"sha256:{image_id}".encode()).decode()
    config = checked_config(small_file(root / f"{DRIVER}-images" / image_id / f"={coded}"), image_id, diff_ids)
    images = _listed(root / f"{DRIVER}-images/images.json")
    layers = _listed(root / f"{DRIVER}-layers/layers.json")
    at = str(images.get(image_id, {}).get("layer") or "")
    found = []
    for diff_id in reversed(diff_ids):
        told = layers.get(at)
        if told is None or told.get("diff-digest") != diff_id or not _ID.fullmatch(at):
            raise StoreError("its list of layers does not have the image's", detail=diff_id)
        split, files = root / f"{DRIVER}-layers" / f"{at}.tar-split.gz", root / DRIVER / at / "diff"
        size = told.get("diff-size")
        found.append(StoredLayer(diff_id, split, files, size if isinstance(size, int) and size > 0 else None))
        at = str(told.get("parent") or "")
    manifest = json_file(root / f"{DRIVER}-images" / image_id / "manifest", CONFIG_LIMIT_BYTES)
    kind = (manifest.get("config") or {}).get("mediaType") if isinstance(manifest, dict) else None
    return StoredImage(config, tuple(reversed(found)), root, oci=kind == _OCI_CONFIG)


def _listed(path: Path) -> dict[str, dict[str, Any]]:
    told = json_file(path, _LIST_LIMIT_BYTES)
    if not isinstance(told, list):
        raise StoreError("a list of the store is of an unknown shape", detail=str(path))
    return {str(one.get("id")): one for one in told if isinstance(one, dict)}


__all__ = ["DRIVER", "podman_image"]
