"""Reads and rewrites image manifests, Docker's schema 2 and OCI's; pure. Knows no HTTP and no engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
IMAGES = frozenset({SCHEMA2, OCI})
INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
PLAIN_LAYER = {
    SCHEMA2: "application/vnd.docker.image.rootfs.diff.tar",
    OCI: "application/vnd.oci.image.layer.v1.tar",
}
"""The media type of a layer that is not compressed, by that of its manifest."""

_CONFIGS = {
    SCHEMA2: "application/vnd.docker.container.image.v1+json",
    OCI: "application/vnd.oci.image.config.v1+json",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image's manifest as it was pushed. config: digest; layers: digests, base first, as they travel."""

    data: bytes
    media_type: str
    config: str
    layers: tuple[str, ...]


def read_manifest(data: bytes, content_type: str) -> Manifest | None:
    """The image that a manifest describes, None for an index. Raises ValueError for anything else."""
    try:
        told = json.loads(data)
        media_type = str(told.get("mediaType") or content_type)
        if media_type in INDEXES:
            return None
        if media_type not in IMAGES:
            raise ValueError(f"a manifest of an unknown kind: {media_type}")
        layers = tuple(str(layer["digest"]) for layer in told["layers"])
        return Manifest(data, media_type, str(told["config"]["digest"]), layers)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"a manifest of an unknown shape: {error!r}") from error


def plain_manifest(config: str, diff_ids: Sequence[str], media_type: str = SCHEMA2) -> Manifest:
    """The manifest of an image whose layers are all named by their content; sizes are not known yet.

    config: its digest. media_type: SCHEMA2 or OCI.
    """
    told = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": _CONFIGS[media_type], "digest": config, "size": 0},
        "layers": [{"mediaType": PLAIN_LAYER[media_type], "digest": diff_id, "size": 0} for diff_id in diff_ids],
    }
    return Manifest(json.dumps(told).encode(), media_type, config, tuple(diff_ids))


def with_plain_layers(
    manifest: Manifest, diff_ids: tuple[str, ...], held: Mapping[str, int], config_bytes: int
) -> bytes:
    """The same image, in which layers that are not held are named by their content, uncompressed.

    Podman finds a layer of its store by the digest of its uncompressed content, whatever way that layer came; the
    image's id, the digest of its config, stays the same. held: bytes of the blobs that can be had, by digest; all
    others are only names, so their size is not known and told as 0.
    """
    told = json.loads(manifest.data)
    layers = []
    for layer, diff_id in zip(told["layers"], diff_ids, strict=True):
        if layer["digest"] in held:
            layers.append({**layer, "size": held[layer["digest"]]})
        else:
            layers.append({"mediaType": PLAIN_LAYER[manifest.media_type], "digest": diff_id, "size": 0})
    return json.dumps({**told, "config": {**told["config"], "size": config_bytes}, "layers": layers}).encode()
