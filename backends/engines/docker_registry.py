"""Docker pushes to and pulls from a registry without TLS. Knows no plan; leaves no name behind that was not there.

Docker pushes names only, so a pushed image has the registry's name for that time, and so has a pulled one. Docker
removes an image with its last name; an image that had no other loses this one by giving it away, to an image without
layers that goes with it.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from backends.engines.commit_archive import archive
from backends.engines.docker_base import NOT_ITS_API
from backends.engines.ending import to_its_end
from backends.model.errors import Conflict, NotFound, Protocol
from backends.model.reference import parse_reference
from backends.wire.client import WireClient
from backends.wire.failures import understood
from backends.wire.frames import json_objects

NOBODY = {"X-Registry-Auth": base64.urlsafe_b64encode(b"{}").decode()}  # Docker refuses a push without this header
_NAME_TIMEOUT_S = 60.0


def _empty_image(name: str) -> bytes:
    """A docker-archive with an image of no layers under that name.

    It is another image for each name: of one that two programs share, either would take the other's away.
    """
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"tranship.name": name}},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    return archive(config, name)


async def push(wire: WireClient, prefix: str, reference: str, destination: str) -> None:
    """Push the image (id or name) to "HOST:PORT/NAME:TAG"; its name there is taken away again, also on cancel.

    prefix: "/v1.45". Raises NotFound where there is no such image, Protocol with Docker's words where it fails.
    """
    name, tag = _split(destination, wire)
    try:
        await to_its_end(_tag(wire, prefix, reference, name, tag))
        path = f"{prefix}/images/{_path(name)}/push"
        async with wire.stream("POST", path, params={"tag": tag}, headers=NOBODY, open_timeout_s=None) as chunks:
            async for message in json_objects(chunks, engine=wire.engine):
                _refuse(message, wire, f"Docker could not push to {destination}")
    finally:
        await to_its_end(forget(wire, prefix, destination))


async def pull(wire: WireClient, prefix: str, reference: str) -> str:
    """Pull "HOST:PORT/NAME:TAG" or "…@sha256:…" and take that name away again; returns the image's id, bare hex."""
    parsed = parse_reference(reference)
    params = {"fromImage": parsed.name, "tag": parsed.digest or parsed.tag}
    path = f"{prefix}/images/create"
    try:
        async with wire.stream("POST", path, params=params, headers=NOBODY, open_timeout_s=None) as chunks:
            async for message in json_objects(chunks, engine=wire.engine):
                _refuse(message, wire, f"Docker could not pull {reference}")
        told = await _inspected(wire, prefix, reference)
    finally:
        await to_its_end(forget(wire, prefix, reference))
    return str(told["Id"]).removeprefix("sha256:")


async def forget(wire: WireClient, prefix: str, reference: str) -> None:
    """Take a name from its image, and what its repository calls it by digest; the image stays, also where it has no
    other name. No error where there is no such name.
    """
    try:
        told = await _inspected(wire, prefix, reference)
    except NotFound:
        return
    parsed = parse_reference(reference)
    tags, digests = told.get("RepoTags") or (), told.get("RepoDigests") or ()
    if any(_repository(name) != parsed.name for name in (*tags, *digests)):
        await _delete(wire, prefix, reference)
        return
    tag = parsed.tag or "tranship-leaves"
    if not parsed.tag:
        await _tag(wire, prefix, reference, parsed.name, tag)
    # containerd's store makes up a digest's name for each tag, out of the id: that is no name of its own.
    for name in {*(name for name in digests if not name.endswith(told["Id"])), *([] if parsed.tag else [reference])}:
        await _delete(wire, prefix, name)
    await _steal(wire, prefix, parsed.name, tag)


async def _steal(wire: WireClient, prefix: str, name: str, tag: str) -> None:
    """Give a name to an image without layers, which goes with it. The one that had it stays, nameless."""
    thief = f"tranship-nobody-{uuid.uuid4().hex[:12]}:1"
    data = _empty_image(thief)
    answer = await wire.call("POST", f"{prefix}/images/load", params={"quiet": True}, data=data, timeout_s=None)
    with understood(NOT_ITS_API, wire.engine):
        for line in answer.splitlines():
            _refuse(json.loads(line), wire, f"Docker could not take the name {name}:{tag} away")
    try:
        await _tag(wire, prefix, thief, name, tag)
        await _delete(wire, prefix, f"{name}:{tag}")
    finally:
        await _delete(wire, prefix, thief)


def _repository(name: str) -> str:
    """Of "127.0.0.1:5000/box:1" and "test/box@sha256:…", in full."""
    try:
        return parse_reference(name).name
    except ValueError:
        return name


async def _tag(wire: WireClient, prefix: str, reference: str, name: str, tag: str) -> None:
    path, params = f"{prefix}/images/{_path(reference)}/tag", {"repo": name, "tag": tag}
    await wire.call("POST", path, params=params, timeout_s=_NAME_TIMEOUT_S)


async def _delete(wire: WireClient, prefix: str, name: str) -> None:
    await wire.call("DELETE", f"{prefix}/images/{_path(name)}", timeout_s=_NAME_TIMEOUT_S)


async def _inspected(wire: WireClient, prefix: str, reference: str) -> dict[str, Any]:
    told = await wire.json("GET", f"{prefix}/images/{_path(reference)}/json")
    if not isinstance(told, dict) or "Id" not in told:
        raise Protocol("Docker described no image", engine=wire.engine)
    return told


def _split(destination: str, wire: WireClient) -> tuple[str, str]:
    try:
        parsed = parse_reference(destination)
    except ValueError as error:
        raise Conflict("That is no image name", detail=str(error), engine=wire.engine) from error
    return parsed.name, parsed.tag


def _path(reference: str) -> str:
    return quote(reference, safe="/:@")


def _refuse(message: Mapping[str, Any], wire: WireClient, title: str) -> None:
    if words := message.get("error"):
        raise Protocol(title, detail=str(words), engine=wire.engine)


__all__ = ["NOBODY", "forget", "pull", "push"]
