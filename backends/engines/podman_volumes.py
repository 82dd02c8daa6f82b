"""Volume content in and out of Podman, owners and all, by helper containers. Knows nothing of migrations.

libpod's own means do not suffice: `/volumes/X/export|import` answer 404 before 5.6, and reading `/containers/X/archive`
gives every file to the container's user and leaves out "dev", "proc" and "sys" (libpod/container_copy_common.go). So
content is read by the image's `tar` in a helper that sees nothing but the volume, read-only and without a network; it
is written by PUT `/archive` with copyUIDGID=false, which keeps everything but the owner of the root, into a helper
that is never started; the root's owner is set by the image's `chown` where it is not 0:0.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from backends.engines.helper_program import WITH_STDIN, stdin_tar
from backends.engines.podman_api import PodmanApi, segment
from backends.engines.podman_errors import NOT_COPIED
from backends.engines.podman_helper import Sight, helper
from backends.engines.podman_packing import packed
from backends.model.errors import Protocol

_WORKPLACE = "/volume"  # where programs find it
_PLACE = "/.tranship-volume"  # in no image: a place that an image has would be copied into an empty volume
_HEAD_BYTES = 1 << 16


@asynccontextmanager
async def export_volume(
    api: PodmanApi, name: str, via_image: str, paths: Sequence[str] = ()
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The volume's content as a tar ("./…", root first). Raises Unsupported where via_image has no tar.

    paths: where given, those members alone where the image's tar can, else all.
    """
    await api.get(f"/volumes/{segment(name)}/json")
    async with packed(api, Sight(via_image, name, _PLACE), _PLACE, ".", paths=paths) as pieces:
        yield pieces


@asynccontextmanager
async def run_in_volume(
    api: PodmanApi, name: str, argv: Sequence[str], via_image: str, *, read_only: bool, stdin: bytes
) -> AsyncIterator[AsyncIterator[bytes]]:
    """What a program of the image writes, the volume being its working directory."""
    await api.get(f"/volumes/{segment(name)}/json")
    words = (*WITH_STDIN, *argv) if stdin else argv
    sight = Sight(via_image, name, _WORKPLACE, read_only)
    async with helper(api, sight, words, workdir=_WORKPLACE) as made:
        if stdin:
            await made.put("/", stdin_tar(stdin), timeout_s=60.0)
        async with made.says(words[0]) as pieces:
            output = made.output(pieces, argv[0])
            try:
                yield output
            finally:
                await output.aclose()


async def import_volume(api: PodmanApi, name: str, archive: AsyncIterator[bytes], via_image: str) -> None:
    """Unpack a tar into the volume. Raises Unsupported where the root's owner needs a chown that via_image
    lacks, Protocol where it cannot be set.
    """
    await api.get(f"/volumes/{segment(name)}/json")
    head = await _head(archive)
    sight = Sight(via_image, name, _PLACE, read_only=False)
    async with helper(api, sight, ["true"]) as made:
        with in_short("The volume could not be written"):
            await made.put(_PLACE, _joined(head, archive))
    owner = root_owner(head)
    if owner in (None, "0:0"):
        return
    async with helper(api, sight, ["chown", str(owner), _PLACE]) as made, made.says("chown") as pieces:
        said = b"".join([piece async for _, piece in pieces])
        code = await made.exit_code()
    if code:
        title = "The owner of the volume's root could not be set"
        detail = said.decode("utf-8", "replace").strip() or f"exit code {code}"
        raise Protocol(title, detail=detail, engine=api.engine)


@contextmanager
def in_short(title: str) -> Iterator[None]:
    """Says in the title what it was that Podman could not copy."""
    try:
        yield
    except Protocol as error:
        if error.title == NOT_COPIED:
            error.title = title
        raise


async def _head(archive: AsyncIterator[bytes]) -> bytes:
    """The first bytes, enough for the first entry's header with its extensions."""
    head = bytearray()
    async for chunk in archive:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return bytes(head)


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


def root_owner(head: bytes) -> str | None:
    """ "uid:gid" of a tar's first entry where that is the root ("./"), else None."""
    try:
        with tarfile.open(fileobj=io.BytesIO(head), mode="r:") as tar:
            first = tar.next()
    except tarfile.TarError:
        return None
    if first is None or first.name.strip("/") not in {"", "."}:
        return None
    return f"{first.uid}:{first.gid}"


__all__ = ["export_volume", "import_volume", "in_short", "root_owner", "run_in_volume"]
