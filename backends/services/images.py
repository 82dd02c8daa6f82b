"""The images of all engines: looked at, named, removed. Files and copies: image_files.py, image_copies.py."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from backends.engine import Engine
from backends.migration.unbroken import unbroken
from backends.migration.ways import obstacle
from backends.model.capabilities import Capability
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.events import EventKind
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, ImageKey
from backends.model.image import Image, Layer
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.reference import full_reference
from backends.model.values import Missing
from backends.registry.server import MARK
from backends.services.audit_facts import of_image
from backends.services.fleet import Fleet
from backends.services.image_sharing import StoredImage, Target, analysed, stored_bytes
from backends.services.store_looks import RETRY_S, SETTLE_S, all_asked, changes

ASKED_AT_ONCE = 8
"""Images of one engine that are asked for their layers at the same time."""

_PASSING = re.compile(rf"127\.0\.0\.1:\d+/{MARK}/[0-9a-f]+[:@]")

_log = logging.getLogger(__name__)


class FleetImages:
    """The images of a fleet. Remembers the layers of each image: they never change under an id.

    What changes images is an operation of the fleet: in the store and in the audit log under the image's id. Raises
    the errors of the engines; Refused too where an operation on the image is in flight, or all is read-only.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._layers: dict[ImageKey, tuple[Layer, ...]] = {}

    # -- looking ---------------------------------------------------------------------------------
    async def look(self) -> ImageList:
        """All images of the engines that answer now, by engine and name, with what they share."""
        view = self._fleet.store.view
        stored, errors = await all_asked(self._fleet, self._told)
        known, silent = {one.image.key for one in stored}, {error.engine for error in errors}
        self._layers = {key: told for key, told in self._layers.items() if key in known or key.engine in silent}
        stored.sort(key=lambda one: (one.image.key.engine.name, not one.image.tags, one.image.tags, one.image.key.id))
        return await asyncio.to_thread(_listed, stored, _targets(view), errors)

    async def watched(self, *, settle_s: float = SETTLE_S, retry_s: float = RETRY_S) -> AsyncGenerator[ImageList, None]:
        """The images now, and again after each change. Never ends by itself; close it."""
        async with aclosing(changes(self._fleet, EventKind.IMAGE, settle_s=settle_s, retry_s=retry_s)) as times:
            async for _ in times:
                yield await self.look()

    async def _told(self, engine: Engine) -> list[StoredImage]:
        images, containers = await asyncio.gather(engine.list_images(nameless=True), engine.list_containers())
        users: dict[str, list[str]] = {}
        for row in containers:
            users.setdefault(row.image_id, []).append(row.name)
        turn = asyncio.Semaphore(ASKED_AT_ONCE)
        layers = await asyncio.gather(*(self._layers_of(engine, image, turn) for image in images))
        return [
            StoredImage(_without_passing_names(image), told, tuple(sorted(users.get(image.key.id, ()))))
            for image, told in zip(images, layers, strict=True)
            if told is not None
        ]

    async def _layers_of(
        self, engine: Engine, image: Image, turn: asyncio.Semaphore
    ) -> tuple[Layer, ...] | Missing | None:
        """None where the image went meanwhile."""
        if image.key in self._layers:
            return self._layers[image.key]
        async with turn:
            try:
                report = await engine.image_layers(image.key.id)
            except NotFound:
                return None
            except BackendError as error:
                _log.info("the layers of image %s could not be read: %s", image.key.short, error)
                return Missing(error.title)
        self._layers[image.key] = tuple(layer for layer in report.layers if not layer.empty)
        return self._layers[image.key]

    # -- names -----------------------------------------------------------------------------------
    async def tag(self, share: ImageShare, name: str, *, take: bool = False) -> str:
        """Give the image one more name; returns it in full.

        take: where another image has the name, take it away from that one; else Refused.
        """
        key = share.image.key
        full = full_name(name, key.engine)

        async def call(engine: Engine) -> None:
            if not take:
                await check_free(engine, full, key)
            await engine.tag_image(key.id, full)

        await self._do("image.tag", share, share.name, call, f"is {full} too")
        return full

    async def untag(self, share: ImageShare, name: str) -> None:
        """Take one of several names away. Raises Refused for the only one, with which the image would go, NotFound for
        one that it does not have.
        """
        key = share.image.key
        if name not in share.image.tags:
            raise NotFound(f"the image is not called {name}", detail=", ".join(share.image.tags), engine=key.engine)
        if len(share.image.tags) == 1:
            raise Refused(
                f"{name} is the only name of the image",
                detail="without it the image itself would be removed",
                hint="remove the image, or give it another name first",
                engine=key.engine,
            )
        await self._do(
            "image.untag", share, name, lambda engine: engine.remove_image(name), "is no name of it any more"
        )

    # -- removing --------------------------------------------------------------------------------
    async def remove(self, share: ImageShare) -> None:
        """Remove the image with all its names. Conflict where containers use it; then nothing has changed."""
        check_unused(share)
        await self._do("image.remove", share, share.name, lambda engine: _remove(engine, share.image), "removed")

    async def _do(
        self, action: str, share: ImageShare, subject: str, call: Callable[[Engine], Awaitable[None]], result: str
    ) -> None:
        key = share.image.key
        with self._fleet.operations.track(action, ContainerKey(key.engine, key.id), subject) as tracked:
            tracked.note(object=of_image(share.image))
            await call(self._fleet.engine(key.engine))
            tracked.done(f"{subject} {result}")


def _listed(stored: list[StoredImage], targets: list[Target], errors: tuple[BackendError, ...]) -> ImageList:
    images = analysed(stored, targets)
    return ImageList(images, errors, stored_bytes(images))


async def _remove(engine: Engine, image: Image) -> None:
    """Engines refuse to remove an image of several names by its id: all but one are taken away first, and given back
    where the engine then refuses the rest.
    """
    spare = image.tags[1:]
    try:
        for tag in spare:
            await engine.remove_image(tag)
        await engine.remove_image(image.tags[0] if image.tags else image.key.id)
    except (BackendError, asyncio.CancelledError):
        await unbroken(_named_again(engine, image, spare))
        raise
    with suppress(NotFound):  # it went with its last tag
        await engine.image_facts(image.key.id)
        await engine.remove_image(image.key.id)


async def _named_again(engine: Engine, image: Image, names: Sequence[str]) -> None:
    for name in names:
        with suppress(BackendError):  # the image is gone, or the engine: the first error says it
            await engine.tag_image(image.key.id, name)


def _without_passing_names(image: Image) -> Image:
    """Without the name that a move's registry gives it while it travels."""
    tags, digests = (tuple(name for name in names if not _PASSING.match(name)) for names in (image.tags, image.digests))
    return image if (tags, digests) == (image.tags, image.digests) else replace(image, tags=tags, digests=digests)


def _targets(view: FleetView) -> list[Target]:
    """Where images may be copied to, and from which engines only as a whole."""
    infos = {id: seen for id, seen in view.engines.items() if seen.offers(Capability.STORES)}
    return [
        Target(id, frozenset(source for source in infos if source != id and _whole(infos[source], target)))
        for id, target in infos.items()
    ]


def _whole(source: EngineView, target: EngineView) -> bool:
    if source.info is None or target.info is None:
        return True
    return bool(obstacle(source.id, source.info, target.id, target.info))


def check_unused(share: ImageShare) -> None:
    """Raises Conflict where containers use the image."""
    if share.containers:
        raise Conflict(
            f"{share.name} is used by {_some(share.containers)}",
            hint="remove these containers first",
            engine=share.image.key.engine,
        )


def removable(images: Iterable[ImageShare], *, named: bool = False) -> tuple[ImageShare, ...]:
    """Those that a pruning removes: no container uses them, and they have no name (named: whether or not)."""
    unused = (share for share in images if not share.containers and not share.image.why)
    return tuple(share for share in unused if named or share.dangling)


def full_name(name: str, engine: EngineId) -> str:
    """The name in full; Refused where it is none."""
    try:
        full = full_reference(name)
    except ValueError as error:
        hint = "write it as registry/repository:tag, in small letters"
        raise Refused("that is no image name", detail=str(error), hint=hint, engine=engine) from error
    if "@" in full:
        raise Refused("a digest cannot be given as a name", detail=full, hint="write a tag", engine=engine)
    return full


async def check_free(engine: Engine, name: str, key: ImageKey) -> None:
    """Raises Refused where another image of this engine has the name."""
    try:
        facts = await engine.image_facts(name)
    except NotFound:
        return
    if facts.key.id != key.id:
        raise Refused(
            f"{name} is the name of another image",
            detail=facts.key.short,
            hint="choose another name, or take it away from that image first",
            engine=engine.id,
        )


def find_images(images: Iterable[ImageShare], word: str) -> tuple[ImageShare, ...]:
    """The images that a word names: a tag or digest in full or short form, else the beginning of an id."""
    held = tuple(images)
    names = {word}
    with suppress(ValueError):
        names.add(full_reference(word))
    found = tuple(share for share in held if names & {*share.image.tags, *share.image.digests})
    digits = word.removeprefix("sha256:")
    return found or tuple(share for share in held if digits and share.image.key.id.startswith(digits))


def on_engine(images: Collection[ImageShare], engine: EngineId) -> tuple[ImageShare, ...]:
    """Those of one engine."""
    return tuple(share for share in images if share.image.key.engine == engine)


def _some(names: Sequence[str], most: int = 3) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


__all__ = [
    "FleetImages",
    "check_free",
    "check_unused",
    "find_images",
    "full_name",
    "on_engine",
    "removable",
]
