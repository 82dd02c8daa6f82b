"""The demo engine and registries: pulls and pushes that take their time, search, platforms, logins. No network."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence

from backends.engine import TransferStream
from backends.engines.demo_images import DemoImage, layer_sizes, shown_bytes
from backends.engines.demo_registry import ACCOUNT, PRIVATE_HOST
from backends.engines.demo_stores import DemoStores
from backends.engines.transfer_parts import full_name, opened, resolved, search_host, tagged_name
from backends.model.errors import BackendError, Conflict, Denied, NotFound
from backends.model.reference import parse_reference
from backends.model.transfer import (
    Credentials,
    FoundImage,
    LayerPhase,
    LayerProgress,
    Login,
    Platform,
    PlatformReport,
    TransferEvent,
    Transferred,
    parse_platform,
)

_AT_ONCE = 3
"""Layers on their way at the same time, as Docker has it."""
_LEAST, _MOST, _PIECE = 2, 12, 200 << 20
"""Pieces in which a layer comes: one more for each so many bytes."""
_STORE = "the demo's memory"


class DemoTransfers(DemoStores):
    """See Engine for each method."""

    def pull(self, reference: str, *, platform: str = "", insecure: bool = False) -> TransferStream:
        del insecure  # nothing here is encrypted
        return opened(self._pull(reference.strip(), platform))

    def push(self, reference: str, *, insecure: bool = False) -> TransferStream:
        del insecure
        return opened(self._push(reference.strip()))

    async def _pull(self, reference: str, platform: str) -> AsyncGenerator[TransferEvent, None]:
        full = full_name(reference, self._id)
        await self._act("pull")
        yield resolved(reference, full)
        image = self._published(full, platform)
        present = {digest for known in self.world.images.values() for digest in _diff_ids(known)}
        new = [layer not in present for layer in _diff_ids(image)]
        async for event in self._moving(image, new, LayerPhase.DOWNLOADING, LayerPhase.EXTRACTING):
            yield event
        self.world.check_room(shown_bytes(image))
        there = self.world.images.get(image.id)
        changed = there is None or full not in there.tags
        self.actions.add_image(image)
        yield Transferred(full, image.id, _digest(image), changed)

    async def _push(self, reference: str) -> AsyncGenerator[TransferEvent, None]:
        full = tagged_name(reference, self._id)
        await self._act("push")
        image = self.world.image(full)
        yield resolved(reference, full)
        self._allowed(full)
        known = {digest for one in self.world.host.registry.pushed.values() for digest in _diff_ids(one)}
        new = [layer not in known for layer in _diff_ids(image)]
        async for event in self._moving(image, new, LayerPhase.UPLOADING):
            yield event
        self.world.host.registry.pushed[full] = image
        yield Transferred(full, image.id, _digest(image))

    async def _moving(
        self, image: DemoImage, new: Sequence[bool], *phases: LayerPhase
    ) -> AsyncGenerator[TransferEvent, None]:
        """All layers, three at a time, each through its phases; those that are there already at once."""
        waiting = []
        for diff_id, size, travels in zip(_diff_ids(image), layer_sizes(image), new, strict=True):
            id = diff_id.removeprefix("sha256:")[:12]
            yield LayerProgress(id, LayerPhase.WAITING if travels else LayerPhase.PRESENT)
            if travels:
                waiting.append((id, size))
        moving: dict[str, int] = {}
        sizes = dict(waiting)
        while waiting or moving:
            while waiting and len(moving) < _AT_ONCE:
                moving[waiting.pop(0)[0]] = 0
            await asyncio.sleep(self.faults.act_s / 4)
            await self.faults.passing("transfer")
            for id in list(moving):
                moving[id] += 1
                steps = min(_MOST, _LEAST + sizes[id] // _PIECE)
                phase, step = divmod(moving[id], steps)
                if phase < len(phases):
                    yield LayerProgress(id, phases[phase], sizes[id] * step // steps, sizes[id])
                else:
                    del moving[id]
                    yield LayerProgress(id, LayerPhase.DONE)

    # -- asking ----------------------------------------------------------------------------------
    async def search_images(self, term: str, *, limit: int = 25) -> tuple[FoundImage, ...]:
        await self._look("search_images")
        registry, host = self.world.host.registry, search_host(term)
        words = term.removeprefix(f"{host}/").lower()
        names = sorted({parse_reference(name).name: name for name in registry.names}.items())
        found = [
            FoundImage(short, *registry.description(name), official=short.startswith("docker.io/library/"))
            for short, name in names
            if words in short.lower() and parse_reference(name).domain == host
        ]
        return tuple(found[:limit])

    async def image_platforms(self, reference: str, *, insecure: bool = False) -> PlatformReport:
        del insecure
        await self._look("image_platforms")
        full = full_name(reference, self._id)
        self._allowed(full)
        platforms = self.world.host.registry.platforms(full)
        if not platforms:
            raise self._absent(full)
        return PlatformReport(full, platforms, len(platforms) == 1)

    # -- logins ----------------------------------------------------------------------------------
    async def login(self, registry: str, credentials: Credentials) -> Login:
        await self._act("login")
        if registry == PRIVATE_HOST and credentials != ACCOUNT:
            title = f"{registry} refuses this user name and password"
            raise Denied(title, hint=f"the demo's account is {ACCOUNT.username}, its password too", engine=self._id)
        self.logged_in[registry] = credentials.username
        return Login(registry, credentials.username, _STORE)

    async def logout(self, registry: str) -> None:
        await self._act("logout")
        if self.logged_in.pop(registry, None) is None:
            raise NotFound(f"{self._id}'s credential store has no login for {registry}", engine=self._id)

    async def logins(self) -> tuple[Login, ...]:
        await self._look("logins")
        return tuple(Login(registry, user, _STORE) for registry, user in sorted(self.logged_in.items()))

    # -- underneath ------------------------------------------------------------------------------
    def _published(self, full: str, platform: str) -> DemoImage:
        self._allowed(full)
        try:
            wanted = parse_platform(platform) if platform else Platform("linux", self._info.arch)
        except ValueError as error:
            raise Conflict("that is no platform", detail=str(error), engine=self._id) from error
        registry = self.world.host.registry
        image = registry.image(full, wanted)
        if image is not None:
            return image
        platforms = registry.platforms(full)
        if not platforms:
            raise self._absent(full)
        title = f"{parse_reference(full).domain} has no {full} for this platform"
        detail = f"wanted {wanted}, there is {', '.join(map(str, platforms))}"
        raise NotFound(title, detail=detail, hint="choose one that there is with --platform", engine=self._id)

    def _allowed(self, full: str) -> None:
        host = parse_reference(full).domain
        if host == PRIVATE_HOST and host not in self.logged_in:
            title = f"{host} wants a login that is allowed to do this"
            raise Denied(title, hint=f"log in with `tranship login {host}`", engine=self._id)

    def _absent(self, full: str) -> BackendError:
        title = f"{parse_reference(full).domain} has no {full}"
        return NotFound(title, hint="look at the spelling; `tranship search` asks the registry", engine=self._id)


def _diff_ids(image: DemoImage) -> list[str]:
    return [str(digest) for digest in json.loads(image.config)["rootfs"]["diff_ids"]]


def _digest(image: DemoImage) -> str:
    return "sha256:" + hashlib.sha256(b"manifest of " + image.config).hexdigest()
