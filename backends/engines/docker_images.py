"""Docker's images: lists, facts, archives, names, registries, and images of containers. Changes no container."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from backends.engine import ByteStream
from backends.engines import docker_registry, docker_translate, docker_translate_stores
from backends.engines.commit_archive import committed, own_config
from backends.engines.docker_base import LIST_TIMEOUT_S
from backends.engines.docker_content import config_digest
from backends.engines.docker_history import config_steps, layer_report
from backends.engines.docker_looking import DockerLooking
from backends.engines.docker_rows import listed_images
from backends.engines.ending import to_its_end
from backends.engines.image_config import image_config
from backends.model.errors import Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import ImageKey
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.image_config import ImageConfig
from backends.model.reference import is_image_id, parse_reference
from backends.wire.client import Params


class DockerImages(DockerLooking):
    """The images of one Docker daemon."""

    async def list_images(self, *, nameless: bool = False) -> list[Image]:
        """GET /images/json; without nameless images that no container uses, where they are not asked for."""
        items = await self._get("/images/json", timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            images = listed_images(self._id, items)
        if nameless or all(image.tags for image in images):
            return images
        used = {container.image_id for container in await self.list_containers()}
        return [image for image in images if image.tags or image.digests or image.key.id in used or image.why]

    async def image_facts(self, reference: str) -> ImageFacts:
        """GET /images/{name}/json."""
        item = await self._image(reference)
        config = await self._config_digest(item)
        with self._understood():
            return docker_translate_stores.image_facts(self._id, item, config)

    async def image_config(self, reference: str) -> ImageConfig:
        """GET /images/{name}/json, its Config."""
        item = await self._image(reference)
        with self._understood():
            return image_config(item, item.get("Config") or {})

    async def _config_digest(self, item: dict[str, Any]) -> str:
        told = await self._known()
        if not self._containerd_store:
            return f"sha256:{docker_translate.bare(str(item['Id']))}"
        if not told.local or not told.graph_root:
            return ""
        with self._understood():
            return await asyncio.to_thread(config_digest, item, told.graph_root)

    async def image_layers(self, reference: str) -> LayerReport:
        """GET /images/{name}/history joined with RootFS.Layers."""
        item = await self._image(reference)
        history = await self._get(f"/images/{item['Id']}/history")
        with self._understood():
            key = ImageKey(self._id, docker_translate.bare(str(item["Id"])))
            return layer_report(key, reference, item, history or ())

    async def _image(self, reference: str) -> dict[str, Any]:
        item = await self._get(f"/images/{quote(reference, safe='/:@')}/json")
        if not isinstance(item, dict) or "Id" not in item:
            raise Protocol("Docker described no image", engine=self._id)
        return item

    def export_image(self, reference: str) -> ByteStream:
        """GET /images/get; Docker reads every layer before its first byte."""
        return self._export_image(reference)

    @asynccontextmanager
    async def _export_image(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        path = await self._path("/images/get")
        bare = docker_translate.bare(reference)
        name = f"sha256:{bare}" if is_image_id(bare) else reference  # containerd's store takes no bare id
        async with self._wire.stream("GET", path, params={"names": name}, open_timeout_s=None) as chunks:
            yield chunks

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """POST /images/load; the names are read from its messages."""
        path = await self._path("/images/load")
        headers = {"Content-Type": "application/x-tar"}
        answer = await self._wire.call(
            "POST", path, params={"quiet": True}, data=archive, headers=headers, timeout_s=None
        )
        with self._understood():
            return docker_translate_stores.loaded_images(self._id, answer)

    async def tag_image(self, reference: str, target: str) -> None:
        """One more name."""
        try:
            name = parse_reference(target)
        except ValueError as error:
            raise Conflict("That is no image name", detail=str(error), engine=self._id) from error
        await self._act(lambda api: api.tag(reference, name.name, name.tag or None))

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id."""
        await self._act(lambda api: api.remove_image(reference), timeout_s=120)

    async def push_image(self, reference: str, destination: str) -> None:
        """POST /images/{name}/push, under a name that is taken away again."""
        await docker_registry.push(self._wire, await self._path(""), reference, destination)

    async def pull_image(self, reference: str) -> str:
        """POST /images/create, under a name that is taken away again."""
        return await docker_registry.pull(self._wire, await self._path(""), reference)

    async def commit_container(self, container: str, reference: str) -> str:
        """POST /commit, then the same layers under the configuration of the container's own image.

        Docker's commit always adds the container's env, labels, ports and volumes, whatever configuration it is given.
        The archive that is loaded names layers that the store has, so that nothing but the configuration is moved.
        """
        item: dict[str, Any] = await self.inspect_raw(container)
        base = await self._image(str(item.get("Image") or ""))
        name = f"tranship-commit-{uuid.uuid4().hex[:12]}:1"
        repo, _, tag = name.partition(":")
        params: Params = {"container": container, "repo": repo, "tag": tag, "pause": True}
        path = await self._path("/commit")
        try:
            config = base.get("Config") or {}
            await to_its_end(self._wire.json("POST", path, params=params, body=config, timeout_s=None))
            made = await self._image(name)
            if self._containerd_store:
                return await self._as_committed(made, base, reference)
            history = await self._get(f"/images/{made['Id']}/history")
            with self._understood():
                archive = committed(made, base, config, config_steps(made, history or ()), reference)
            path, headers = await self._path("/images/load"), {"Content-Type": "application/x-tar"}
            said = await self._wire.call("POST", path, params={"quiet": True}, data=archive, headers=headers)
            with self._understood():
                docker_translate_stores.loaded_images(self._id, said)
            return docker_translate.bare(str((await self._image(reference))["Id"]))
        finally:
            await to_its_end(self._gone(name))

    async def _gone(self, reference: str) -> None:
        try:
            await self.remove_image(reference)
        except NotFound:
            return  # it was never made

    async def _as_committed(self, made: dict[str, Any], base: dict[str, Any], reference: str) -> str:
        """containerd's store takes no archive without its layers: only what needs no other configuration is right."""
        if own_config(made.get("Config") or {}) != own_config(base.get("Config") or {}):
            title = "Docker's commit would write the container's settings into the image"
            detail = "its containerd image store takes no image whose layers are not sent again"
            raise Unsupported(title, detail=detail, hint="Carry the changed files only.", engine=self._id)
        await self.tag_image(str(made["Id"]), reference)
        return docker_translate.bare(str(made["Id"]))


__all__ = ["DockerImages"]
