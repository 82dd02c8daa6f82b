"""Recipes of Podman's containers, and containers from recipes; podman_recipe and podman_spec map them."""

from __future__ import annotations

import asyncio
import json
import posixpath
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends.engines.ending import to_its_end
from backends.engines.helper_program import file_tar
from backends.engines.podman_api import segment
from backends.engines.podman_base import PodmanBase
from backends.engines.podman_defaults import unmapped
from backends.engines.podman_helper import Sight, helper
from backends.engines.podman_recipe import partners, workload_spec
from backends.engines.podman_spec import create_body
from backends.engines.podman_translate import strings
from backends.model.errors import NotFound, Refused, Unsupported
from backends.model.labels import HELPER_LABEL
from backends.model.workload import WorkloadSpec

_PROFILE = "seccomp.json"
_PROFILE_LIMIT_BYTES = 1 << 20
_PLACE = "/.tranship-profile"
_UNREAD = "its profile lies in a file of the engine's host that cannot be read from here"


class PodmanWorkloads(PodmanBase):
    """Recipes of one Podman service."""

    async def create_container(self, spec: WorkloadSpec) -> str:
        """POST /containers/create, not start; returns the full id."""
        info = await self._known()
        if spec.command == () and spec.entrypoint is None:
            # libpod can leave out the image's command only where the entrypoint is given.
            image = await self._image(spec.image)
            spec = replace(spec, entrypoint=strings((image.get("Config") or {}).get("Entrypoint")))
        async with self._profile(spec) as path:
            try:
                body = create_body(spec, info, own_runtime=self._host.runtime, seccomp_path=path)
            except (Refused, Unsupported) as error:
                error.engine = self._id
                raise
            answer = await to_its_end(self._api.change("POST", "/containers/create", body=body))
        with self._understood():
            return str(answer["Id"])

    @asynccontextmanager
    async def _profile(self, spec: WorkloadSpec) -> AsyncIterator[str]:
        """Where the engine finds the recipe's seccomp profile, which libpod reads from a file while it creates.

        The file lies in a volume of a moment: so it is on the engine's own disk, wherever that is.
        """
        text = spec.security.seccomp
        if text in {"", "unconfined"}:
            yield ""
            return
        name = f"tranship-profile-{uuid.uuid4().hex[:12]}"
        body = {"Name": name, "Labels": {HELPER_LABEL: "profile"}}
        try:
            volume = await to_its_end(self._api.change("POST", "/volumes/create", body=body))
            sight = Sight(spec.image, name, _PLACE, read_only=False)
            async with helper(self._api, sight, ["true"]) as made:
                await made.put(_PLACE, file_tar(_PROFILE, text.encode(), mode=0o644), timeout_s=60.0)
            with self._understood():
                path = posixpath.join(str(volume["Mountpoint"]), _PROFILE)
            yield path
        finally:
            await to_its_end(self._drop(name))

    async def _drop(self, volume: str) -> None:
        try:
            await self._api.change("DELETE", f"/volumes/{segment(volume)}")
        except NotFound:
            return  # it was never made

    async def workload_spec(self, container: str) -> WorkloadSpec:
        """The recipe that would make this container again."""
        info = await self._known()
        raw = await self.inspect_raw(container)
        image = await self._image(str(raw.get("Image") or ""))
        with self._understood():
            shared = partners(raw)
        names = {partner: await self._name(partner) for partner in shared}
        with self._understood():
            spec = workload_spec(raw, image, self._host, names)
        if spec.security.seccomp.startswith("/"):
            return await asyncio.to_thread(_with_profile, spec, info.local)
        return spec

    async def _name(self, container: str) -> str:
        try:
            raw: dict[str, Any] = await self.inspect_raw(container)
        except NotFound:
            return container  # the partner is gone: its id is all there is
        return str(raw.get("Name") or container)


def _with_profile(spec: WorkloadSpec, local: bool) -> WorkloadSpec:
    """The profile in the place of its path, or the report that it cannot be had. Reads a file: call it in a thread."""
    path = spec.security.seccomp
    try:
        text = _read(path) if local else ""
    except (OSError, ValueError, RecursionError):
        text = ""  # not ours to read, or no profile: said below
    if text:
        return replace(spec, security=replace(spec.security, seccomp=text))
    left = (*spec.unmapped, unmapped("HostConfig.SecurityOpt[seccomp]", path, _UNREAD))
    return replace(
        spec,
        security=replace(spec.security, seccomp=""),
        unmapped=tuple(sorted(left, key=lambda field: field.path)),
    )


def _read(path: str) -> str:
    """The text of a profile. Raises ValueError where it is no JSON object."""
    with Path(path).open("rb") as file:
        text = file.read(_PROFILE_LIMIT_BYTES).decode()
    if not isinstance(json.loads(text), dict):
        raise ValueError(path)
    return text


__all__ = ["PodmanWorkloads"]
