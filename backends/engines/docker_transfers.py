"""Docker and registries: pull, push, search, platforms, logins; builds on base images. Moves nothing between engines.

Docker's store of credentials is that of its command line: the daemon has none, and is sent what a call needs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

from backends.containerfile import base_images
from backends.engine import BuildStream, TransferStream
from backends.engines import docker_build
from backends.engines.docker_images import DockerImages
from backends.engines.docker_registry import NOBODY
from backends.engines.registry_errors import registry_error
from backends.engines.registry_store import (
    HUB_KEY,
    CredentialStore,
    docker_files,
    program,
    run_program,
    store_by_helper,
)
from backends.engines.transfer_messages import DockerMessages, failure_of
from backends.engines.transfer_parts import (
    about,
    found_images,
    full_name,
    opened,
    platforms_of,
    resolved,
    search_host,
    tagged_name,
    unsearchable,
)
from backends.model.build import BuildEvent, BuildSpec
from backends.model.errors import BackendError, NotFound, Unsupported
from backends.model.reference import DEFAULT_DOMAIN, parse_reference
from backends.model.transfer import Credentials, FoundImage, Login, PlatformReport, TransferEvent, Transferred
from backends.wire.client import Params
from backends.wire.frames import json_objects

_ASK_TIMEOUT_S = 60.0


class DockerTransfers(DockerImages):
    """The registries as one Docker daemon sees them."""

    @property
    def _store(self) -> CredentialStore:
        return CredentialStore(self._id, docker_files())

    def pull(self, reference: str, *, platform: str = "", insecure: bool = False) -> TransferStream:
        """POST /images/create."""
        return opened(self._pull(reference, platform, insecure))

    def push(self, reference: str, *, insecure: bool = False) -> TransferStream:
        """POST /images/{name}/push."""
        return opened(self._push(reference, insecure))

    async def _pull(self, reference: str, platform: str, insecure: bool) -> AsyncGenerator[TransferEvent, None]:
        full = self._full(reference, insecure)
        yield resolved(reference, full)
        parsed, messages = parse_reference(full), DockerMessages()
        params: dict[str, str | bool] = {"fromImage": parsed.name, "tag": parsed.digest or parsed.tag}
        if platform:
            params["platform"] = platform
        async with aclosing(self._moved("/images/create", params, full, "pull", messages)) as events:
            async for event in events:
                yield event
        item = await self._image(full)
        yield Transferred(full, str(item["Id"]).removeprefix("sha256:"), messages.digest, messages.changed)

    async def _push(self, reference: str, insecure: bool) -> AsyncGenerator[TransferEvent, None]:
        full = tagged_name(self._full(reference, insecure), self._id)
        yield resolved(reference, full)
        parsed, messages = parse_reference(full), DockerMessages()
        item = await self._image(full)
        path = f"/images/{quote(parsed.name, safe='/:')}/push"
        async with aclosing(self._moved(path, {"tag": parsed.tag}, full, "push", messages)) as events:
            async for event in events:
                yield event
        yield Transferred(full, str(item["Id"]).removeprefix("sha256:"), messages.digest)

    async def _moved(
        self, path: str, params: Params, full: str, verb: str, messages: DockerMessages
    ) -> AsyncGenerator[TransferEvent, None]:
        parsed = parse_reference(full)
        headers = await asyncio.to_thread(self._store.header, parsed.domain) or NOBODY
        url = await self._path(path)
        with about(verb, full, parsed.domain, self._id):
            async with self._wire.stream("POST", url, params=params, headers=headers, open_timeout_s=None) as chunks:
                async for message in json_objects(chunks, engine=self._id):
                    if failure := failure_of(message):
                        raise registry_error(failure, verb=verb, name=full, host=parsed.domain, engine=self._id)
                    event = messages.event(message)
                    if event is not None:
                        yield event

    def build_image(self, spec: BuildSpec, context: AsyncIterator[bytes]) -> BuildStream:
        """POST /build, by the classic builder, or by BuildKit where the Containerfile needs it."""
        return self._build_image(spec, context)

    @asynccontextmanager
    async def _build_image(
        self, spec: BuildSpec, context: AsyncIterator[bytes]
    ) -> AsyncIterator[AsyncIterator[BuildEvent]]:
        hosts = dict.fromkeys(map(search_host, base_images(spec.instructions)))
        registries = [HUB_KEY if host == DEFAULT_DOMAIN else host for host in hosts]
        logins = await asyncio.to_thread(self._store.headers, registries)
        async with docker_build.build(self._wire, await self._path(""), spec, context, logins) as events:
            yield events

    # -- asking ----------------------------------------------------------------------------------
    async def search_images(self, term: str, *, limit: int = 25) -> tuple[FoundImage, ...]:
        """GET /images/search, which only Docker Hub and registries with its old interface answer."""
        host = search_host(term)
        try:
            results = await self._asked("/images/search", host, {"term": term, "limit": str(limit)})
        except BackendError as error:
            raise unsearchable(host, error, self._id) from error
        with self._understood():
            return found_images(results, host)

    async def image_platforms(self, reference: str, *, insecure: bool = False) -> PlatformReport:
        """GET /distribution/{name}/json."""
        full = self._full(reference, insecure)
        host = parse_reference(full).domain
        with about("look-up", full, host, self._id):
            told = await self._asked(f"/distribution/{quote(full, safe='/:@')}/json", host)
        with self._understood():
            kind = str(told["Descriptor"].get("mediaType") or "")
            single = "list" not in kind and "index" not in kind
            return PlatformReport(
                full, platforms_of(told.get("Platforms")), single, str(told["Descriptor"].get("digest") or "")
            )

    async def _asked(self, path: str, host: str, params: Params | None = None) -> Any:
        headers = await asyncio.to_thread(self._store.header, host)
        url = await self._path(path)
        answer = await self._wire.call("GET", url, params=params, headers=headers, timeout_s=_ASK_TIMEOUT_S)
        with self._understood():
            return json.loads(answer)

    # -- logins ----------------------------------------------------------------------------------
    async def login(self, registry: str, credentials: Credentials) -> Login:
        """`docker login`; without that program POST /auth, and the helper that the settings name."""
        argv = self._program()
        if argv:
            more = ["login", "--username", credentials.username, "--password-stdin", *_server(registry)]
            code, said = await run_program([*argv, *more], self._id, stdin=credentials.secret)
            if code:
                raise registry_error(said, verb="login", name=registry, host=registry, engine=self._id)
        else:
            await self._login_by_helper(registry, credentials)
        known = {login.registry: login for login in await self.logins()}
        return known.get(registry) or Login(registry, credentials.username, str(docker_files()[0]))

    async def _login_by_helper(self, registry: str, credentials: Credentials) -> None:
        helper = await asyncio.to_thread(self._store.helper, registry)
        if not helper:
            raise self._nothing_keeps("login")
        body = {"username": credentials.username, "password": credentials.secret, "serveraddress": registry}
        with about("login", registry, registry, self._id):
            await self._post("/auth", body, timeout_s=_ASK_TIMEOUT_S)
        await asyncio.to_thread(store_by_helper, helper, registry, credentials.username, credentials.secret, self._id)

    async def logout(self, registry: str) -> None:
        """`docker logout`."""
        if registry not in {login.registry for login in await self.logins()}:
            raise NotFound(f"Docker's credential store has no login for {registry}", engine=self._id)
        argv = self._program()
        if not argv:
            raise self._nothing_keeps("logout")
        code, said = await run_program([*argv, "logout", *_server(registry)], self._id)
        if code:
            raise registry_error(said, verb="logout", name=registry, host=registry, engine=self._id)

    async def logins(self) -> tuple[Login, ...]:
        """Of Docker's config.json and its helpers."""
        return await asyncio.to_thread(self._store.logins)

    def _nothing_keeps(self, verb: str) -> Unsupported:
        hint = f"Install Docker's command line (`docker {verb}`), or name a credsStore in {docker_files()[0]}."
        title = "Docker's own program, which keeps its logins, is not installed here"
        return Unsupported(title, hint=hint, engine=self._id)

    def _program(self) -> list[str]:
        """Docker's command line, pointed at this daemon; [] where it is not installed."""
        path, tls = program("docker"), self._endpoint.tls
        if not path:
            return []
        if tls is None:
            return [path, "--host", str(self._endpoint)]
        files = (("--tlscacert", tls.ca), ("--tlscert", tls.cert), ("--tlskey", tls.key))
        flags = [part for flag, file in files if file for part in (flag, file)]
        return [path, "--host", str(self._endpoint), "--tlsverify" if tls.verify else "--tls", *flags]

    # -- underneath ------------------------------------------------------------------------------
    def _full(self, reference: str, insecure: bool) -> str:
        if insecure:
            title = "Docker decides in its own settings which registries it trusts"
            hint = 'Name the registry under "insecure-registries" in Docker\'s daemon.json.'
            raise Unsupported(title, hint=hint, engine=self._id)
        return full_name(reference, self._id)


def _server(registry: str) -> list[str]:
    return [] if registry == DEFAULT_DOMAIN else [registry]


__all__ = ["DockerTransfers"]
