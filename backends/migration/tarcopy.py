"""Passes chosen members of a tar on, told from a listing what their owners and times are, and digests them. Pure.

Reads what both engines and GNU's and busybox's tar write, also several archives after each other (xargs). Keeps one
header and one digest, and about 100 bytes for each member; never content.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from backends.migration.listing import DIRECTORY, row_of
from backends.migration.tarstream import BLOCK, EXTENSION_LIMIT, clean_path, pax_records
from backends.model.errors import Protocol
from backends.tar import member_header

IGNORED_XATTRS = frozenset({"SCHILY.xattr.security.selinux"})
"""Written by the engine for the container that mounts the volume, so it differs on purpose."""

_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_EXTENDING = (*_PAX, tarfile.XGLTYPE, *_LONG)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_ZERO = bytes(BLOCK)
_ZEROS = bytes(1 << 16)
_NO_DIGEST = bytes(32)


def content_facts(kind: str, sha256: bytes, xattrs: Mapping[str, str], link: str) -> bytes:
    """What only a member's content tells: kind, digest, digest of its attributes, and a symbolic link's target."""
    return b"".join(
        (kind.encode(), sha256 or _NO_DIGEST, xattr_digest(xattrs), link.encode("utf-8", "surrogateescape"))
    )


def xattr_digest(xattrs: Mapping[str, str]) -> bytes:
    """16 bytes, zeros where there are none."""
    told = sorted((key, value) for key, value in xattrs.items() if key not in IGNORED_XATTRS)
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).digest()[:16] if told else bytes(16)


BARE_DIRECTORY = content_facts(DIRECTORY, b"", {}, "")
"""A directory without attributes."""


class TarCopy:
    """Fed with a tar in chunks of any size, gives what is to be passed on.

    rows: what is known of the members by a listing; owners, modes and times come from it. wanted: paths that are passed
    on. known: paths that the receiver has already, by content facts. live: the tar is of files that change meanwhile:
    what does not fit together is left out. contents: facts of what has passed whole.
    """

    def __init__(
        self,
        rows: Mapping[str, bytes],
        wanted: Collection[str],
        *,
        known: Mapping[str, bytes] | None = None,
        live: bool = False,
    ) -> None:
        self._rows = rows
        self._wanted = wanted
        self._known = known or {}
        self._live = live
        self.contents: dict[str, bytes] = {}
        self._header = bytearray()
        self._left = 0
        self._padding = 0
        self._extension: bytearray | None = None
        self._extending = b""
        self._overrides: dict[str, str] = {}
        self._path: str | None = None  # of the member whose content passes on now
        self._kind = ""
        self._link = ""
        self._xattrs: dict[str, str] = {}
        self._digest = hashlib.sha256()
        self._ended = True

    def feed(self, data: bytes) -> bytes:
        """What of it, and of what came before, is to be passed on."""
        out: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if self._extension is not None:
                    self._extension += piece
                elif self._path is not None:
                    self._digest.update(piece)
                    out.append(piece)
                if not self._left:
                    self._complete(out)
            elif self._padding:
                step = min(self._padding, end - at)
                at += step
                self._padding -= step
            else:
                piece = data[at : at + BLOCK - len(self._header)]
                self._header += piece
                at += len(piece)
                if len(self._header) == BLOCK:
                    block = bytes(self._header)
                    self._header.clear()
                    self._begin(block, out)
        return b"".join(out)

    def finish(self) -> Iterator[bytes]:
        """What ends a member that was cut. Raises Protocol for a cut where nothing is live."""
        cut = bool(self._left or self._header or self._padding or self._extension is not None)
        if (cut or not self._ended) and not self._live:
            raise Protocol("the tar is cut short")
        if self._path is None or not self._left:
            return
        missing = self._left + self._padding
        self._path, self._left = None, 0
        while missing:
            piece = _ZEROS[:missing]
            missing -= len(piece)
            yield piece

    def directories(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Headers of directories that the listing alone tells."""
        for path in paths:
            self.contents[path] = BARE_DIRECTORY
            yield self._head(path, tarfile.DIRTYPE, tarfile.TarInfo(), 0, "", 0)

    def links(self, groups: Mapping[str, str]) -> Iterator[bytes]:
        """Headers that make hard links to what has passed. groups: path → the one of its group that was asked for."""
        for path, first in groups.items():
            facts = self.contents.get(first)
            if path != first and facts is not None and facts[:1] != b"5" and path not in self.contents:
                self.contents[path] = facts
                yield self._head(path, tarfile.LNKTYPE, tarfile.TarInfo(), 0, f"./{first}", 0)

    def _begin(self, block: bytes, out: list[bytes]) -> None:
        if block == _ZERO:
            self._ended = True
            return
        self._ended = False
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Protocol("the stream is no tar", detail=str(error)) from error
        if header.type in _EXTENDING:
            if header.size > EXTENSION_LIMIT:
                raise Protocol("an extended header of the tar is too long", detail=f"{header.size} bytes")
            self._extension, self._extending = bytearray(), header.type
            self._left, self._padding = header.size, -header.size % BLOCK
        else:
            self._member(header, out)
        if not self._left:
            self._complete(out)

    def _member(self, header: tarfile.TarInfo, out: list[bytes]) -> None:
        records, self._overrides = self._overrides, {}
        if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse.") for key in records):
            raise Protocol("the tar has a sparse member, which is not understood", detail=header.name)
        try:
            size = int(records.get("size", header.size)) if header.type in _FILES else 0
            mtime_ns = int((Decimal(records.get("mtime", header.mtime)) * 1_000_000_000).to_integral_value())
            header.uid, header.gid = int(records.get("uid", header.uid)), int(records.get("gid", header.gid))
        except (ValueError, InvalidOperation, OverflowError) as error:
            raise Protocol("a number in the tar is garbled", detail=str(error)) from error
        path = clean_path(records.get("path", header.name))
        link = records.get("linkpath", header.linkname)
        self._left, self._padding = size, -size % BLOCK
        kind = tarfile.REGTYPE if header.type in _FILES else header.type
        if kind == tarfile.LNKTYPE:
            link = f"./{clean_path(link)}"
        if not self._fits(path, kind, link):
            return
        self._path, self._kind = path, kind.decode("latin-1")
        self._digest = hashlib.sha256()
        self._xattrs = {
            key: value
            for key, value in records.items()
            if key.startswith("SCHILY.xattr.") and key not in IGNORED_XATTRS
        }
        self._link = link if kind in {tarfile.LNKTYPE, tarfile.SYMTYPE} else ""
        out.append(self._head(path, kind, header, size, self._link, mtime_ns))

    def _fits(self, path: str, kind: bytes, link: str) -> bool:
        """Whether it is wanted and has its place: below a directory, and beside the file that it is a link to."""
        if path not in self._wanted:
            return False
        if kind == tarfile.LNKTYPE and self._facts(link[2:])[:1] in {b"", b"5"}:
            return False
        if not self._live or not path:
            return True
        parent = path.rpartition("/")[0]
        return not parent or self._facts(parent)[:1] == b"5"

    def _facts(self, path: str) -> bytes:
        return self.contents.get(path) or self._known.get(path, b"")

    def _head(self, path: str, kind: bytes, header: tarfile.TarInfo, size: int, link: str, mtime_ns: int) -> bytes:
        mode, uid, gid = header.mode, header.uid, header.gid
        raw = self._rows.get(path)
        if raw is not None:
            row = row_of(raw)
            if row.kind == kind.decode("latin-1") or (kind == tarfile.LNKTYPE and row.kind != DIRECTORY):
                mode, uid, gid, mtime_ns = row.mode, row.uid, row.gid, row.mtime_ns
        name = f"./{path}/" if kind == tarfile.DIRTYPE and path else f"./{path}"
        return member_header(
            name.encode("utf-8", "surrogateescape"),
            kind,
            mode=mode,
            uid=uid,
            gid=gid,
            size=size,
            mtime_ns=mtime_ns,
            link=link.encode("utf-8", "surrogateescape"),
            device=(header.devmajor, header.devminor) if kind in {tarfile.CHRTYPE, tarfile.BLKTYPE} else (0, 0),
            records=[
                (key.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape"))
                for key, value in (self._xattrs.items() if kind != tarfile.LNKTYPE else ())
            ],
        )

    def _complete(self, out: list[bytes]) -> None:
        if self._extension is not None:
            body, self._extension = bytes(self._extension), None
            if self._extending in _PAX:
                self._overrides.update(pax_records(body))
            elif self._extending in _LONG:
                self._overrides[_LONG[self._extending]] = body.rstrip(b"\0").decode("utf-8", "surrogateescape")
            return
        path, self._path = self._path, None
        if path is None:
            return
        out.append(bytes(self._padding))
        if self._kind == "1":
            self.contents[path] = self._facts(self._link[2:])
        else:
            sha256 = self._digest.digest() if self._kind == "0" else b""
            self.contents[path] = content_facts(self._kind, sha256, self._xattrs, self._link)
