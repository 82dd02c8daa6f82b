"""What a person asked for about images, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.worker import Worker

from backends.model.ids import EngineId, ImageKey
from backends.model.image_sharing import ImageShare
from tui.image_messages import ImagesSeen
from tui.telling import told
from tui.workers import Reply, Work, called_off
from widgets.image_rows import shown_name

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.images import FleetImages


class _Copy(NamedTuple):
    """An image that is copied. name: as people call it, inert."""

    name: str
    worker: Worker[None]


class ImageCommands:
    """Starts workers on behalf of the image screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._images: FleetImages | None = None
        self._copies: dict[ImageKey, _Copy] = {}

    def _known(self) -> FleetImages:
        from backends.services.images import FleetImages

        if self._images is None:
            self._images = FleetImages(self._fleet())
        return self._images

    # -- looking ---------------------------------------------------------------------------------
    def follow(self, reply: Reply) -> Worker[None]:
        """Tell what images there are, now and after each change (ImagesSeen), until the worker is cancelled."""
        return self._work(partial(self._follow, reply), name="look at images", group="images", exclusive=True)

    async def _follow(self, reply: Reply) -> None:
        async with aclosing(self._known().watched()) as lists:
            async for seen in lists:
                reply(ImagesSeen(seen))

    # -- doing -----------------------------------------------------------------------------------
    def remove(self, images: Sequence[ImageShare]) -> None:
        """Remove them one after the other, those with the most layers first: they may be built on others of them."""

        async def each() -> None:
            for share in sorted(images, key=lambda share: -len(share.layers)):
                await self.told(self._known().remove(share))

        self._work(each, name="remove images", group="image-changes")

    def tag(self, share: ImageShare, name: str) -> None:
        """Give it one more name."""
        self._one(lambda: self._known().tag(share, name), f"tag {share.image.key.short}")

    def untag(self, share: ImageShare, name: str) -> None:
        """Take one of its names away."""
        self._one(lambda: self._known().untag(share, name), f"untag {share.image.key.short}")

    def _one(self, call: Callable[[], Awaitable[object]], name: str) -> None:
        async def do() -> None:
            await self.told(call())

        self._work(do, name=name, group="image-changes")

    def copy(self, images: Sequence[ImageShare], target: EngineId) -> None:
        """Copy them to an engine, one after the other, each under its names."""

        async def each() -> None:
            from backends.services.image_copies import copy_image

            for share in images:
                call = copy_image(self._fleet(), share, target, share.image.tags, lambda _update: None)
                await self.told(call)

        worker = self._work(each, name=f"copy images to {target}", group="image-copies")
        self._copies = {key: one for key, one in self._copies.items() if not one.worker.is_finished}
        self._copies.update({share.image.key: _Copy(shown_name(share), worker) for share in images})

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the images that are copied, or are to be."""
        return tuple(one.name for one in self._copies.values() if not one.worker.is_finished)

    def copying(self, key: ImageKey) -> bool:
        """Whether the image is copied, or is to be."""
        return key in self._copies and not self._copies[key].worker.is_finished

    def cancel(self, key: ImageKey) -> None:
        """Call the copy of an image off, and of those that wait behind it; what was brought is taken back."""
        if self.copying(key):
            self._copies[key].worker.cancel()

    async def told(self, call: Awaitable[object]) -> None:
        """Wait for it; how it ended is told once, here or by the bridge."""
        await told(self._fleet().operations, call)

    async def close(self) -> None:
        """Call copies off and wait until they have taken back what they brought."""
        await called_off({one.worker for one in self._copies.values()})
        self._copies.clear()


__all__ = ["ImageCommands"]
