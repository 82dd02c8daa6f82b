"""Comparisons of two images, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import Worker

from backends.model.errors import BackendError
from backends.model.ids import ImageKey
from tui.image_messages import ImageReadProgressed
from tui.telling import seldom

if TYPE_CHECKING:
    from backends.model.image_comparison import ImageComparison
    from backends.model.image_files import FileNode
    from backends.services.fleet import Fleet
from tui.workers import Reply, Work

DEBOUNCE_S = 0.1


@dataclass
class ImagesCompared(Message):
    """Two images were read and compared."""

    found: ImageComparison


@dataclass
class CompareFailed(Message):
    """One of the two could not be read."""

    error: BackendError


@dataclass
class ComparedPruned(Message):
    """The part of the compared tree that was asked for. wish: words, and whether only what differs."""

    wish: tuple[str, bool]
    tree: FileNode


class CompareCommands:
    """Starts workers on behalf of the comparison. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def compare(self, first: tuple[ImageKey, str], second: tuple[ImageKey, str], reply: Reply) -> Worker[None]:
        """Read and compare (ImageReadProgressed, then ImagesCompared or CompareFailed) until it is cancelled."""
        name = f"compare {first[0].short} {second[0].short}"
        return self._work(partial(self._compare, first, second, reply), name=name, group="compare", exclusive=True)

    async def _compare(self, first: tuple[ImageKey, str], second: tuple[ImageKey, str], reply: Reply) -> None:
        await asyncio.to_thread(import_module, "backends.layers.comparison")  # takes longer than a key may wait
        from backends.layers.cache import LayerCache, default_folder
        from backends.layers.comparison import Side, compare_images

        tell = seldom(lambda progress: reply(ImageReadProgressed(progress)))
        fleet = self._fleet()
        sides = [Side(fleet.engine(key.engine), key.id) for key, _ in (first, second)]
        try:
            found = await compare_images(sides[0], sides[1], LayerCache(default_folder()), tell)
        except BackendError as error:
            reply(CompareFailed(error))
            return
        named = replace(
            found,
            first=replace(found.first, reference=first[1]),
            second=replace(found.second, reference=second[1]),
        )
        reply(ImagesCompared(named))

    def prune(self, tree: FileNode, wish: tuple[str, bool], reply: Reply) -> None:
        """Leave out of a tree what is not asked for (ComparedPruned); a later call takes an earlier one's place."""
        self._work(partial(self._prune, tree, wish, reply), name="part of a comparison", group="prune", exclusive=True)

    async def _prune(self, tree: FileNode, wish: tuple[str, bool], reply: Reply) -> None:
        from backends.layers.pace import in_slices
        from backends.layers.prune import pruned

        if wish[0]:
            await asyncio.sleep(DEBOUNCE_S)
        part = await in_slices(lambda pace: pruned(tree, wish[0], only_changes=wish[1], pace=pace))
        reply(ComparedPruned(wish, part))


__all__ = ["CompareCommands", "CompareFailed", "ComparedPruned", "ImagesCompared"]
