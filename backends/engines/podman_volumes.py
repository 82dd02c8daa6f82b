"""Volume content in and out of Podman, owners and all, by helper containers. Knows nothing of migrations.

libpod's own means do not suffice: `/volumes/X/export|import` answer 404 before 5.6, and reading `/containers/X/archive`
gives every file to the container's user and leaves out "dev", "proc" and "sys" (libpod/container_copy_common.go). So
content is read by the image's `tar` in a helper that sees nothing but the volume, read-only and without a network; it
is written by PUT `/archive` with copyUIDGID=false, which keeps everything but the owner of the root, into a helper
that is never started; the root's owner is set by the image's `chown` where it is not 0:0.
"""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from backends.engines.helper_program import WITH_STDIN, ended, needs, stdin_tar
from backends.engines.podman_api import Params, PodmanApi, segment
from backends.engines.podman_spec import image_reference
from backends.engines.podman_tar import without_padding
from backends.model.container import LogStream
from backends.model.errors import BackendError, NotFound, Protocol, Unsupported
from backends.model.workload import HELPER_LABEL
from backends.wire.frames import log_frames

_WORKPLACE = "/volume"  # where programs find it
_PLACE = "/.tranship-volume"  # in no image: a place that an image has would be copied into an empty volume
_HEAD_BYTES = 1 << 16
_WORDS_BYTES = 4096
_OCTAL_7 = 0o7777777
"""The largest owner that a plain tar header says. Source: POSIX.1-2017, pax, "ustar Interchange Format"."""

T = TypeVar("T")


@asynccontextmanager
async def export_volume(api: PodmanApi, name: str, via_image: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """The volume's content as a tar ("./…", root first). Raises Unsupported where via_image has no tar."""
    await api.get(f"/volumes/{segment(name)}/json")
    await _numbers_fit(api, name, via_image)
    async with _helper(api, name, via_image, ["tar", "-C", _PLACE, "-cf", "-", "."], read_only=True) as helper:
        attach = f"/containers/{helper}/attach"
        params = {"stream": True, "stdout": True, "stderr": True, "stdin": False}
        with _needs("tar", via_image, api):
            async with api.stream("POST", attach, params, open_timeout_s=60.0) as chunks:
                await api.change("POST", f"/containers/{helper}/start")
                pieces = _tar_pieces(api, helper, chunks)
                try:
                    yield pieces
                finally:
                    await pieces.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def _numbers_fit(api: PodmanApi, name: str, via_image: str) -> None:
    """Raises Unsupported where the volume has owners that via_image's tar would write wrongly and silently.

    busybox writes owners as 7 octal digits and cuts what is more; GNU tar knows another form for those.
    """
    with _needs("tar", via_image, api):
        version = b"".join([piece async for piece in _said(api, name, via_image, ["tar", "--version"])])
    if b"busybox" not in version.lower():
        return
    largest, rest = -1, b""
    with _needs("find", via_image, api):
        async for piece in _said(api, name, via_image, ["find", _PLACE, "-exec", "stat", "-c", "%u %g", "{}", "+"]):
            *lines, rest = (rest + piece).split(b"\n")
            numbers = [int(word) for line in lines for word in line.split() if word.isdigit()]
            largest = max([largest, *numbers])
    if not 0 <= largest <= _OCTAL_7:
        raise Unsupported(
            f"The tar of {via_image} cannot write the owners in the volume {name}",
            detail=f"an owner is {largest}, and it writes {_OCTAL_7} at most" if largest >= 0 else "it has no stat",
            hint="Pull an image that has GNU tar into that engine, such as debian, and try again.",
            engine=api.engine,
        )


async def _said(api: PodmanApi, name: str, via_image: str, words: Sequence[str]) -> AsyncIterator[bytes]:
    """What a program of the image writes (both streams) in a helper that sees the volume."""
    async with _helper(api, name, via_image, words, read_only=True) as helper:
        params = {"stream": True, "stdout": True, "stderr": True, "stdin": False}
        async with api.stream("POST", f"/containers/{helper}/attach", params, open_timeout_s=60.0) as chunks:
            await api.change("POST", f"/containers/{helper}/start")
            async for _, piece, _ in log_frames(chunks, engine=api.engine):
                yield piece


@asynccontextmanager
async def run_in_volume(
    api: PodmanApi, name: str, argv: Sequence[str], via_image: str, *, read_only: bool, stdin: bytes
) -> AsyncIterator[AsyncIterator[bytes]]:
    """What a program of the image writes, the volume being its working directory."""
    await api.get(f"/volumes/{segment(name)}/json")
    words = (*WITH_STDIN, *argv) if stdin else argv
    async with _helper(api, name, via_image, words, read_only=read_only, place=_WORKPLACE) as helper:
        if stdin:
            headers = {"Content-Type": "application/x-tar"}
            params: Params = {"path": "/", "copyUIDGID": False}
            await api.send(
                "PUT", f"/containers/{helper}/archive", params, data=stdin_tar(stdin), headers=headers, timeout_s=60.0
            )
        params = {"stream": True, "stdout": True, "stderr": True, "stdin": False}
        async with api.stream("POST", f"/containers/{helper}/attach", params, open_timeout_s=60.0) as chunks:
            with needs(words[0], via_image):
                await api.change("POST", f"/containers/{helper}/start")
            pieces = _program_pieces(api, helper, argv[0], via_image, chunks)
            try:
                yield pieces
            finally:
                await pieces.aclose()


async def _program_pieces(
    api: PodmanApi, helper: str, program: str, image: str, chunks: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    words = bytearray()
    async for stream, piece, _ in log_frames(chunks, engine=api.engine):
        if stream is LogStream.STDERR:
            words += piece[: max(0, _WORDS_BYTES - len(words))]
        else:
            yield piece
    answer = await api.send("POST", f"/containers/{helper}/wait", timeout_s=60.0)
    code = answer.decode("utf-8", "replace").strip()
    ended(int(code) if code.isdigit() else 1, bytes(words), program, image, api.engine)


async def _tar_pieces(api: PodmanApi, helper: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    words = bytearray()
    async for stream, piece, _ in log_frames(chunks, engine=api.engine):
        if stream is LogStream.STDERR:
            words += piece[: max(0, _WORDS_BYTES - len(words))]
        else:
            yield piece
    await _expect_success(api, helper, "The volume could not be read", bytes(words))


async def import_volume(api: PodmanApi, name: str, archive: AsyncIterator[bytes], via_image: str) -> None:
    """Unpack a tar into the volume. Raises Unsupported where the root's owner needs a chown that via_image lacks."""
    await api.get(f"/volumes/{segment(name)}/json")
    head = await _head(archive)
    async with _helper(api, name, via_image, ["true"], read_only=False) as helper:
        params: Params = {"path": _PLACE, "copyUIDGID": False, "noOverwriteDirNonDir": False}
        headers = {"Content-Type": "application/x-tar"}
        body = without_padding(_joined(head, archive))
        with _in_short("The volume could not be written"):
            await api.send("PUT", f"/containers/{helper}/archive", params, data=body, headers=headers)
    owner = root_owner(head)
    if owner not in (None, "0:0"):
        await _chown_root(api, name, str(owner), via_image)


async def _chown_root(api: PodmanApi, name: str, owner: str, via_image: str) -> None:
    async with _helper(api, name, via_image, ["chown", owner, _PLACE], read_only=False) as helper:
        with _needs("chown", via_image, api):
            await api.change("POST", f"/containers/{helper}/start")
        await _expect_success(api, helper, "The owner of the volume's root could not be set", b"")


async def _expect_success(api: PodmanApi, helper: str, title: str, words: bytes) -> None:
    answer = await api.send("POST", f"/containers/{helper}/wait", timeout_s=60.0)
    code = answer.decode("utf-8", "replace").strip()
    if code != "0":
        said = words.decode("utf-8", "replace").strip()
        raise Protocol(title, detail=said or f"exit code {code}", engine=api.engine)


@contextmanager
def _in_short(title: str) -> Iterator[None]:
    """Podman names its whole request before it says what is wrong (vendor/github.com/containers/buildah/copier)."""
    try:
        yield
    except Protocol as error:
        said = error.title.rpartition("}: ")[2]
        if said == error.title:
            raise
        raise Protocol(title, detail=said, engine=error.engine) from error


class _needs:  # reads as a phrase at its only two uses
    """Says which program the helper's image lacks."""

    def __init__(self, program: str, via_image: str, api: PodmanApi) -> None:
        self._program, self._image, self._engine = program, via_image, api.engine

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, BackendError) and "not found" in error.detail and self._program in error.detail:
            raise Unsupported(
                f"The image {self._image} has no {self._program}, which Podman needs to copy a volume exactly",
                detail=error.detail,
                hint="Pull an image that has it into that engine, such as busybox, and try again.",
                engine=self._engine,
            ) from error


@asynccontextmanager
async def _helper(
    api: PodmanApi, volume: str, via_image: str, words: Sequence[str], *, read_only: bool, place: str = _PLACE
) -> AsyncIterator[str]:
    """A container with the volume at `place`; removed on exit, also when cancelled while it is being made."""
    name = f"tranship-helper-{uuid.uuid4().hex[:12]}"
    body = {
        "name": name,
        "image": image_reference(via_image),
        "labels": {HELPER_LABEL: str(os.getpid())},
        "entrypoint": [words[0]],
        "command": list(words[1:]),
        "user": "0:0",
        "work_dir": "/" if place == _PLACE else place,
        "netns": {"nsmode": "none"},
        "image_volume_mode": "ignore",
        "log_configuration": {"driver": "none"},
        "volumes": [{"Name": volume, "Dest": place, "Options": ["nocopy", *(["ro"] if read_only else [])]}],
    }
    try:
        await _to_its_end(api.change("POST", "/containers/create", body=body))
        yield name
    finally:
        await _to_its_end(_remove(api, name))


async def _remove(api: PodmanApi, name: str) -> None:
    try:
        await api.change("DELETE", f"/containers/{name}", {"force": True, "timeout": 0})
    except NotFound:
        return  # it was never made


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end even when cancelled meanwhile: a create cut short would leave its container behind."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
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
