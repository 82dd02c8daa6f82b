"""What a person asked for about one image's layers, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.errors import BackendError
from backends.model.ids import ImageKey
from backends.model.image_files import FileNode
from tui.image_messages import ImageRead, ImageReadProgressed, ImageUnread, LayersShared, TreeGrown
from tui.telling import seldom
from widgets.format import short_image

if TYPE_CHECKING:
    from backends.layers.contents import ImageContents
    from backends.services.fleet import Fleet
from tui.workers import Reply, Work

DEBOUNCE_S = 0.1  # a cursor that rests shorter than this asks for nothing


@dataclass(frozen=True, slots=True)
class TreeAsked:
    """Which tree: up to a layer (0 = base); only_layer: of that layer only; words: in paths; only_changes: marked."""

    layer: int
    only_layer: bool = True
    words: str = ""
    only_changes: bool = False


class LayerCommands:
    """Starts workers on behalf of the screen of one image. fleet: gives the open fleet, raises Refused before it is."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._contents: tuple[ImageKey, ImageContents] | None = None
        self._tree: tuple[ImageKey, int, bool, FileNode] | None = None
        self._growing: Worker[None] | None = None

    def read(self, image: ImageKey, reply: Reply) -> Worker[None]:
        """Read an image's layers (ImageReadProgressed, then ImageRead or ImageUnread) until the worker is cancelled."""
        return self._work(partial(self._read, image, reply), name=f"read {image.short}", group="image", exclusive=True)

    async def _read(self, image: ImageKey, reply: Reply) -> None:
        await asyncio.to_thread(import_module, "backends.layers.reading")  # takes longer than a key may wait
        from backends.layers.cache import LayerCache, default_folder
        from backends.layers.pace import in_slices
        from backends.layers.reading import read_image

        tell = seldom(lambda progress: reply(ImageReadProgressed(progress)))
        try:
            engine = self._fleet().engine(image.engine)
            contents = await read_image(engine, image.id, LayerCache(default_folder()), tell)
        except BackendError as error:
            reply(ImageUnread(image, error))
            return
        self._contents, self._tree = (image, contents), None
        waste = await in_slices(contents.waste)
        reply(ImageRead(image, waste, await in_slices(contents.hints)))

    def grow(self, image: ImageKey, asked: TreeAsked, reply: Reply) -> None:
        """Make a tree of an image that was read (TreeGrown); a later call takes the place of an earlier one."""
        work = partial(self._grow, image, asked, reply)
        self._growing = self._work(work, name=f"tree {image.short}", group="tree", exclusive=True)

    async def _grow(self, image: ImageKey, asked: TreeAsked, reply: Reply) -> None:
        from backends.layers.pace import in_slices
        from backends.layers.prune import pruned

        await asyncio.sleep(DEBOUNCE_S)
        if self._contents is None or self._contents[0] != image:
            return
        contents = self._contents[1]
        layer = min(asked.layer, len(contents.tables) - 1)
        if self._tree is None or self._tree[:3] != (image, layer, asked.only_layer):
            grown = await in_slices(lambda pace: contents.tree(layer, only_layer=asked.only_layer, pace=pace))
            self._tree = (image, layer, asked.only_layer, grown)
        tree = self._tree[3]
        shown = await in_slices(lambda pace: pruned(tree, asked.words, only_changes=asked.only_changes, pace=pace))
        reply(TreeGrown(image, asked, shown))

    def forget(self) -> None:
        """Nobody looks at an image any more: let its tables and trees go."""
        if self._growing is not None:
            self._growing.cancel()
        self._contents = self._tree = self._growing = None
        from backends.layers.uncollected import searched_again

        searched_again()

    def share(self, image: ImageKey, reply: Reply) -> None:
        """Which other images have its layers (LayersShared)."""
        self._work(partial(self._share, image, reply), name=f"shared {image.short}", group="shared", exclusive=True)

    async def _share(self, image: ImageKey, reply: Reply) -> None:
        from backends.services.images import FleetImages

        seen = await FleetImages(self._fleet()).look()
        names = {share.image.key: f"{short_image(share.name)} on {share.image.key.engine}" for share in seen.images}
        for share in seen.images:
            if share.image.key == image:
                found = {layer.diff_id: tuple(names[k] for k in layer.holders if k != image) for layer in share.layers}
                reply(LayersShared(image, found))


__all__ = ["LayerCommands", "TreeAsked"]
