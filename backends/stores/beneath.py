"""Opens regular files beneath one folder, and only those: no symbolic link is followed, no device or pipe is opened.

What lies in a layer's folder was chosen by whoever made the image.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType

from backends.stores.stored import StoreError, unreadable

DEEPEST = 512
"""Folders above a file: each is an open descriptor while its neighbours are read. PATH_MAX allows 2,048."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Beneath:
    """One folder, opened with the context. The folders of the last file stay open: its neighbours come next."""

    def __init__(self, root: Path) -> None:
        """root: is trusted, and may be reached over symbolic links."""
        self._root = root
        self._fd = -1
        self._open: list[tuple[bytes, int]] = []

    def __enter__(self) -> Beneath:
        try:
            self._fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave(0)
        os.close(self._fd)

    def open(self, name: bytes, size: int) -> int:
        """A descriptor of the regular file of this name, which has so many bytes; the caller closes it.

        Raises StoreError where it is not there, may not be read, is something else, or has another size.
        """
        *folders, last = [part for part in name.split(b"/") if part not in (b"", b".")] or [b".."]
        if last == b".." or b".." in folders or len(folders) > DEEPEST or b"\0" in name:
            raise _odd("a layer has a name that leads out of it, or too deep", name)
        try:
            within = self._enter(folders)
            if not stat.S_ISREG(os.stat(last, dir_fd=within, follow_symlinks=False).st_mode):
                raise _odd("what should be a file of a layer is none in its folder", name)
            file = os.open(last, _FILE, dir_fd=within)
        except OSError as error:
            raise unreadable(error) from error
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            os.close(file)
            raise _odd(f"a file of a layer has {found.st_size} bytes in its folder, not {size}", name)
        return file

    def _enter(self, folders: list[bytes]) -> int:
        common = 0
        for part, (entered, _) in zip(folders, self._open, strict=False):
            if part != entered:
                break
            common += 1
        self._leave(common)
        at = self._open[-1][1] if self._open else self._fd
        for part in folders[common:]:
            at = os.open(part, _FOLDER, dir_fd=at)
            self._open.append((part, at))
        return at

    def _leave(self, depth: int) -> None:
        while len(self._open) > depth:
            os.close(self._open.pop()[1])


def _odd(title: str, name: bytes) -> StoreError:
    return StoreError(title, detail=name[:200].decode("utf-8", "backslashreplace"))


__all__ = ["Beneath"]
