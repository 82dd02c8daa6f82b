"""The images of an export brought to a registry, and named there by digest in the recipes. Draws nothing.

The push itself is `Transfer`'s, by the engine that has the image and with its own logins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backends.engine import Engine
from backends.export.exported import Member
from backends.export.names import Names
from backends.model.errors import NotFound, Refused
from backends.model.ids import EngineId, ImageKey
from backends.model.reference import DEFAULT_TAG, is_image_id, parse_reference
from backends.model.transfer_state import TransferAsk
from backends.services.fleet import Fleet
from backends.services.images import check_free
from backends.services.transfers import Transfer


@dataclass(frozen=True, slots=True)
class ImagePush:
    """An image that is pushed. image: what its engine has. reference: under which name, with its tag."""

    image: ImageKey
    reference: str

    @property
    def engine(self) -> EngineId:
        """Who pushes it."""
        return self.image.engine


def push_of(member: Member, prefix: str) -> ImagePush:
    """Where the image of a container goes: PREFIX/NAME:TAG. Raises NotFound where its engine no longer has it.

    prefix: "registry.example.org/team". Raises Refused where that makes no name.
    """
    if member.image is None:
        hint = "pull or build it again, or export without --push"
        raise NotFound(f"the image of {member.spec.name} ({member.spec.image}) is not on its engine", hint=hint)
    named = member.spec.image
    if is_image_id(named):
        path, tag = Names(dns=True).of(member.spec.name), DEFAULT_TAG
    else:
        reference = parse_reference(named)
        path, tag = reference.path.rpartition("/")[2], reference.tag or DEFAULT_TAG
    target = f"{prefix.strip('/')}/{path}:{tag}"
    first = target.partition("/")[0]
    if "." not in first and ":" not in first and first != "localhost":
        raise Refused(f"{prefix} names no registry", hint="say REGISTRY/PREFIX, for example ghcr.io/team")
    try:
        return ImagePush(member.image.key, str(parse_reference(target)))
    except ValueError as error:
        raise Refused(f"{target} is no name of an image", detail=str(error)) from error


async def name_it(engine: Engine, push: ImagePush) -> None:
    """Give the image that name on its engine. Raises Refused where another one has it."""
    await check_free(engine, push.reference, push.image)
    await engine.tag_image(push.image.id, push.reference)


async def push_all(
    fleet: Fleet, members: Sequence[Member], prefix: str, done: dict[ImageKey, tuple[ImagePush, str]]
) -> None:
    """Name and push the images of all members, one after the other. done: grows by each with its digest.

    Raises as `push_of`, `name_it` and `Transfer`.
    """
    for push in {push.image: push for push in (push_of(member, prefix) for member in members)}.values():
        await name_it(fleet.engine(push.engine), push)
        told = await Transfer(fleet, TransferAsk(push.engine, push.reference, push=True)).run()
        done[push.image] = (push, told.digest)


def renamed(members: Sequence[Member], pushed: Mapping[ImageKey, tuple[ImagePush, str]]) -> tuple[Member, ...]:
    """The members with the pushed images; pushed: each with its manifest's digest, "" where that was not told."""

    def one(member: Member) -> Member:
        if member.image is None or member.image.key not in pushed:
            return member
        push, digest = pushed[member.image.key]
        reference = parse_reference(push.reference)
        name = f"{reference.name}@{digest}" if digest else push.reference
        return replace(member, spec=replace(member.spec, image=name))

    return tuple(one(member) for member in members)


__all__ = ["ImagePush", "name_it", "push_all", "push_of", "renamed"]
