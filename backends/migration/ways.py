"""Decides how an image travels: as one archive, or by a registry of our own. Pure; asks no engine.

The floor of every archive is `docker save`, which reads all layers again; a push reads only those that are not there,
but Docker's compresses them, at 40 to 80 MB/s for each core (benchmarks/migrate.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backends.migration.facts import SourceFacts, TargetFacts
from backends.model.capabilities import EngineInfo
from backends.model.errors import Refused
from backends.model.ids import EngineId, EngineKind
from backends.model.image import ImageFacts
from backends.model.plan import ImageWay

CONTAINERD = "containerd"

MOST_PUSHED = 0.4
"""Part of an image that Docker pushes sooner than it saves the whole, on two cores: 12 to 15 s of CPU for each GB that
is pushed, and 5 s for each GB that is saved, on one core only. Measured with half random layers, benchmarks/migrate.md.
"""


def present_layers(diff_ids: Sequence[str], stored: Iterable[Sequence[str]], *, in_order: bool) -> frozenset[int]:
    """Which layers of an image (by place, 0 = base) a store has. stored: the diff-IDs of each of its images.

    in_order: the store finds a layer only on top of the same layers (Docker: chain ids), else anywhere (Podman).
    """
    if not in_order:
        known = {diff_id for layers in stored for diff_id in layers}
        return frozenset(at for at, diff_id in enumerate(diff_ids) if diff_id in known)
    longest = 0
    for layers in stored:
        shared = 0
        for ours, theirs in zip(diff_ids, layers, strict=False):
            if ours != theirs:
                break
            shared += 1
        longest = max(longest, shared)
    return frozenset(range(longest))


def finds_in_order(engine: EngineId) -> bool:
    """Whether its store finds layers by chain ids only."""
    return engine.kind is not EngineKind.PODMAN


def missing_bytes(sizes: Sequence[int | None], present: frozenset[int], image_bytes: int) -> int | None:
    """An estimate of the uncompressed bytes that the target lacks, None where it cannot be told.

    sizes: of the layers, base first, None or () where not told; image_bytes: of all together.
    """
    if not present:
        return image_bytes or None
    if not sizes or any(size is None for size in sizes):
        return None
    return sum(size or 0 for at, size in enumerate(sizes) if at not in present)


def pours(source: EngineId, target: EngineId, image: ImageFacts, missing: int | None) -> bool:
    """Whether the registry is filled from the source's `save` and not by a push. missing: bytes, None if not known.

    Podman's push takes no longer than its save, and Docker's load reads compressed layers sooner. Docker's containerd
    store (an image's id is not its config's digest there) pushes layers as they lie, compressed already.
    """
    kinds = (source.kind, target.kind) == (EngineKind.DOCKER, EngineKind.PODMAN)
    classic = image.config_digest == f"sha256:{image.key.id}"
    return kinds and classic and missing is not None and missing > MOST_PUSHED * image.size_bytes


def obstacle(source: EngineId, source_info: EngineInfo, target: EngineId, target_info: EngineInfo) -> str:
    """Why the registry way cannot work between these two, "" where it can."""
    if EngineKind.DEMO in (source.kind, target.kind):
        return "the demo engine speaks to no registry"
    if not source_info.local:
        return f"{source} is on another machine and cannot reach a registry on this one"
    if target.kind is EngineKind.DOCKER and CONTAINERD in target_info.image_store:
        return f"{target} keeps its images in containerd's store, which takes whole images only"
    if target.kind is EngineKind.PODMAN and not target_info.local:
        return f"{target} is on another machine and cannot reach a registry on this one"
    return ""


def choose_way(source: SourceFacts, target: TargetFacts, wish: ImageWay) -> tuple[ImageWay, str, int | None]:
    """How the image travels, why (for people), and an estimate of the bytes to travel, None where it cannot be told.

    Raises Refused where the registry is wished for and cannot work.
    """
    diff_ids = source.image.diff_ids
    here = present_layers(diff_ids, target.image_layers, in_order=finds_in_order(target.engine))
    whole = source.image.size_bytes or None
    lacking = missing_bytes(source.layer_bytes, here, source.image.size_bytes)
    shares = f"{target.engine} has {len(here)} of {len(diff_ids)} layers"
    against = obstacle(source.engine, source.info, target.engine, target.info)
    if wish is ImageWay.ARCHIVE:
        return ImageWay.ARCHIVE, "asked for: the whole image in one stream", whole
    if wish is ImageWay.REGISTRY:
        if against:
            raise Refused("the image cannot travel by a registry", detail=against, hint="choose the archive way")
        return ImageWay.REGISTRY, f"asked for; {shares}", lacking
    if against:
        return ImageWay.ARCHIVE, f"the whole image in one stream: {against}", whole
    how = "saved" if pours(source.engine, target.engine, source.image, lacking) else "pushed"
    return ImageWay.REGISTRY, f"{shares}: only the others travel, {how} to a registry on 127.0.0.1", lacking


__all__ = ["choose_way", "finds_in_order", "missing_bytes", "obstacle", "pours", "present_layers"]
