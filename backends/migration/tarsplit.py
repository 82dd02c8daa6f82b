"""Splits a tar that passes by into its members' headers and content. Pure; keeps no content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backends.migration.tarstream import text_of
from backends.tar import Member, Walk


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


class TarSplitter(Walk):
    """Fed with chunks of any size; yields a Head, its content in pieces, and END, for each member."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[Head | bytes | End] = []

    def split(self, chunk: bytes) -> Iterator[Head | bytes | End]:
        """What is complete with this chunk. Raises Protocol where it is no tar."""
        self.feed(chunk)
        parts, self._parts = self._parts, []
        yield from parts

    def begin(self, member: Member) -> None:
        """See Walk."""
        self._parts.append(Head(text_of(member.name), member.kind, member.size, text_of(member.link)))

    def content(self, piece: memoryview) -> None:
        """See Walk."""
        self._parts.append(bytes(piece))

    def end(self) -> None:
        """See Walk."""
        self._parts.append(END)
