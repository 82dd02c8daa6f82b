"""Pure: the members of one path out of the tar of a whole root, as a tar of its own. Opens nothing.

For what Podman's GET `/export` writes: POSIX ustar and pax headers (Go, archive/tar), names without a leading "/".
"""

from __future__ import annotations

import asyncio
import posixpath
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator

from backends.model.errors import NotFound, Protocol, Unsupported
from backends.model.ids import EngineId

_BLOCK = 512
_END = bytes(2 * _BLOCK)
_EXTENSION_LIMIT_BYTES = 1 << 20
_MEMBERS_AT_ONCE = 64  # then others run: each takes about 20 µs
_HAVE_NO_DATA = b"123456"


class Picker:
    """path: absolute; what lies there is picked, its names beginning with the path's last part."""

    def __init__(self, path: str, engine: EngineId) -> None:
        self._wanted = path.strip("/")
        self._parent = posixpath.dirname(self._wanted)
        self._engine = engine
        self._buffer = bytearray()
        self._chunks: AsyncIterator[bytes] | None = None

    async def picked(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The tar of what was picked. Raises NotFound where nothing was, Protocol where the archive is cut."""
        self._chunks = chunks
        seen = count = 0
        while (member := await self._next()) is not None:
            count += 1
            if count % _MEMBERS_AT_ONCE == 0:
                await asyncio.sleep(0)
            size = 0 if member.type in {bytes([kind]) for kind in _HAVE_NO_DATA} else member.size
            if not self._is_wanted(member.name):
                async for _ in self._pieces(size + -size % _BLOCK):
                    pass
                continue
            seen += 1
            yield self._renamed(member)
            async for piece in self._pieces(size + -size % _BLOCK):
                yield piece
        if not seen:
            raise NotFound(f"There is no /{self._wanted} in the container", engine=self._engine)
        yield _END

    def _is_wanted(self, name: str) -> bool:
        name = name.strip("/")
        return not self._wanted or name == self._wanted or name.startswith(f"{self._wanted}/")

    def _renamed(self, member: tarfile.TarInfo) -> bytes:
        if member.islnk():
            if not self._is_wanted(member.linkname):
                detail = f"/{member.name} and /{member.linkname} are one file"
                title = f"/{self._wanted} cannot be read alone: it has a hard link to what is outside of it"
                raise Unsupported(title, detail=detail, engine=self._engine)
            member.linkname = self._below(member.linkname)
        member.name = self._below(member.name)
        records = dict(member.pax_headers)
        for key in ("path", "linkpath", "size", "uid", "gid", "mtime", "atime", "ctime", "uname", "gname"):
            records.pop(key, None)  # they are attributes of the member, and written again where they have to be
        member.pax_headers = records
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

    def _below(self, name: str) -> str:
        name = name.strip("/")
        return f"./{name}" if not self._wanted else posixpath.relpath(name, self._parent or ".")

    async def _next(self) -> tarfile.TarInfo | None:
        """The next member with its extended headers applied; None at the end."""
        records: dict[str, str] = {}
        while True:
            block = await self._exactly(_BLOCK)
            if block == bytes(_BLOCK):
                return None
            try:
                member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.TarError as error:
                raise Protocol("Podman's export is no tar", detail=str(error), engine=self._engine) from error
            if member.type not in {tarfile.XHDTYPE, tarfile.XGLTYPE}:
                return self._with(member, records)
            if member.size > _EXTENSION_LIMIT_BYTES:
                raise Protocol("Podman's export has an oversized header", engine=self._engine)
            data = await self._exactly(member.size + -member.size % _BLOCK)
            if member.type == tarfile.XHDTYPE:
                records = self._records(data[: member.size])

    def _records(self, data: bytes) -> dict[str, str]:
        """ "LENGTH KEY=VALUE\\n" after each other; LENGTH counts the whole record. Source: POSIX.1-2001, pax."""
        found: dict[str, str] = {}
        while data:
            digits, _, _ = data[:20].partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            key, equals, value = data[len(digits) + 1 : length].partition(b"=")
            if not equals:
                raise Protocol("Podman's export has a garbled header", engine=self._engine)
            found[key.decode("utf-8", "surrogateescape")] = value[:-1].decode("utf-8", "surrogateescape")
            data = data[length:]
        return found

    def _with(self, member: tarfile.TarInfo, records: dict[str, str]) -> tarfile.TarInfo:
        try:
            member.name = records.get("path", member.name)
            member.linkname = records.get("linkpath", member.linkname)
            for key in ("size", "uid", "gid"):
                if key in records:
                    setattr(member, key, int(records[key]))
            if "mtime" in records:
                member.mtime = float(records["mtime"])
        except ValueError as error:
            raise Protocol("Podman's export has a garbled header", detail=str(error), engine=self._engine) from error
        member.pax_headers = records
        return member

    async def _exactly(self, count: int) -> bytes:
        return b"".join([piece async for piece in self._pieces(count)])

    async def _pieces(self, count: int) -> AsyncIterator[bytes]:
        """`count` bytes, in pieces as they come."""
        while count:
            if not self._buffer:
                chunk = await anext(self._chunks, b"") if self._chunks is not None else b""
                if not chunk:
                    raise Protocol("Podman's export ends too early", engine=self._engine)
                self._buffer += chunk
            taken = bytes(self._buffer[:count])
            del self._buffer[: len(taken)]
            count -= len(taken)
            yield taken


__all__ = ["Picker"]
