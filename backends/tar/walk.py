"""Follows a tar that is fed in chunks of any size, and tells of each member. Pure; keeps no content.

A member costs about 10 µs, and the bytes of its content are passed on as views of the chunk that they came in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from backends.model.errors import Protocol
from backends.tar.header import (
    BLOCK,
    EXTENDING,
    GNU_LINK,
    GNU_NAME,
    PAX_GLOBAL,
    Member,
    apply_records,
    pax_records,
    read_header,
)

EXTENSION_LIMIT = 1 << 20
"""Longest extended header that is accepted, in bytes: PATH_MAX is 4096, xattrs are at most 64 KiB each on Linux."""

_ZERO = bytes(BLOCK)


class Walk(ABC):
    """To be told of a tar's members, one after the other: `begin`, `content` any number of times, `end`.

    joined: several archives may stand after each other, as `xargs tar -c` writes them; else all behind the first end
    mark is left alone. over: that mark has passed (joined: the last thing that has passed was one).
    """

    def __init__(self, *, joined: bool = False) -> None:
        self._joined = joined
        self.over = False
        self._header = bytearray()
        self._left = 0  # bytes of content that are still to come
        self._padding = 0
        self._extending: Member | None = None
        self._extension = bytearray()
        self._records: dict[bytes, bytes] = {}
        self._for_all: dict[bytes, bytes] = {}

    @abstractmethod
    def begin(self, member: Member) -> None:
        """A member's headers have passed."""

    @abstractmethod
    def content(self, piece: memoryview) -> None:
        """More of the present member's content; the view is valid until this returns."""

    @abstractmethod
    def end(self) -> None:
        """The present member's content has passed whole; its padding has not."""

    def global_records(self, member: Member, body: bytes) -> None:  # noqa: B027 - most have no use for it
        """A pax header for all that follow has passed. To be overridden where it must be passed on."""

    @property
    def cut(self) -> bool:
        """Whether what has passed so far ends within a member."""
        return bool(self._left or self._padding or self._header or self._extending or self._records)

    @property
    def missing(self) -> int:
        """Bytes that are missing until the present member ends, its padding counted."""
        return self._left + self._padding

    def feed(self, data: bytes) -> None:
        """More of the tar. Raises Protocol where it is none."""
        view, at, end = memoryview(data), 0, len(data)
        while at < end and (self._joined or not self.over):
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                self._pass(view[at : at + step])
            elif self._padding:
                step = min(self._padding, end - at)
                self._padding -= step
            elif not self._header and end - at >= BLOCK:
                step = BLOCK
                self._take(data[at : at + BLOCK])
            else:
                step = min(BLOCK - len(self._header), end - at)
                self._header += view[at : at + step]
                if len(self._header) == BLOCK:
                    block = bytes(self._header)
                    self._header.clear()
                    self._take(block)
            at += step

    def close(self) -> None:
        """Raises Protocol where the tar is not over."""
        if self.cut or not self.over:
            raise Protocol("the tar is cut short")

    def _pass(self, piece: memoryview) -> None:
        if self._extending is not None:
            self._extension += piece
            if not self._left:
                self._extend(self._extending)
            return
        self.content(piece)
        if not self._left:
            self.end()

    def _take(self, block: bytes) -> None:
        if block == _ZERO:
            if self._records:
                raise Protocol("the tar is cut short", detail="an extended header has no member")
            self.over = True
            self._for_all = {}
            return
        self.over = False
        member = read_header(block)
        if member.kind in EXTENDING:
            if member.size > EXTENSION_LIMIT:
                raise Protocol("an extended header of the tar is too long", detail=f"{member.size} bytes")
            self._left, self._padding = member.size, -member.size % BLOCK
            self._extending = member
            if not self._left:
                self._extend(member)
            return
        if self._records or self._for_all:
            apply_records(member, {**self._for_all, **self._records} if self._for_all else self._records)
            self._records = {}
        self._left, self._padding = member.size, -member.size % BLOCK
        self.begin(member)
        if not self._left:
            self.end()

    def _extend(self, member: Member) -> None:
        body = bytes(self._extension)
        self._extension.clear()
        self._extending = None
        if member.kind in (GNU_NAME, GNU_LINK):
            self._records[b"path" if member.kind == GNU_NAME else b"linkpath"] = body.partition(b"\0")[0]
        elif member.kind == PAX_GLOBAL:
            self._for_all |= pax_records(body)
            self.global_records(member, body)
        else:
            self._records |= pax_records(body)


__all__ = ["EXTENSION_LIMIT", "Walk"]
