"""Passes chosen members of a tar on, told from a listing what their owners and times are, and digests them. Pure.

Reads what both engines and GNU's and busybox's tar write, also several archives after each other (xargs). Keeps one
header and one digest, and about 100 bytes for each member; never content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping

from backends.migration.listing import DIRECTORY, head_of
from backends.migration.tarstream import clean_path, text_of, xattr_digest, xattrs_of
from backends.model.errors import Protocol
from backends.tar import BLOCK, Member, Walk, member_header

_FILE, _HARD_LINK, _SYMLINK, _FOLDER = b"0", b"1", b"2", b"5"
_ZEROS = bytes(1 << 16)
_NO_DIGEST = bytes(32)
_NOTHING: Mapping[str, str] = {}


def content_facts(kind: str, sha256: bytes, xattrs: Mapping[str, str], link: str) -> bytes:
    """What only a member's content tells: kind, digest, digest of its attributes, and a symbolic link's target."""
    return b"".join(
        (kind.encode(), sha256 or _NO_DIGEST, xattr_digest(xattrs), link.encode("utf-8", "surrogateescape"))
    )


BARE_DIRECTORY = content_facts(DIRECTORY, b"", {}, "")
"""A directory without attributes."""


def _bare(kind: bytes, link: bytes = b"") -> Member:
    """A member that no tar has told."""
    return Member(b"", kind, b"", 0o644, 0, 0, 0, 0, link)


class TarCopy(Walk):
    """Fed with a tar in chunks of any size, gives what is to be passed on.

    rows: what is known of the members by a listing; owners, modes and times come from it. wanted: paths that are passed
    on. known: paths that the receiver has already, by content facts. live: the tar is of files that change meanwhile:
    what does not fit together is left out. only_read: nothing is passed on. contents: facts of what has passed whole.
    """

    def __init__(
        self,
        rows: Mapping[str, bytes],
        wanted: Collection[str],
        *,
        known: Mapping[str, bytes] | None = None,
        live: bool = False,
        only_read: bool = False,
    ) -> None:
        super().__init__(joined=True)
        self.over = True  # an empty stream is no archive that was cut
        self._rows = rows
        self._wanted = wanted
        self._known = known or {}
        self._live = live
        self._only_read = only_read
        self.contents: dict[str, bytes] = {}
        self._out: list[bytes | memoryview] = []
        self._path: str | None = None  # of the member whose content passes on now
        self._member = _bare(_FILE)
        self._link = ""
        self._xattrs = _NOTHING
        self._digest = hashlib.sha256()

    def passed(self, data: bytes) -> bytes:
        """What of it, and of what came before, is to be passed on."""
        self.feed(data)
        out = b"".join(self._out)
        self._out.clear()
        return out

    def finish(self) -> Iterator[bytes]:
        """What ends a member that was cut. Raises Protocol for a cut where nothing is live."""
        if (self.cut or not self.over) and not self._live:
            raise Protocol("the tar is cut short")
        if self._path is None:
            return
        missing = self.missing
        self._path = None
        while missing:
            piece = _ZEROS[:missing]
            missing -= len(piece)
            yield piece

    def directories(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Headers of directories that the listing alone tells."""
        for path in paths:
            self.contents[path] = BARE_DIRECTORY
            yield self._head(path, _bare(_FOLDER), _NOTHING)

    def links(self, groups: Mapping[str, str]) -> Iterator[bytes]:
        """Headers that make hard links to what has passed. groups: path → the one of its group that was asked for."""
        for path, first in groups.items():
            facts = self.contents.get(first)
            if path != first and facts is not None and facts[:1] != b"5" and path not in self.contents:
                self.contents[path] = facts
                link = f"./{first}".encode("utf-8", "surrogateescape")
                yield self._head(path, _bare(_HARD_LINK, link), _NOTHING)

    def begin(self, member: Member) -> None:
        """See Walk."""
        path, link = clean_path(text_of(member.name)), ""
        if member.kind == _HARD_LINK:
            link = f"./{clean_path(text_of(member.link))}"
            member.link = link.encode("utf-8", "surrogateescape")
        elif member.kind == _SYMLINK:
            link = text_of(member.link)
        else:
            member.link = b""
        if not self._fits(path, member.kind, link):
            self._path = None
            return
        self._path, self._member, self._link = path, member, link
        self._digest = hashlib.sha256()
        self._xattrs = xattrs_of(member)
        if not self._only_read:
            self._out.append(self._head(path, member, self._xattrs))

    def content(self, piece: memoryview) -> None:
        """See Walk."""
        if self._path is not None:
            self._digest.update(piece)
            if not self._only_read:
                self._out.append(piece)

    def end(self) -> None:
        """See Walk."""
        path, self._path = self._path, None
        if path is None:
            return
        member = self._member
        if member.kind == _HARD_LINK:
            self.contents[path] = self._facts(self._link[2:])
            return
        sha256 = b""
        if member.kind == _FILE:
            sha256 = self._digest.digest()
            if not self._only_read:
                self._out.append(bytes(-member.size % BLOCK))
        self.contents[path] = content_facts(member.kind.decode("latin-1"), sha256, self._xattrs, self._link)

    def _fits(self, path: str, kind: bytes, link: str) -> bool:
        """Whether it is wanted and has its place: below a directory, and beside the file that it is a link to."""
        if path not in self._wanted:
            return False
        if kind == _HARD_LINK and self._facts(link[2:])[:1] in (b"", b"5"):
            return False
        if not self._live or not path:
            return True
        parent = path.rpartition("/")[0]
        return not parent or self._facts(parent)[:1] == b"5"

    def _facts(self, path: str) -> bytes:
        return self.contents.get(path) or self._known.get(path, b"")

    def _head(self, path: str, member: Member, xattrs: Mapping[str, str]) -> bytes:
        """The headers by which a member is passed on: as the listing has it, where that knows it."""
        kind = member.kind
        mode, uid, gid, mtime_ns = member.mode, member.uid, member.gid, member.mtime_ns
        raw = self._rows.get(path)
        if raw is not None:
            row = head_of(raw)
            if row.kind.encode() == kind or (kind == _HARD_LINK and row.kind != DIRECTORY):
                _, mode, uid, gid, mtime_ns = row
        name = f"./{path}/" if kind == _FOLDER and path else f"./{path}"
        told = xattrs.items() if kind != _HARD_LINK else ()
        return member_header(
            name.encode("utf-8", "surrogateescape"),
            kind,
            mode=mode,
            uid=uid,
            gid=gid,
            size=member.size,
            mtime_ns=mtime_ns,
            link=member.link,
            device=member.device,
            records=[
                (key.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape"))
                for key, value in told
            ],
        )


__all__ = ["BARE_DIRECTORY", "TarCopy", "content_facts"]
