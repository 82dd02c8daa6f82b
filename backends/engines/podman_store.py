"""Podman's images: lists, facts, archives, names, registries, and images of containers. Changes no container."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from functools import partial

from backends.engine import BuildStream, ByteStream
from backends.engines import podman_build, podman_registry
from backends.engines.commit_archive import committed
from backends.engines.ending import to_its_end
from backends.engines.image_config import image_config
from backends.engines.podman_api import Params, image_path
from backends.engines.podman_images import image_facts, inherited, layer_report, listed_image
from backends.engines.podman_looking import PodmanLooking
from backends.engines.podman_translate import bare_id, strings
from backends.engines.row_by_row import rows_of
from backends.model.build import BuildSpec
from backends.model.capabilities import Capability
from backends.model.errors import NotFound, Refused
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.image_config import ImageConfig
from backends.model.reference import full_reference, is_image_id, parse_reference

_TAR_TYPE = {"Content-Type": "application/x-tar"}
"""Without this type Podman 5.4 answers 500."""


class PodmanStore(PodmanLooking):
    """The images of one Podman service."""

    async def list_images(self, *, nameless: bool = False) -> list[Image]:  # noqa: ARG002 - Podman lists them always
        """All images but those that others are built on."""
        entries = await self._api.get("/images/json", timeout_s=30.0)
        with self._understood():
            return rows_of(entries, partial(listed_image, engine=self._id), "Id")

    async def image_facts(self, reference: str) -> ImageFacts:
        """What identifies an image."""
        image = await self._image(reference)
        with self._understood():
            return image_facts(image, self._id)

    async def image_config(self, reference: str) -> ImageConfig:
        """What the image says of containers made of it."""
        image = await self._image(reference)
        with self._understood():
            return image_config(image, inherited(image))

    async def image_layers(self, reference: str) -> LayerReport:
        """History joined with diff-IDs, base first."""
        image = await self._image(reference)
        history = await self._api.get(f"/images/{image_path(reference)}/history")
        with self._understood():
            return layer_report(image, history or (), reference, self._id)

    def export_image(self, reference: str) -> ByteStream:
        """A docker-archive tar. Podman writes it to a file of its own first, so the answer may come late."""
        path = f"/images/{image_path(reference)}/get"
        return self._api.stream("GET", path, {"format": "docker-archive"}, open_timeout_s=None)

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """Load an image tar; returns the names that Podman loaded."""
        return await self._load(archive)

    async def _load(self, archive: AsyncIterator[bytes] | bytes) -> tuple[str, ...]:
        answer = await self._api.send("POST", "/images/load", data=archive, headers=_TAR_TYPE)
        with self._understood():
            return strings(json.loads(answer)["Names"])

    async def tag_image(self, reference: str, target: str) -> None:
        """Give the image one more full reference."""
        try:
            name = parse_reference(target)
        except ValueError as error:
            raise Refused("No valid image name", detail=str(error), engine=self._id) from error
        params = {"repo": name.name, "tag": name.tag or "latest"}
        await self._api.change("POST", f"/images/{image_path(reference)}/tag", params)

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id."""
        name = reference.removeprefix("sha256:") if is_image_id(reference) else reference
        await self._api.change("DELETE", f"/images/{image_path(name)}", timeout_s=120.0)

    async def push_image(self, reference: str, destination: str) -> None:
        """POST /images/{name}/push; Podman gives the image no name for it."""
        await podman_registry.push(self._api, reference, destination)

    async def pull_image(self, reference: str) -> str:
        """POST /images/pull; the registry's name is taken away again."""
        return await podman_registry.pull(self._api, reference)

    def build_image(self, spec: BuildSpec, context: AsyncIterator[bytes]) -> BuildStream:
        """POST /libpod/build."""
        return podman_build.build(self._api, spec, context)

    async def commit_container(self, container: str, reference: str) -> str:
        """POST /commit, then the same layers under the configuration of the container's own image.

        Podman's commit writes the container's env, command and labels into the image, and no parameter takes them away.
        The archive that is loaded after it holds the configuration alone: Podman has the layers. What Podman does not
        tell of an image is lost: ONBUILD and SHELL, which only builds read.
        """
        try:
            parse_reference(reference)
        except ValueError as error:
            raise Refused("No valid image name", detail=str(error), engine=self._id) from error
        raw = await self.inspect_raw(container)
        base = await self._image(str(raw.get("Image") or ""))
        repo = f"localhost/tranship-commit-{uuid.uuid4().hex[:12]}"
        pause = (await self._known()).capabilities.can(Capability.PAUSE)
        if pause:
            await self._expect_room_to_freeze()
        params: Params = {"container": container, "format": "docker", "pause": pause, "repo": repo, "tag": "1"}
        try:
            await to_its_end(self._api.send("POST", "/commit", params))
            made = await self._image(f"{repo}:1")
            with self._understood():
                steps = [*(base.get("History") or ()), {"created": made["Created"]}]
                archive = committed(made, base, inherited(base), steps, full_reference(reference), empty_layers=True)
            await self._load(archive)
            return bare_id(str((await self._image(reference))["Id"]))
        finally:
            await to_its_end(self._discard(f"{repo}:1"))

    async def _discard(self, name: str) -> None:
        try:
            await self.remove_image(name)
        except NotFound:
            return  # it was never made


__all__ = ["PodmanStore"]
