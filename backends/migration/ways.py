"""Decides how an image travels: from its store's folders, by our registry, as one archive. Pure; asks no engine.

The floor of every archive is `docker save`, which reads all layers again; a push reads only those that are not there,
but Docker's compresses them. Its folders give missing layers as they are (benchmarks/migrate.md has the measurement).
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

PUSH_S, SAVE_S, STREAM_S = 9.0, 5.0, 1.5
"""CPU seconds of Docker for each GB that it pushes (gzip) or saves, and of ours for each GB that we sort out of what is
saved, on a machine that has nothing else to do; on a busy one gzip took up to three times as long, and the others as
long as before. Layers half of random bytes, benchmarks/migrate.py."""

PUSHED_AT_ONCE = 5
"""Layers that Docker compresses at once, each on a core. Source: moby, daemon/config, DefaultMaxConcurrentUploads."""


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


def pours(source: EngineId, target: EngineId, image: ImageFacts, missing: int | None, cores: float) -> bool:
    """Whether the registry is filled from the source's `save` and not by a push, because that is done sooner.

    missing: bytes that the push would compress, None if not known. cores: that are free on the source's machine. With
    one and a half a push is sooner; it also lets Docker know, for the next time, by which digests to ask for layers.
    Podman's push takes no longer than its save, and Docker's load reads compressed layers sooner. Docker's containerd
    store (an image's id is not its config's digest there) pushes layers as they lie, compressed already.
    """
    if (source.kind, target.kind) != (EngineKind.DOCKER, EngineKind.PODMAN) or missing is None:
        return False
    if image.config_digest != f"sha256:{image.key.id}":
        return False
    pushing = missing * PUSH_S / min(cores, PUSHED_AT_ONCE)
    return pushing > image.size_bytes * SAVE_S + missing * STREAM_S


def obstacle(source: EngineId, source_info: EngineInfo, target: EngineId, target_info: EngineInfo) -> str:
    """Why nothing but a whole archive can work between these two, "" where only missing layers can travel."""
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

    Raises Refused where a way is wished for that cannot work.
    """
    diff_ids = source.image.diff_ids
    here = present_layers(diff_ids, target.image_layers, in_order=finds_in_order(target.engine))
    whole = source.image.size_bytes or None
    lacking = missing_bytes(source.layer_bytes, here, source.image.size_bytes)
    shares = f"{target.engine} has {len(here)} of {len(diff_ids)} layers"
    against = obstacle(source.engine, source.info, target.engine, target.info)
    unread = f"{source.engine}'s own store is not read: {source.unread}"
    if wish is ImageWay.ARCHIVE:
        return ImageWay.ARCHIVE, "asked for: the whole image in one stream", whole
    if wish is ImageWay.STORE and (against or not source.store):
        raise Refused("the image cannot be read from its store", detail=against or unread, hint="choose another way")
    if wish is ImageWay.REGISTRY and against:
        raise Refused("the image cannot travel by a registry", detail=against, hint="choose the archive way")
    if wish in (ImageWay.STORE, ImageWay.REGISTRY):
        return wish, f"asked for; {shares}", lacking
    if against:
        return ImageWay.ARCHIVE, f"the whole image in one stream: {against}", whole
    if source.store:
        return ImageWay.STORE, f"{shares}: only the others travel, read from {source.engine}'s own store", lacking
    return ImageWay.REGISTRY, f"{shares}: only the others travel, by a registry on 127.0.0.1; {unread}", lacking


__all__ = ["choose_way", "finds_in_order", "missing_bytes", "obstacle", "pours", "present_layers"]
