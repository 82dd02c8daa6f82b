"""Reads a tar as it passes by, chunk by chunk, without keeping its content. Pure; may not touch a disk or a socket."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from backends.model.errors import Protocol

BLOCK = tarfile.BLOCKSIZE
EXTENSION_LIMIT = 1 << 20
"""Longest extended header that is accepted, in bytes: PATH_MAX is 4096, xattrs are at most 64 KiB each on Linux."""

_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENDING = (*_PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


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
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def pax_records(body: bytes) -> dict[str, str]:
    """The records of a pax header ("LENGTH KEY=VALUE\\n" each). Raises Protocol where they are cut or garbled."""
    records: dict[str, str] = {}
    position = 0
    while position < len(body):
        digits, blank, _ = body[position : position + 20].partition(b" ")
        if not blank or not digits.isdigit() or int(digits) <= len(digits) + 1:
            raise Protocol("a pax header of the tar is garbled")
        end = position + int(digits)
        record = body[position + len(digits) + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if end > len(body) or not record.endswith(b"\n") or not equals:
            raise Protocol("a pax header of the tar is garbled")
        records[_text(key)] = _text(value)
        position = end
    return records


class TarReader:
    """Fed with chunks of any size, yields each member when its content has passed.

    Keeps one header and one digest, never content. Sparse members are refused (no engine writes them).
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header: tarfile.TarInfo | None = None
        self._digest = hashlib.sha256()
        self._content_left = 0
        self._padding_left = 0
        self._extension = bytearray()
        self._overrides: dict[str, str] = {}
        self._global: dict[str, str] = {}
        self._zero_blocks = 0

    @property
    def ended(self) -> bool:
        """The two zero blocks that end a tar have passed."""
        return self._zero_blocks >= 2

    def feed(self, chunk: bytes) -> Iterator[TarEntry]:
        """The members that are complete with this chunk. Raises Protocol where it is no tar."""
        self._buffer += chunk
        view_start = 0
        while not self.ended:
            if self._header is not None and (self._content_left or self._padding_left):
                taken = self._take_content(view_start)
                view_start += taken
                if self._content_left or self._padding_left:
                    break
            if self._header is not None:
                entry = self._complete()
                if entry is not None:
                    yield entry
                continue
            if len(self._buffer) - view_start < BLOCK:
                break
            self._take_header(bytes(self._buffer[view_start : view_start + BLOCK]))
            view_start += BLOCK
        if self.ended:
            self._buffer.clear()
        else:
            del self._buffer[:view_start]

    def close(self) -> None:
        """Raises Protocol where the tar ended in the middle of a member."""
        if self._header is not None or self._buffer or self._zero_blocks == 0:
            raise Protocol("the tar is cut short")

    def _take_header(self, block: bytes) -> None:
        if not any(block):
            self._zero_blocks += 1
            return
        self._zero_blocks = 0
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Protocol("the stream is no tar", detail=str(error)) from error
        if header.type in _EXTENDING:
            size = header.size
            if size > EXTENSION_LIMIT:
                raise Protocol("an extended header of the tar is too long", detail=f"{size} bytes")
        elif header.type == tarfile.GNUTYPE_SPARSE:
            raise Protocol("the tar has a sparse member, which is not understood", detail=header.name)
        else:
            size = self._content_size(header)
        self._header = header
        self._digest = hashlib.sha256()
        self._extension.clear()
        self._content_left = size
        self._padding_left = -size % BLOCK

    def _content_size(self, header: tarfile.TarInfo) -> int:
        """Bytes that follow the header; a pax size wins over the header's. Links and directories have none."""
        if any(key.startswith("GNU.sparse.") for key in self._overrides):
            raise Protocol("the tar has a sparse member, which is not understood", detail=header.name)
        if header.type not in _FILES:
            return 0
        size = self._overrides.get("size", self._global.get("size"))
        if size is None:
            return header.size
        if not size.isdigit():
            raise Protocol("a size in the tar is garbled", detail=size)
        return int(size)

    def _take_content(self, start: int) -> int:
        """Digest what is there of the content, skip what is there of the padding; returns the bytes taken."""
        available = len(self._buffer) - start
        content = min(self._content_left, available)
        if content:
            part = bytes(self._buffer[start : start + content])
            if self._header is not None and self._header.type in _EXTENDING:
                self._extension += part
            else:
                self._digest.update(part)
            self._content_left -= content
        padding = min(self._padding_left, available - content) if not self._content_left else 0
        self._padding_left -= padding
        return content + padding

    def _complete(self) -> TarEntry | None:
        header, self._header = self._header, None
        assert header is not None  # only called where a header stands
        if header.type in _PAX:
            self._overrides.update(pax_records(bytes(self._extension)))
        elif header.type == tarfile.XGLTYPE:
            self._global.update(pax_records(bytes(self._extension)))
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            self._overrides["path"] = _text(bytes(self._extension).rstrip(b"\0"))
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            self._overrides["linkpath"] = _text(bytes(self._extension).rstrip(b"\0"))
        else:
            entry = self._entry(header)
            self._overrides = {}
            return entry
        return None

    def _entry(self, header: tarfile.TarInfo) -> TarEntry:
        records = {**self._global, **self._overrides}
        is_file = header.type in _FILES
        try:
            uid, gid = int(records.get("uid", header.uid)), int(records.get("gid", header.gid))
            size = int(records.get("size", header.size)) if is_file else 0
            mtime_s = int(float(records.get("mtime", header.mtime)) // 1)
        except (ValueError, OverflowError) as error:
            raise Protocol("a number in the tar is garbled", detail=str(error)) from error
        is_device = header.type in {tarfile.CHRTYPE, tarfile.BLKTYPE}
        return TarEntry(
            path=clean_path(records.get("path", header.name)),
            kind="0" if is_file else header.type.decode("latin-1"),
            mode=header.mode & 0o7777,
            uid=uid,
            gid=gid,
            size=size,
            mtime_s=mtime_s,
            link=records.get("linkpath", header.linkname) if header.type in {tarfile.LNKTYPE, tarfile.SYMTYPE} else "",
            device=(header.devmajor, header.devminor) if is_device else (0, 0),
            sha256=self._digest.digest() if is_file else b"",
            xattrs={key: value for key, value in records.items() if key.startswith("SCHILY.xattr.")},
        )
