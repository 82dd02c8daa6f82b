"""Docker pushes to and pulls from a registry without TLS. Knows no plan; leaves no name behind that was not there.

Docker pushes names only, so a pushed image has the registry's name for that time. Docker removes an image with its
last name; an image that had no other loses this one by giving it away, to an image without layers that goes with it.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import tarfile
from urllib.parse import quote

from backends.model.errors import BackendError, Conflict, NotFound, Protocol
from backends.model.reference import parse_reference
from backends.wire.client import WireClient
from backends.wire.frames import json_lines

_NOBODY = {"X-Registry-Auth": base64.urlsafe_b64encode(b"{}").decode()}  # Docker refuses a push without this header
_NAME_TIMEOUT_S = 60.0


def _empty_image(name: str) -> bytes:
    """A docker-archive with an image of no layers under that name."""
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    index = [{"Config": "empty.json", "RepoTags": [name], "Layers": []}]
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for file, value in (("manifest.json", index), ("empty.json", config)):
            data = json.dumps(value).encode()
            member = tarfile.TarInfo(file)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


async def push(wire: WireClient, prefix: str, reference: str, destination: str) -> None:
    """Push the image (id or name) to "HOST:PORT/NAME:TAG"; its name there is taken away again, also on cancel.

    prefix: "/v1.45". Raises NotFound where there is no such image, Protocol with Docker's words where it fails.
    """
    name, tag = _split(destination, wire)
    params = {"repo": name, "tag": tag}
    await wire.call("POST", f"{prefix}/images/{_path(reference)}/tag", params=params, timeout_s=_NAME_TIMEOUT_S)
    try:
        path = f"{prefix}/images/{_path(name)}/push"
        async with wire.stream("POST", path, params={"tag": tag}, headers=_NOBODY, open_timeout_s=None) as chunks:
            async for message in json_lines(chunks, engine=wire.engine):
                _refuse(message, wire, f"Docker could not push to {destination}")
    finally:
        await asyncio.shield(asyncio.ensure_future(forget(wire, prefix, destination)))


async def pull(wire: WireClient, prefix: str, reference: str) -> str:
    """Pull "HOST:PORT/NAME:TAG" or "…@sha256:…"; returns the image's id, bare hex. It keeps that name."""
    parsed = parse_reference(reference)
    params = {"fromImage": parsed.name, "tag": parsed.digest or parsed.tag}
    path = f"{prefix}/images/create"
    async with wire.stream("POST", path, params=params, headers=_NOBODY, open_timeout_s=None) as chunks:
        async for message in json_lines(chunks, engine=wire.engine):
            _refuse(message, wire, f"Docker could not pull {reference}")
    told = await wire.json("GET", f"{prefix}/images/{_path(reference)}/json")
    if not isinstance(told, dict) or "Id" not in told:
        raise Protocol("Docker described no image", engine=wire.engine)
    return str(told["Id"]).removeprefix("sha256:")


async def forget(wire: WireClient, prefix: str, reference: str) -> None:
    """Take a name from its image; the image stays, also where it has no other. No error where there is no such name."""
    try:
        told = await wire.json("GET", f"{prefix}/images/{_path(reference)}/json")
    except NotFound:
        return
    repository = parse_reference(reference).name
    names = [*(told.get("RepoTags") or ()), *(told.get("RepoDigests") or ())]
    if not any(name.rpartition("@" if "@" in name else ":")[0] != repository for name in names):
        data = _empty_image(reference)
        answer = await wire.call("POST", f"{prefix}/images/load", params={"quiet": True}, data=data, timeout_s=None)
        for line in answer.splitlines():
            _refuse(json.loads(line), wire, f"Docker could not take the name {reference} away")
    await wire.call("DELETE", f"{prefix}/images/{_path(reference)}", timeout_s=_NAME_TIMEOUT_S)


def _split(destination: str, wire: WireClient) -> tuple[str, str]:
    try:
        parsed = parse_reference(destination)
    except ValueError as error:
        raise Conflict("That is no image name", detail=str(error), engine=wire.engine) from error
    return parsed.name, parsed.tag


def _path(reference: str) -> str:
    return quote(reference, safe="/:@")


def _refuse(message: object, wire: WireClient, title: str) -> None:
    words = message.get("error") if isinstance(message, dict) else None
    if words:
        raise _error(title, str(words), wire)


def _error(title: str, words: str, wire: WireClient) -> BackendError:
    return Protocol(title, detail=words, engine=wire.engine)


__all__ = ["forget", "pull", "push"]
