"""Writes the headers of a tar's members: ustar, and a pax header before it for what ustar cannot say. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from backends.tar.header import BLOCK, NS, PAX, weight

_OCTAL_7, _OCTAL_11 = 0o7777777, 0o77777777777
_SPACES = b" " * 8
_TAIL = b"ustar\x0000" + bytes(BLOCK - 265)
_NUL_100 = bytes(100)
_NO_DEVICE = (0, 0)


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
    device: tuple[int, int] = _NO_DEVICE,
    records: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """The headers of one member: what ustar cannot say goes into a pax header before it. records: further pax ones."""
    extended = list(records)
    if len(name) > 100:
        extended.append((b"path", name))
    if len(link) > 100:
        extended.append((b"linkpath", link))
    if uid > _OCTAL_7 or gid > _OCTAL_7 or size > _OCTAL_11:
        for key, number, most in ((b"uid", uid, _OCTAL_7), (b"gid", gid, _OCTAL_7), (b"size", size, _OCTAL_11)):
            if number > most:
                extended.append((key, b"%d" % number))
    seconds, fraction = divmod(abs(mtime_ns), NS)
    if mtime_ns < 0 or fraction or seconds > _OCTAL_11:
        sign = b"-" if mtime_ns < 0 else b""
        text = b"%s%d.%09d" % (sign, seconds, fraction) if fraction else b"%s%d" % (sign, seconds)
        extended.append((b"mtime", text))
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        mode & 0o7777,
        min(uid, _OCTAL_7),
        min(gid, _OCTAL_7),
        min(size, _OCTAL_11),
        min(max(0, mtime_ns // NS), _OCTAL_11),
    )
    target = link[:100].ljust(100, b"\0") if link else _NUL_100
    block = b"".join((name[:100].ljust(100, b"\0"), numbers, _SPACES, kind, target, _TAIL))
    if device != _NO_DEVICE:
        block = block[:329] + b"%07o\0%07o\0" % device + block[345:]
    return (pax_header(extended) if extended else b"") + sealed(block)


def sealed(block: bytes) -> bytes:
    """A header with its checksum; in place of that stand spaces."""
    return b"%b%06o\0 %b" % (block[:148], weight(block), block[156:])


_PAX_BLOCK = b"".join(
    (
        b"PaxHeaders/".ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0" * 2,
        b"%b",
        b"0" * 11,
        b"\0",
        b"%b",
        PAX,
        _NUL_100,
        _TAIL,
    )
)
_PAX_WEIGHT = weight(_PAX_BLOCK.replace(b"%b", b"") + _SPACES)


def pax_header(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An extended header for the member that follows."""
    body = b"".join([_pax_record(key, value) for key, value in records])
    size = b"%011o\0" % len(body)
    seal = b"%06o\0 " % (_PAX_WEIGHT + sum(size))
    return _PAX_BLOCK % (size, seal) + body + bytes(-len(body) % BLOCK)


def _pax_record(key: bytes, value: bytes) -> bytes:
    """ "LENGTH KEY=VALUE\\n"; LENGTH counts the whole record, itself too."""
    rest = len(key) + len(value) + 3  # the space, "=" and the newline
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


__all__ = ["member_header", "pax_header", "sealed"]
