"""Works out what images share. Pure: asks no engine; its input is what engines told.

Within a store a layer lies once for each chain: a layer upon the same layers (both engines name them so; source: OCI
image-spec, config.md, "Layer ChainID"). So what removing frees goes by chains, and what images have in common across
engines goes by diff-IDs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backends.migration.ways import finds_in_order
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image, Layer
from backends.model.image_sharing import ImageShare, SharedLayer
from backends.model.values import Count, Missing

NOT_TOLD = Missing("the engine does not tell the size of each layer")
_BASE = 0
"""The chain of no layers at all."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What an engine told of an image. layers: those of its history that are layers, base first, or why not."""

    image: Image
    layers: tuple[Layer, ...] | Missing
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """An engine that images may be copied to. whole_from: the engines from which only whole images can travel to it."""

    engine: EngineId
    whole_from: frozenset[EngineId] = frozenset()


class _Chains:
    """A number for each chain of layers, the same for all engines."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, str], int] = {}

    def of(self, layers: Iterable[str]) -> tuple[int, ...]:
        """The chain that ends at each of these layers."""
        found, below = [], _BASE
        for diff_id in layers:
            below = self._numbers.setdefault((below, diff_id), len(self._numbers) + 1)
            found.append(below)
        return tuple(found)


class _Book:
    """All images, indexed by what they hold."""

    def __init__(self, stored: Sequence[StoredImage]) -> None:
        chains = _Chains()
        self.chains: dict[ImageKey, tuple[int, ...]] = {}
        self.users: dict[EngineId, Counter[int]] = defaultdict(Counter)
        self.known: dict[EngineId, set[str]] = defaultdict(set)
        self.ends: dict[int, list[Image]] = defaultdict(list)
        self.unread: dict[EngineId, Missing] = {}
        holders: dict[str, dict[ImageKey, None]] = defaultdict(dict)
        for one in stored:
            key = one.image.key
            layers = () if isinstance(one.layers, Missing) else one.layers
            own = chains.of(layer.diff_id for layer in layers)
            self.chains[key] = own
            self.users[key.engine].update(own)
            self.known[key.engine].update(layer.diff_id for layer in layers)
            for layer in layers:
                holders[layer.diff_id][key] = None
            if own:
                self.ends[own[-1]].append(one.image)
            if isinstance(one.layers, Missing):
                why = f"the layers of {_name(one.image)} are not known: {one.layers.reason}"
                self.unread[key.engine] = Missing(why)
        self.holders = {diff_id: tuple(keys) for diff_id, keys in holders.items()}

    def base(self, image: Image) -> Image | None:
        """The named image with the most layers that this one begins with, all of them; on its own engine first.

        One with the very same layers is the base where it is older: the other adds settings only.
        """
        own = self.chains[image.key]
        for depth in range(len(own), 0, -1):
            found = [
                other
                for other in self.ends.get(own[depth - 1], ())
                if other.tags and other.key != image.key and (depth < len(own) or _older(other, image))
            ]
            if found:
                return min(found, key=lambda other: (other.key.engine != image.key.engine, other.tags[0], other.key))
        return None

    def travels(self, one: StoredImage, target: Target) -> Count:
        """What copying the image to the target moves."""
        if isinstance(one.layers, Missing):
            return one.layers
        key, own = one.image.key, self.chains[one.image.key]
        here = self.users[target.engine]
        if finds_in_order(target.engine):
            lacking = [layer for layer, chain in zip(one.layers, own, strict=True) if not here[chain]]
        else:
            known = self.known[target.engine]
            lacking = [layer for layer in one.layers if layer.diff_id not in known]
        if key.engine in target.whole_from:
            return 0 if self._has(target.engine, one.image) else one.image.size_bytes
        return total(layer.size_bytes for layer in lacking)

    def _has(self, engine: EngineId, image: Image) -> bool:
        """Whether the engine has an image of the same layers and the same age: most probably the same."""
        own = self.chains[image.key]
        ends = self.ends.get(own[-1], ()) if own else ()
        return any(other.key.engine == engine and other.created_at == image.created_at for other in ends)


def _name(image: Image) -> str:
    return image.tags[0] if image.tags else image.key.short


def _older(one: Image, other: Image) -> bool:
    return one.created_at is not None and other.created_at is not None and one.created_at < other.created_at


def total(sizes: Iterable[int | None]) -> Count:
    """The sum; Missing where one of the sizes is not known."""
    added = 0
    for size in sizes:
        if size is None:
            return NOT_TOLD
        added += size
    return added


def analysed(stored: Sequence[StoredImage], targets: Sequence[Target]) -> tuple[ImageShare, ...]:
    """Each image with what it shares, in the order given. targets: the engines that images may be copied to."""
    book = _Book(stored)
    return tuple(_share(one, book, targets) for one in stored)


def _share(one: StoredImage, book: _Book, targets: Sequence[Target]) -> ImageShare:
    image = one.image
    travels = {target.engine: book.travels(one, target) for target in targets if target.engine != image.key.engine}
    if isinstance(one.layers, Missing):
        return ImageShare(image, (), one.layers, one.layers, one.layers, one.containers, travels=travels)
    users = book.users[image.key.engine]
    layers = tuple(
        SharedLayer(
            layer.diff_id,
            layer.command,
            NOT_TOLD if layer.size_bytes is None else layer.size_bytes,
            users[chain] == 1,
            book.holders[layer.diff_id],
        )
        for layer, chain in zip(one.layers, book.chains[image.key], strict=True)
    )
    base = book.base(image)
    unread = book.unread.get(image.key.engine)  # it might hold any of the layers
    return ImageShare(
        image,
        layers,
        total(layer.size_bytes for layer in one.layers),
        _added(layer.size_bytes for layer in layers if layer.own) if unread is None else unread,
        _added(layer.size_bytes for layer in layers if not layer.own) if unread is None else unread,
        one.containers,
        base.key if base else None,
        base.tags[0] if base else "",
        travels,
    )


def _added(sizes: Iterable[Count]) -> Count:
    return total(None if isinstance(size, Missing) else size for size in sizes)


def freed_bytes(images: Sequence[ImageShare], gone: Collection[ImageKey]) -> Count:
    """What removing these images, all of them, frees. images: all of the engines that they are on.

    Missing where the layers of one that goes, or of one that stays beside it, could not be read.
    """
    engines = {key.engine for key in gone}
    staying: dict[EngineId, set[int]] = defaultdict(set)
    going: dict[tuple[EngineId, int], Count] = {}
    chains = _Chains()
    for share in images:
        key = share.image.key
        if key.engine not in engines:
            continue
        if isinstance(share.total_bytes, Missing) and not share.layers:
            return share.total_bytes
        own = chains.of(layer.diff_id for layer in share.layers)
        if key in gone:
            going.update({(key.engine, at): layer.size_bytes for at, layer in zip(own, share.layers, strict=True)})
        else:
            staying[key.engine].update(own)
    return _added(size for (engine, at), size in going.items() if at not in staying[engine])


def stored_bytes(images: Sequence[ImageShare]) -> Mapping[EngineId, Count]:
    """What the images of each engine take together, a layer that several have counted once."""
    keys: dict[EngineId, list[ImageKey]] = defaultdict(list)
    for share in images:
        keys[share.image.key.engine].append(share.image.key)
    return {engine: freed_bytes(images, frozenset(held)) for engine, held in keys.items()}


__all__ = ["NOT_TOLD", "StoredImage", "Target", "analysed", "freed_bytes", "stored_bytes", "total"]
