"""Docker's own image store (overlay2): where in its folders an image and its layers lie. Reads; changes nothing.

Source: moby, layer/filestore.go (layerdb) and image/fs.go (imagedb).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from backends.stores.stored import StoredImage, StoredLayer, StoreError, checked_config, small_file

DRIVER = "overlay2"
_LINE_BYTES = 4096
_ID = re.compile(r"[0-9a-f]{64}")
_CACHE_ID = re.compile(r"[0-9a-z]{1,128}")


def docker_image(root: Path, image_id: str, diff_ids: tuple[str, ...]) -> StoredImage:
    """The image below Docker's root folder. image_id: bare hex. Raises StoreError where it is not whole there."""
    if not _ID.fullmatch(image_id):
        raise StoreError("the image's id is of an unknown kind", detail=image_id[:80])
    own = root / "image" / DRIVER
    config = checked_config(small_file(own / "imagedb/content/sha256" / image_id), image_id, diff_ids)
    layers = []
    chain = ""
    for diff_id in diff_ids:
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}" if chain else diff_id
        place = own / "layerdb/sha256" / chain.removeprefix("sha256:")
        if not _ID.fullmatch(place.name) or _line(place / "diff") != diff_id:
            raise StoreError("a layer in its folders is another than its place says", detail=diff_id)
        cache_id = _line(place / "cache-id")
        if not _CACHE_ID.fullmatch(cache_id):
            raise StoreError("a layer's folder has a name of an unknown kind", detail=cache_id[:80])
        layers.append(StoredLayer(diff_id, place / "tar-split.json.gz", root / DRIVER / cache_id / "diff"))
    return StoredImage(config, tuple(layers), root)


def _line(path: Path) -> str:
    return small_file(path, _LINE_BYTES).decode("ascii", "backslashreplace").strip()


__all__ = ["DRIVER", "docker_image"]
