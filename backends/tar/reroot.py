"""Moves the members of a tar stream under another folder as they flow by. Pure; unpacks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.tar.header import BLOCK, DIRECTORY, HARD_LINK, Member
from backends.tar.walk import Walk
from backends.tar.write import pax_header, sealed

_AT_ONCE_BYTES = 64 * 1024
"""Then others run: so much takes about 1 ms where all of it is headers."""

_SPACES = b" " * 8
_POSIX = b"ustar\0"


async def reroot(
    chunks: AsyncIterable[bytes], folder: str, *, strip: int = 0, engine: EngineId | None = None
) -> AsyncIterator[bytes]:
    """The same tar with each name "./a" as "folder/a", and "./" as "folder/". Hard links follow, symlinks stay.

    strip: so many parts at the front of each name go first: with 1 "old/a" is "folder/a".
    Raises Protocol where the stream is no tar, is cut, or names something outside of its root ("..").
    """
    mover = _Mover(folder.encode("utf-8", "surrogateescape"), strip)
    try:
        async for chunk in chunks:
            for at in range(0, len(chunk), _AT_ONCE_BYTES):
                if at:
                    await asyncio.sleep(0)
                passed = mover.moved(chunk[at : at + _AT_ONCE_BYTES])
                if passed:
                    yield passed
        if mover.cut:
            raise Protocol("The archive ends too early")
    except Protocol as error:
        error.engine = error.engine or engine
        raise
    yield bytes(2 * BLOCK)


class _Mover(Walk):
    def __init__(self, folder: bytes, strip: int) -> None:
        super().__init__()
        self._folder = folder
        self._strip = strip
        self._out: list[bytes | memoryview] = []
        self._size = 0

    def moved(self, data: bytes) -> bytes:
        """What of it, and of what came before, is to be passed on."""
        self.feed(data)
        passed = b"".join(self._out)
        self._out.clear()
        return passed

    def begin(self, member: Member) -> None:
        name, link = self._under(member.name), member.link
        if member.kind == DIRECTORY:
            name += b"/"
        if member.kind == HARD_LINK:
            link = self._under(link)
        records = [(key, value) for key, value in member.records.items() if key not in (b"path", b"linkpath")]
        if len(name) > 100:
            records.append((b"path", name))
        if len(link) > 100:
            records.append((b"linkpath", link))
        if records:
            self._out.append(pax_header(records))
        self._out.append(_renamed(member.block, name, link))
        self._size = member.size

    def content(self, piece: memoryview) -> None:
        self._out.append(piece)

    def end(self) -> None:
        self._out.append(bytes(-self._size % BLOCK))

    def global_records(self, member: Member, body: bytes) -> None:
        self._out.append(member.block + body + bytes(-len(body) % BLOCK))

    def _under(self, name: bytes) -> bytes:
        parts = [part for part in name.split(b"/") if part not in (b"", b".")]
        if b".." in parts:
            raise Protocol("The archive names a path outside of its root", detail=name.decode("utf-8", "replace"))
        return b"/".join((self._folder, *parts[self._strip :]))


def _renamed(block: bytes, name: bytes, link: bytes) -> bytes:
    """A header with other names, and nothing else changed."""
    tail = block[257:345] + bytes(155) + block[500:] if block[257:263] == _POSIX else block[257:]
    return sealed(
        b"".join(
            (name[:100].ljust(100, b"\0"), block[100:148], _SPACES, block[156:157], link[:100].ljust(100, b"\0"), tail)
        )
    )


__all__ = ["reroot"]
