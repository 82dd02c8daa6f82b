"""Splits a tar that passes by into its members' headers and content. Pure; keeps no content."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from backends.migration.tarstream import BLOCK, EXTENSION_LIMIT, pax_records
from backends.model.errors import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """A member begins. kind: tar's type flag; link: target of a link, as written."""

    name: str
    kind: bytes
    size: int
    link: str


class End:
    """The content of the member has passed."""


END = End()


class TarSplitter:
    """Fed with chunks of any size; yields a Head, its content in pieces, and END, for each member."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._content = 0
        self._padding = 0
        self._inside = False
        self._extends: bytes | None = None
        self._extension = bytearray()
        self._overrides: dict[str, str] = {}
        self._ended = False

    def feed(self, chunk: bytes) -> Iterator[Head | bytes | End]:
        """What is complete with this chunk. Raises Protocol where it is no tar."""
        if self._ended:
            return
        if len(chunk) < self._content and not self._buffer and self._extends is None:
            self._content -= len(chunk)
            yield chunk  # content only: most of a large archive is, and is not copied here
            return
        self._buffer += chunk
        at = 0
        while True:
            piece = bytes(self._buffer[at : at + self._content])
            at += len(piece)
            self._content -= len(piece)
            if self._extends is not None:
                self._extension += piece
            elif piece:
                yield piece
            padding = min(self._padding, len(self._buffer) - at) if not self._content else 0
            at += padding
            self._padding -= padding
            if self._content or self._padding:
                break
            if self._inside:
                self._inside = False
                yield END
            elif self._extends is not None:
                self._extend()
            if len(self._buffer) - at < BLOCK:
                break
            block = bytes(self._buffer[at : at + BLOCK])
            at += BLOCK
            if not any(block):
                self._ended = True
                break
            head = self._begin(block)
            if head is not None:
                yield head
        del self._buffer[:at]

    def close(self) -> None:
        """Raises Protocol where the tar has not ended."""
        if not self._ended:
            raise Protocol("the tar is cut short")

    def _begin(self, block: bytes) -> Head | None:
        try:
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Protocol("the tar is garbled", detail=str(error)) from error
        self._content = entry.size
        if entry.type in {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}:
            if entry.size > EXTENSION_LIMIT:
                raise Protocol("the tar is garbled", detail=f"an extended header of {entry.size} bytes")
            self._padding = -entry.size % BLOCK
            self._extends, self._extension = entry.type, bytearray()
            return None
        overrides, self._overrides = self._overrides, {}
        size = overrides.get("size", str(entry.size))
        if not size.isdigit():
            raise Protocol("the tar is garbled", detail=f"a size of {size}")
        self._content = int(size) if entry.isreg() else 0
        self._padding = -self._content % BLOCK
        self._inside = True
        name, link = overrides.get("path", entry.name), overrides.get("linkpath", entry.linkname)
        return Head(name, b"0" if entry.isreg() else entry.type, self._content, link)

    def _extend(self) -> None:
        kind, body = self._extends, bytes(self._extension)
        self._extends = None
        if kind == tarfile.XHDTYPE:
            self._overrides |= pax_records(body)
        elif kind in {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}:
            text = body.rstrip(b"\0").decode("utf-8", "surrogateescape")
            self._overrides["path" if kind == tarfile.GNUTYPE_LONGNAME else "linkpath"] = text
