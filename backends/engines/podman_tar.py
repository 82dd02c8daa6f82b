"""Pure: a tar stream without the padding after its end. Opens nothing.

Podman hands an archive to a subprocess that stops reading at the end mark; where padding is still to be written then
(tar pads to 10 KiB), Podman answers 500 "Passing bulk input to subprocess: write |1: broken pipe", now and then.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

_BLOCK = 512
_ZERO = bytes(_BLOCK)
_PAX_LIMIT_BYTES = 1 << 20
# POSIX ustar and pax; "S" is GNU's old sparse format, whose length the header alone does not tell.
_WITHOUT_DATA = b"123456"
_PAX_SIZE = re.compile(rb"\d+ size=(\d{1,20})\n")


class TarEnd:
    """Follows a tar from header to header. `feed` gives back what belongs to the archive."""

    def __init__(self) -> None:
        self._left = 0  # bytes of the present entry that are still to come
        self._header = bytearray()
        self._pax: bytearray | None = None
        self._size: int | None = None
        self._zeros = 0
        self._blind = False

    def feed(self, data: bytes) -> bytes:
        """The part of `data` up to the archive's end; b"" after it."""
        at = 0
        while at < len(data) and self._zeros < 2 and not self._blind:
            if self._left:
                step = min(self._left, len(data) - at)
                if self._pax is not None and len(self._pax) < _PAX_LIMIT_BYTES:
                    self._pax += data[at : at + step]
                self._left -= step
            else:
                step = min(_BLOCK - len(self._header), len(data) - at)
                self._header += data[at : at + step]
                if len(self._header) == _BLOCK:
                    self._read(bytes(self._header))
                    self._header.clear()
            at += step
        return data if self._blind else data[:at]

    def _read(self, header: bytes) -> None:
        if self._pax is not None:
            found = _PAX_SIZE.findall(bytes(self._pax)) if b" size=" in self._pax else ()
            self._size = int(found[-1]) if found else self._size
            self._pax = None
        if header == _ZERO:
            self._zeros += 1
            return
        self._zeros = 0
        size, kind = _number(header[124:136]), header[156:157]
        if size is None or kind == b"S":
            self._blind = True  # not ours to understand: all of it is passed on
            return
        if kind == b"x":
            self._pax = bytearray()
        elif kind not in b"gLK" or not kind:
            size = self._size if self._size is not None else size
            self._size = None
            if kind and kind in _WITHOUT_DATA:
                size = 0
        self._left = -(-size // _BLOCK) * _BLOCK


def _number(field: bytes) -> int | None:
    """An octal field, or GNU's base 256 for big ones; None where it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    text = field.split(b"\0", 1)[0].strip()
    if not text:
        return 0
    return None if text.strip(b"01234567") else int(text, 8)  # no sign: a size below zero would lead back


async def without_padding(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a tar up to its end mark; what follows is read, so that the source ends as it would, and left."""
    end = TarEnd()
    async for chunk in chunks:
        kept = end.feed(chunk)
        if kept:
            yield kept
