"""Podman pushes to and pulls from a registry without TLS. Knows no plan; leaves no name behind."""

from __future__ import annotations

from backends.engines.ending import to_its_end
from backends.engines.podman_api import PodmanApi, image_path
from backends.engines.podman_errors import explain
from backends.engines.podman_translate import bare_id
from backends.model.errors import NotFound, Protocol
from backends.model.reference import is_image_id, parse_reference
from backends.wire.frames import json_objects


async def push(api: PodmanApi, reference: str, destination: str) -> None:
    """Push the image (id or name) to "HOST:PORT/NAME:TAG"; Podman gives it no name for that.

    A compression must not be chosen: Podman would then not ask first for layers as they are in its store, by diff-ID.
    Raises NotFound where there is no such image, Protocol with Podman's words where it fails.
    """
    name = reference.removeprefix("sha256:") if is_image_id(reference) else reference
    params: dict[str, str | int | bool] = {
        "destination": destination,
        "tlsVerify": False,
        "quiet": False,
        "retry": 0,
    }
    path = f"/images/{image_path(name)}/push"
    async with api.stream("POST", path, params, open_timeout_s=None) as chunks:
        async for message in json_objects(chunks, engine=api.engine):
            if message.get("error"):
                said = str(message["error"])
                known = explain(api.engine)(500, said)
                if isinstance(known, NotFound):
                    raise known
                raise Protocol(f"Podman could not push to {destination}", detail=said, engine=api.engine)


async def pull(api: PodmanApi, reference: str) -> str:
    """Pull "HOST:PORT/NAME:TAG" or "…@sha256:…" and take that name away again; returns the image's id, bare hex.

    Raises Protocol with Podman's words where it fails.
    """
    params: dict[str, str | int | bool] = {
        "reference": f"docker://{reference}",
        "tlsVerify": False,
        "quiet": True,
        "policy": "always",
        "retry": 0,
    }
    image = ""
    try:
        async with api.stream("POST", "/images/pull", params, open_timeout_s=None) as chunks:
            async for message in json_objects(chunks, engine=api.engine):
                if message.get("error"):
                    title = f"Podman could not pull {reference}"
                    raise Protocol(title, detail=str(message["error"]), engine=api.engine)
                image = str(message.get("id") or image)
        if not image:
            raise Protocol(f"Podman did not say what it pulled as {reference}", engine=api.engine)
    finally:
        await to_its_end(forget(api, reference))
    return bare_id(image)


async def forget(api: PodmanApi, reference: str) -> None:
    """Take a name from its image; the image stays. No error where there is no such name."""
    parsed = parse_reference(reference)
    # libpod joins the two by a colon, and so takes a digest in two halves.
    kind, _, digest = parsed.digest.partition(":")
    params = {"repo": f"{parsed.name}@{kind}", "tag": digest} if digest else {"repo": parsed.name, "tag": parsed.tag}
    try:
        await api.change("POST", f"/images/{image_path(reference)}/untag", params, timeout_s=60.0)
    except NotFound:
        return


__all__ = ["forget", "pull", "push"]
