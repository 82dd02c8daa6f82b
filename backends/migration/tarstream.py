"""Reads a tar as it passes by, chunk by chunk, without keeping its content. Pure; may not touch a disk or a socket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from backends.tar import Member, Walk

XATTR = b"SCHILY.xattr."
"""How the names of pax records of extended attributes begin. Source: star(1), "SCHILY"."""

_ENGINES_OWN = frozenset({b"SCHILY.xattr.security.selinux"})
"""Written by the engine for the container that mounts the volume, so it differs on purpose."""

_FILE, _LINKS = b"0", frozenset({b"1", b"2"})
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One member of a tar.

    path: relative to the root, without "./" and trailing "/"; the root itself is "". kind: tar's type flag
    ("0" file, "1" hard link, "2" symbolic link, "3"/"4" device, "5" directory, "6" pipe).
    size: bytes of content. sha256: of the content, b"" where there is none. link: target of a link, as written.
    mtime_s: whole seconds. xattrs: pax records of extended attributes.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime_s: int
    link: str
    device: tuple[int, int]
    sha256: bytes
    xattrs: Mapping[str, str] = field(default_factory=dict)


def clean_path(path: str) -> str:
    """A member's path relative to the root: no "./", no leading or trailing "/"."""
    return "/".join([part for part in path.split("/") if part not in ("", ".")])


def text_of(raw: bytes) -> str:
    """A name of any bytes, from which they can be had again."""
    return raw.decode("utf-8", "surrogateescape")


def xattrs_of(member: Member) -> dict[str, str]:
    """The pax records of a member's extended attributes, without those that the engine writes."""
    if not member.records:
        return {}
    ours = ((key, value) for key, value in member.records.items() if key.startswith(XATTR) and key not in _ENGINES_OWN)
    return {text_of(key): text_of(value) for key, value in ours}


def xattr_digest(xattrs: Mapping[str, str]) -> bytes:
    """16 bytes of them; zeros where there are none."""
    if not xattrs:
        return bytes(16)
    return hashlib.sha256(repr(sorted(xattrs.items())).encode("utf-8", "surrogateescape")).digest()[:16]


class TarReader(Walk):
    """Fed with chunks of any size, yields each member when its content has passed.

    Keeps one header and one digest, never content. Sparse members are refused (no engine writes them).
    """

    def __init__(self) -> None:
        super().__init__()
        self._member: Member | None = None
        self._digest = hashlib.sha256()
        self._entries: list[TarEntry] = []

    def read(self, chunk: bytes) -> Iterator[TarEntry]:
        """The members that are complete with this chunk. Raises Protocol where it is no tar."""
        self.feed(chunk)
        entries, self._entries = self._entries, []
        yield from entries

    def begin(self, member: Member) -> None:
        """See Walk."""
        self._member = member
        self._digest = hashlib.sha256()

    def content(self, piece: memoryview) -> None:
        """See Walk."""
        self._digest.update(piece)

    def end(self) -> None:
        """See Walk."""
        member = self._member
        assert member is not None  # a member ends only after it has begun
        self._entries.append(
            TarEntry(
                path=clean_path(text_of(member.name)),
                kind=member.kind.decode("latin-1"),
                mode=member.mode & 0o7777,
                uid=member.uid,
                gid=member.gid,
                size=member.size,
                mtime_s=member.mtime_ns // _NS,
                link=text_of(member.link) if member.kind in _LINKS else "",
                device=member.device,
                sha256=self._digest.digest() if member.kind == _FILE else b"",
                xattrs=xattrs_of(member),
            )
        )


__all__ = ["TarEntry", "TarReader", "clean_path", "text_of", "xattr_digest", "xattrs_of"]
