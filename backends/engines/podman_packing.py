"""Tars what a helper container sees, by its image's own tar: exact owners, which no call of libpod gives.

Reads only; what is mounted in the helper is its caller's business.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from enum import StrEnum

from backends.engines.helper_program import STDIN_PATH, WITH_STDIN, output_of, stdin_tar
from backends.engines.podman_api import PodmanApi
from backends.engines.podman_helper import Helper, Sight, all_said, helper
from backends.model.container import LogStream
from backends.model.errors import NotFound, Protocol, Unsupported

_OCTAL_7 = 0o7777777
"""The largest owner that a plain tar header says. Source: POSIX.1-2017, pax, "ustar Interchange Format"."""


_MISSING = b"No such file or directory"


class Tar(StrEnum):
    """Whose tar an image has."""

    GNU = "gnu"
    BUSYBOX = "busybox"
    OTHER = "other"


@asynccontextmanager
async def packed(
    api: PodmanApi, sight: Sight, folder: str, member: str, *, paths: Sequence[str] = ()
) -> AsyncIterator[AsyncIterator[bytes]]:
    """A tar of one member of a folder of the helper ("." = all of it, root first), names as the member begins.

    paths: only these members where the image's tar can, as "./a". Raises Unsupported where the image has no tar, or
    one that would write owners wrongly and silently; NotFound, at the end, where there is no such member.
    """
    kind = await _tar_of(api, sight)
    if kind is Tar.BUSYBOX:
        await _numbers_fit(api, sight, f"{folder}/{member}")
    listed = b"" if kind is Tar.OTHER else _listed(paths)
    if not listed:
        words = ["tar", "-C", folder, "-cf", "-", "--", member]
    elif kind is Tar.GNU:
        words = ["tar", "--null", "--no-recursion", "-C", folder, "-cf", "-", "-T", STDIN_PATH]
    else:  # one that is built without -T, as Debian's; its shell and its xargs come with it
        words = [*WITH_STDIN, "xargs", "-0", "tar", "--no-recursion", "-C", folder, "-cf", "-"]
    async with helper(api, sight, words) as made:
        if listed:
            await made.put("/", stdin_tar(listed), timeout_s=60.0)
        async with made.says(words[0]) as pieces:
            archive = _archive(api, made, pieces, member)
            try:
                yield archive
            finally:
                await archive.aclose()


def _listed(paths: Sequence[str]) -> bytes:
    """The list of members that a program reads."""
    return "".join(f"./{path.removeprefix('./')}\0" for path in paths).encode("utf-8", "surrogateescape")


async def _archive(
    api: PodmanApi, made: Helper, pieces: AsyncIterator[tuple[LogStream, bytes]], member: str
) -> AsyncGenerator[bytes, None]:
    words = bytearray()
    async with aclosing(output_of(pieces, words)) as out:
        async for piece in out:
            yield piece
    code = await made.exit_code()
    if code:
        said = words.decode("utf-8", "replace").strip() or f"exit code {code}"
        if member != "." and _MISSING in bytes(words):
            raise NotFound(f"There is no {member} there", detail=said, engine=api.engine)
        raise Protocol("The files could not be read", detail=said, engine=api.engine)


async def _tar_of(api: PodmanApi, sight: Sight) -> Tar:
    said = b"".join([piece async for piece in all_said(api, sight, ["tar", "--version"])]).lower()
    return Tar.BUSYBOX if b"busybox" in said else Tar.GNU if b"gnu tar" in said else Tar.OTHER


async def _numbers_fit(api: PodmanApi, sight: Sight, place: str) -> None:
    """Raises Unsupported where there are owners that busybox would cut: it writes 7 octal digits and no more."""
    largest, rest, missing = -1, b"", False
    async for piece in all_said(api, sight, ["find", place, "-exec", "stat", "-c", "%u %g", "{}", "+"]):
        missing = missing or _MISSING in piece
        *lines, rest = (rest + piece).split(b"\n")
        numbers = [int(word) for line in lines for word in line.split() if word.isdigit()]
        largest = max([largest, *numbers])
    if missing and largest < 0:
        raise NotFound("There is no such file", detail=place, engine=api.engine)
    if not 0 <= largest <= _OCTAL_7:
        raise Unsupported(
            f"The tar of {sight.image} cannot write the owners in {sight.source}",
            detail=f"an owner is {largest}, and it writes {_OCTAL_7} at most" if largest >= 0 else "it has no stat",
            hint="Pull an image that has GNU tar into that engine, such as debian, and try again.",
            engine=api.engine,
        )


__all__ = ["packed"]
