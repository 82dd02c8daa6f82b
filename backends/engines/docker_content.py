"""The config digest of an image in containerd's store, of that store's files. Changes nothing, guesses nothing.

Docker's API names such images by their manifest, and gives out no manifest. Reads files: call it in a thread.
Sources: OCI image-spec, manifest.md and image-index.md; containerd docs, content-flow.md (blobs/ALGORITHM/DIGEST).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backends.wire.failures import NO_JSON

Json = Mapping[str, Any]

_STORE = "io.containerd.content.v1.content/blobs/sha256"
_SYSTEM = Path("/var/lib/containerd")
_LIMIT_BYTES = 4 << 20  # registries take no larger manifest. Source: OCI distribution-spec


def config_digest(image: Json, graph_root: str) -> str:
    """ "sha256:…" of the image's config; "" where the store is not here or not ours to read.

    image: GET /images/{name}/json. Every file is checked against its own digest, and the config against the image's
    layers, so that what is told is right.
    """
    for store in (Path(graph_root) / "containerd/daemon" / _STORE, _SYSTEM / _STORE):
        for manifest in _manifests(store, str(image.get("Id") or "")):
            found = str((manifest.get("config") or {}).get("digest") or "")
            if _layers(_blob(store, found)) == list((image.get("RootFS") or {}).get("Layers") or ()):
                return found
    return ""


def _manifests(store: Path, digest: str) -> Iterator[Json]:
    """The manifest of this digest, or those that its index lists and that are here."""
    told = _blob(store, digest)
    if told.get("config"):
        yield told
    for one in told.get("manifests") or ():
        yield _blob(store, str(one.get("digest") or ""))


def _layers(config: Json) -> list[str] | None:
    layers = (config.get("rootfs") or {}).get("diff_ids")
    return layers if isinstance(layers, list) else None


def _blob(store: Path, digest: str) -> Json:
    """A JSON object of the store, {} where it has none of this digest, or we may not see it."""
    algorithm, _, name = digest.partition(":")
    if algorithm != "sha256" or set(name) - set("0123456789abcdef"):
        return {}
    try:
        with (store / name).open("rb") as file:
            data = file.read(_LIMIT_BYTES)
    except OSError:
        return {}  # the engine is elsewhere, or its files are root's: the digest is then not told
    if hashlib.sha256(data).hexdigest() != name:
        return {}
    try:
        value = json.loads(data)
    except NO_JSON:
        return {}
    return value if isinstance(value, dict) else {}


__all__ = ["config_digest"]
