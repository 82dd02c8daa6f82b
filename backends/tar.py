"""Moves the entries of a tar stream under another folder as it flows by, and writes headers. Pure; unpacks nothing.

Formats: POSIX ustar and pax, and GNU long names (both engines and Python write only these).
Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from backends.model.errors import Protocol
from backends.model.ids import EngineId

BLOCK = 512
_EXTENSION_LIMIT_BYTES = 1 << 20  # of one extended header: names and xattrs; Linux holds each xattr to 64 KiB
_HARD_LINK = b"1"
_PAX, _GNU_NAME, _GNU_LINK = b"x", b"L", b"K"
_MEMBERS_AT_ONCE = 16  # then others run: each member takes about 30 µs
_OCTAL_7, _OCTAL_11 = 0o7777777, 0o77777777777
_NS = 1_000_000_000


async def reroot(chunks: AsyncIterable[bytes], folder: str, *, engine: EngineId | None = None) -> AsyncIterator[bytes]:
    """The same tar with each name "./a" as "folder/a", and "./" as "folder/". Hard links follow, symlinks stay.

    Raises Protocol where the stream is no tar, is cut, or names something outside of its root ("..").
    """
    reader = _Reader(chunks, engine)
    held = _Held()
    count = 0
    while True:
        count += 1
        if count % _MEMBERS_AT_ONCE == 0:
            await asyncio.sleep(0)
        block = await reader.exactly(BLOCK)
        if block is None or block == bytes(BLOCK):
            break
        header = _Header(block, engine)
        if header.kind in {_PAX, _GNU_NAME, _GNU_LINK}:
            if header.size > _EXTENSION_LIMIT_BYTES:
                raise Protocol("The archive has an oversized header", engine=engine)
            held.take(header, await reader.payload(header.size), engine)
            continue
        if header.kind == b"g":
            yield block + await reader.payload(header.size, padded=True)
            continue
        if header.kind == b"S":
            raise Protocol("The archive has GNU sparse entries, which are not understood here", engine=engine)
        size = held.size if held.size is not None else header.size
        yield held.rewritten(header, folder, engine)
        held = _Held()
        if header.kind not in {_HARD_LINK, b"2", b"3", b"4", b"5", b"6"}:
            async for piece in reader.pieces(size + -size % BLOCK):
                yield piece
    yield bytes(2 * BLOCK)
    await reader.drain()


def member_header(
    name: bytes,
    kind: bytes,
    *,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime_ns: int,
    link: bytes = b"",
    device: tuple[int, int] = (0, 0),
    records: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """The headers of one member: what ustar cannot say goes into a pax header before it. records: further pax ones."""
    extended = list(records)
    if len(name) > 100:
        extended.append((b"path", name))
    if len(link) > 100:
        extended.append((b"linkpath", link))
    for key, number, most in ((b"uid", uid, _OCTAL_7), (b"gid", gid, _OCTAL_7), (b"size", size, _OCTAL_11)):
        if number > most:
            extended.append((key, b"%d" % number))
    seconds, fraction = divmod(abs(mtime_ns), _NS)
    if mtime_ns < 0 or fraction or seconds > _OCTAL_11:
        sign = b"-" if mtime_ns < 0 else b""
        text = b"%s%d.%09d" % (sign, seconds, fraction) if fraction else b"%s%d" % (sign, seconds)
        extended.append((b"mtime", text))
    block = bytearray(BLOCK)
    block[: min(100, len(name))] = name[:100]
    block[100:108] = b"%07o\0" % (mode & 0o7777)
    block[108:116] = b"%07o\0" % min(uid, _OCTAL_7)
    block[116:124] = b"%07o\0" % min(gid, _OCTAL_7)
    block[124:136] = b"%011o\0" % min(size, _OCTAL_11)
    block[136:148] = b"%011o\0" % min(max(0, mtime_ns // _NS), _OCTAL_11)
    block[156:157] = kind
    block[157 : 157 + min(100, len(link))] = link[:100]
    block[257:265] = b"ustar\x0000"
    block[329:337] = b"%07o\0" % device[0]
    block[337:345] = b"%07o\0" % device[1]
    return (_pax_header(extended) if extended else b"") + _sealed(block)


class _Header:
    """One 512-byte header, checked."""

    def __init__(self, block: bytes, engine: EngineId | None) -> None:
        self.block = block
        self.kind = block[156:157]
        self.posix = block[257:263] == b"ustar\0"
        try:
            wanted = int(block[148:156].strip(b" \0") or b"0", 8)
            self.size = _number(block[124:136])
        except ValueError as error:
            raise Protocol("The archive is no tar", engine=engine) from error
        if sum(block[:148]) + 256 + sum(block[156:]) != wanted:
            raise Protocol("The archive is garbled", detail="a tar header's checksum is wrong", engine=engine)

    @property
    def name(self) -> bytes:
        prefix = self.block[345:500].partition(b"\0")[0] if self.posix else b""
        name = self.block[:100].partition(b"\0")[0]
        return prefix + b"/" + name if prefix else name

    @property
    def link(self) -> bytes:
        return self.block[157:257].partition(b"\0")[0]

    def with_names(self, name: bytes, link: bytes) -> bytes:
        block = bytearray(self.block)
        block[:100] = name[:100].ljust(100, b"\0")
        block[157:257] = link[:100].ljust(100, b"\0")
        if self.posix:
            block[345:500] = bytes(155)
        return _sealed(block)


class _Held:
    """The extended headers that precede an entry."""

    def __init__(self) -> None:
        self._pax: list[tuple[bytes, bytes]] = []
        self._gnu: dict[bytes, bytes] = {}
        self.size: int | None = None

    def take(self, header: _Header, payload: bytes, engine: EngineId | None) -> None:
        if header.kind != _PAX:
            self._gnu[header.kind] = payload.partition(b"\0")[0]
            return
        for key, value in _pax_records(payload, engine):
            self._pax.append((key, value))
            if key == b"size":
                try:
                    self.size = int(value)
                except ValueError as error:
                    raise Protocol("The archive is garbled", detail="pax size", engine=engine) from error

    def rewritten(self, header: _Header, folder: str, engine: EngineId | None) -> bytes:
        """The entry's headers with its name (and a hard link's target) under the folder."""
        pax = dict(self._pax)
        name = _under(folder, pax.get(b"path") or self._gnu.get(_GNU_NAME) or header.name, header.kind == b"5", engine)
        link = pax.get(b"linkpath") or self._gnu.get(_GNU_LINK) or header.link
        hard = header.kind == _HARD_LINK
        if hard:
            link = _under(folder, link, False, engine)
        records = [(key, value) for key, value in self._pax if key not in {b"path", b"linkpath"}]
        if len(name) > 100:
            records.append((b"path", name))
        if len(link) > 100:
            records.append((b"linkpath", link))
        extended = _pax_header(records) if records else b""
        return extended + header.with_names(name, link)


def _under(folder: str, name: bytes, is_folder: bool, engine: EngineId | None) -> bytes:
    parts = [part for part in name.split(b"/") if part not in {b"", b"."}]
    if b".." in parts:
        raise Protocol(
            "The archive names a path outside of its root", detail=name.decode("utf-8", "replace"), engine=engine
        )
    return b"/".join([folder.encode(), *parts]) + (b"/" if is_folder else b"")


def _number(field: bytes) -> int:
    """Octal, or base 256 where the top bit is set (GNU, for 8 GiB and more)."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def _pax_records(payload: bytes, engine: EngineId | None) -> list[tuple[bytes, bytes]]:
    """ "LENGTH KEY=VALUE\\n" after each other; LENGTH counts the whole record."""
    records: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(payload) and payload[at]:
        digits, _, _ = payload[at : at + 20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = payload[at + len(digits) + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise Protocol("The archive is garbled", detail="a pax record does not add up", engine=engine)
        records.append((key, value[:-1]))
        at += length
    return records


def _pax_header(records: list[tuple[bytes, bytes]]) -> bytes:
    payload = b"".join(_pax_record(key, value) for key, value in records)
    block = bytearray(BLOCK)
    block[:11] = b"PaxHeaders/"
    for at, field in ((100, b"0000644"), (108, b"0000000"), (116, b"0000000"), (136, b"00000000000")):
        block[at : at + len(field)] = field
    block[124:135] = b"%011o" % len(payload)
    block[156:157] = _PAX
    block[257:265] = b"ustar\x0000"
    return _sealed(block) + payload + bytes(-len(payload) % BLOCK)


def _pax_record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3  # the space, "=" and the newline
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _sealed(block: bytearray) -> bytes:
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


class _Reader:
    """Exact amounts out of chunks of any size."""

    def __init__(self, chunks: AsyncIterable[bytes], engine: EngineId | None) -> None:
        self._chunks = aiter(chunks)
        self._engine = engine
        self._buffer = b""

    async def exactly(self, count: int) -> bytes | None:
        """`count` bytes, None where the stream has ended before. Raises Protocol where it ends within."""
        while len(self._buffer) < count:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                if self._buffer:
                    raise self._cut()
                return None
            self._buffer += chunk
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    async def payload(self, size: int, *, padded: bool = False) -> bytes:
        """The content of an extended header."""
        parts = [piece async for piece in self.pieces(size + -size % BLOCK)]
        joined = b"".join(parts)
        return joined if padded else joined[:size]

    async def pieces(self, count: int) -> AsyncIterator[bytes]:
        """`count` bytes, in pieces as they come."""
        while count:
            if not self._buffer:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    raise self._cut()
                self._buffer = chunk
                continue
            taken, self._buffer = self._buffer[:count], self._buffer[count:]
            count -= len(taken)
            yield taken

    async def drain(self) -> None:
        """Read the padding behind the end, so that the sender can finish."""
        self._buffer = b""
        while await anext(self._chunks, None) is not None:
            continue

    def _cut(self) -> Protocol:
        return Protocol("The archive ends too early", engine=self._engine)


__all__ = ["BLOCK", "member_header", "reroot"]
