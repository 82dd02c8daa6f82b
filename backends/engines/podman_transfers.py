"""Podman and registries: pull, push, search, platforms, logins. Moves nothing between engines.

Credentials of this machine's own store are sent with a call, as `podman --remote` does; where it has none the service
takes those of its own user. Pulls speak Docker's messages (compatMode), which count bytes; pushes count none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from backends.engine import TransferStream
from backends.engines.podman_api import Params, image_path
from backends.engines.podman_store import PodmanStore
from backends.engines.podman_translate import bare_id, strings
from backends.engines.registry_errors import registry_error
from backends.engines.registry_store import CredentialStore, podman_files, program, run_program
from backends.engines.transfer_messages import DockerMessages, PodmanLines, failure_of
from backends.engines.transfer_parts import (
    about,
    found_images,
    full_name,
    names_registry,
    opened,
    platforms_of,
    search_host,
    tagged_name,
    unsearchable,
)
from backends.model.errors import BackendError, Conflict, NotFound, Unsupported
from backends.model.reference import parse_reference
from backends.model.transfer import (
    Credentials,
    FoundImage,
    Login,
    Platform,
    PlatformReport,
    Resolved,
    TransferEvent,
    Transferred,
    parse_platform,
)
from backends.wire.frames import json_objects

_ASK_TIMEOUT_S = 60.0
_BEGUN = "Getting image source signatures"
"""What Podman says when a candidate of a short name has answered; source: c/image, copy/single.go."""


class PodmanTransfers(PodmanStore):
    """The registries as one Podman service sees them."""

    @property
    def _credentials(self) -> CredentialStore:
        return CredentialStore(self._id, podman_files(), ("auths", "credHelpers"))

    def pull(self, reference: str, *, platform: str = "", insecure: bool = False) -> TransferStream:
        """POST /images/pull."""
        return opened(self._pull(reference.strip(), platform, insecure))

    def push(self, reference: str, *, insecure: bool = False) -> TransferStream:
        """POST /images/{name}/push."""
        return opened(self._push(reference.strip(), insecure))

    # -- pull ------------------------------------------------------------------------------------
    async def _pull(self, reference: str, platform: str, insecure: bool) -> AsyncGenerator[TransferEvent, None]:
        wanted = self._platform(platform)
        params: dict[str, str | int | bool] = {"policy": "always", "retry": 0}  # who looks on is told at once
        if insecure:
            params["tlsVerify"] = False
        if wanted is not None:
            params |= {"OS": wanted.os, "Arch": wanted.architecture, "Variant": wanted.variant}
        full = full_name(reference, self._id)
        if names_registry(reference):
            yield Resolved(full, lists=False)
        else:
            meant = await self._meaning(reference, params)
            yield meant
            full = meant.reference
        before = await self._id_of(full)
        messages = DockerMessages(unpacks=False)
        async with aclosing(self._pulled({**params, "reference": full, "compatMode": True}, full)) as pulled:
            async for message in pulled:
                event = messages.event(message)
                if event is not None:
                    yield event
        item = await self._image(full)
        with self._understood():
            image = bare_id(str(item["Id"]))
            self._check(item, wanted, full)
            yield Transferred(full, image, str(item.get("Digest") or ""), image != before)

    async def _meaning(self, reference: str, params: Params) -> Resolved:
        """What Podman takes a short name for: asked of its own pull, which is left when a registry has answered."""
        lines = PodmanLines()
        try:
            async with aclosing(self._pulled({**params, "reference": reference}, reference)) as messages:
                async for message in messages:
                    said = str(message.get("stream") or "").strip()
                    lines.events(said)
                    if said.startswith(_BEGUN):
                        break
        except BackendError as error:
            if lines.candidates:
                error.detail = f"tried: {', '.join(lines.candidates)} ({lines.why}); {error.detail}"
            raise
        if not lines.candidates:
            raise NotFound(f"Podman did not say what it takes {reference} for", engine=self._id)
        return Resolved(lines.candidates[-1], tuple(lines.candidates), lines.why, lists=False)

    async def _pulled(self, params: Params, name: str) -> AsyncGenerator[Mapping[str, Any], None]:
        headers = await self._sent(name)
        host = parse_reference(name).domain if names_registry(name) else "The registry"
        with about("pull", name, host, self._id):
            async with self._api.stream("POST", "/images/pull", params, headers=headers, open_timeout_s=None) as chunks:
                async for message in json_objects(chunks, engine=self._id):
                    if failure := failure_of(message):
                        raise registry_error(failure, verb="pull", name=name, host=host, engine=self._id)
                    yield message

    async def _id_of(self, full: str) -> str:
        try:
            return bare_id(str((await self._image(full))["Id"]))
        except NotFound:
            return ""

    def _check(self, item: Mapping[str, Any], wanted: Platform | None, full: str) -> None:
        """Podman takes an image that is for one platform only, whatever was asked for."""
        got = Platform(str(item.get("Os") or ""), str(item.get("Architecture") or ""))
        if wanted is not None and (got.os, got.architecture) != (wanted.os, wanted.architecture):
            words = f"it was found but does not match the specified platform: wanted {wanted}, it is {got}"
            host = parse_reference(full).domain
            raise registry_error(words, verb="pull", name=full, host=host, engine=self._id)

    # -- push ------------------------------------------------------------------------------------
    async def _push(self, reference: str, insecure: bool) -> AsyncGenerator[TransferEvent, None]:
        full = tagged_name(reference, self._id)
        item = await self._image(full)
        yield Resolved(full, lists=False)
        lines, digest = PodmanLines(), ""
        params: dict[str, str | int | bool] = {"quiet": False, "destination": full, "retry": 0}
        if insecure:
            params["tlsVerify"] = False
        host, headers = parse_reference(full).domain, await self._sent(full)
        path = f"/images/{image_path(full)}/push"
        with about("push", full, host, self._id):
            async with self._api.stream("POST", path, params, headers=headers, open_timeout_s=None) as chunks:
                async for message in json_objects(chunks, engine=self._id):
                    if failure := failure_of(message):
                        raise registry_error(failure, verb="push", name=full, host=host, engine=self._id)
                    digest = str(message.get("manifestdigest") or digest)
                    for event in lines.events(str(message.get("stream") or "")):
                        yield event
        yield Transferred(full, bare_id(str(item["Id"])), digest)

    # -- asking ----------------------------------------------------------------------------------
    async def search_images(self, term: str, *, limit: int = 25) -> tuple[FoundImage, ...]:
        """GET /images/search: of that registry, or of all that short names are looked for in."""
        host = search_host(term)
        params: Params = {"term": term, "limit": limit}
        try:
            results = await self._asked("/images/search", params, await self._sent(term))
        except BackendError as error:
            raise unsearchable(host, error, self._id) from error
        with self._understood():
            return found_images(results, host)

    async def image_platforms(self, reference: str, *, insecure: bool = False) -> PlatformReport:
        """GET /manifests/{name}/json, which tells the platforms of a list only."""
        full = full_name(reference, self._id)
        params: Params = {"tlsVerify": False} if insecure else {}
        with about("look-up", full, parse_reference(full).domain, self._id):
            told = await self._asked(f"/manifests/{image_path(full)}/json", params, await self._sent(full))
        with self._understood():
            listed = [one.get("platform") or {} for one in told.get("manifests") or ()]
            return PlatformReport(full, platforms_of(listed), not listed)

    async def _asked(self, path: str, params: Params, headers: Mapping[str, str]) -> Any:
        answer = await self._api.send("GET", path, params, headers=headers, timeout_s=_ASK_TIMEOUT_S)
        with self._understood():
            return json.loads(answer)

    # -- logins ----------------------------------------------------------------------------------
    async def login(self, registry: str, credentials: Credentials) -> Login:
        """`podman login`, which asks the registry from this machine."""
        argv = [self._program("login"), "login", "--username", credentials.username, "--password-stdin", registry]
        code, said = await run_program(argv, self._id, stdin=credentials.secret)
        if code:
            raise registry_error(said, verb="login", name=registry, host=registry, engine=self._id)
        known = {login.registry: login for login in await self.logins()}
        return known.get(registry) or Login(registry, credentials.username, "Podman's credential store")

    async def logout(self, registry: str) -> None:
        """`podman logout`."""
        code, said = await run_program([self._program("logout"), "logout", registry], self._id)
        if "not logged into" in said:
            raise NotFound(f"Podman's credential store has no login for {registry}", engine=self._id)
        if code:
            raise registry_error(said, verb="logout", name=registry, host=registry, engine=self._id)

    async def logins(self) -> tuple[Login, ...]:
        """Of Podman's auth.json and its helpers."""
        return await asyncio.to_thread(self._credentials.logins)

    def _program(self, verb: str) -> str:
        path = program("podman")
        if not path:
            title = "Podman's own program, which keeps its logins, is not installed here"
            hint = f"Install Podman's command line (`podman {verb}`)."
            raise Unsupported(title, hint=hint, engine=self._id)
        return path

    # -- underneath ------------------------------------------------------------------------------
    async def _sent(self, name: str) -> dict[str, str]:
        """The credentials that a call is to carry: of the registry named, or of all that a short name may mean."""
        if names_registry(name):
            host, _, path = name.partition("/")
            return await asyncio.to_thread(self._credentials.header, host, path.partition("@")[0].partition(":")[0])
        info = await self._api.get("/info")
        search = strings((info.get("registries") or {}).get("search")) if isinstance(info, dict) else ()
        return await asyncio.to_thread(self._credentials.headers, search)

    def _platform(self, platform: str) -> Platform | None:
        try:
            return parse_platform(platform) if platform else None
        except ValueError as error:
            raise Conflict("That is no platform", detail=str(error), engine=self._id) from error


__all__ = ["PodmanTransfers"]
