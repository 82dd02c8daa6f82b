"""Files that are read again and again: kept open and read by pread, within a budget of descriptors.

May not know what the files mean. Kept descriptors make a sweep of 200 containers take 8 ms (DECISIONS 2);
where the process may not hold that many, files are opened for each read instead.
"""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

# What the rest of the program may need at once (sockets, logs, the terminal).
_RESERVED = 256
# seq_file answers at most about a page per read: a longer answer may go on.
_MAYBE_MORE = 2048
TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})
_CHUNK = 64 * 1024
_MAX_TEXT = 1024 * 1024


class Budget:
    """How many descriptors may be kept. Raises the soft RLIMIT_NOFILE up to the hard one when it must."""

    def __init__(self, allowed: int | None = None) -> None:
        """allowed: a fixed number for tests; None = what the process's limits leave."""
        self._fixed = allowed
        self.kept = 0

    def take(self) -> bool:
        """Ask to keep one more."""
        if self.kept >= self._allowed() and not self._raise():
            return False
        self.kept += 1
        return True

    def give(self) -> None:
        """One was closed."""
        self.kept -= 1

    def _allowed(self) -> int:
        if self._fixed is not None:
            return self._fixed
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED

    def _raise(self) -> bool:
        if self._fixed is not None:
            return False
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = soft * 2 if hard == resource.RLIM_INFINITY else min(soft * 2, hard)
        if wanted <= soft:
            return False
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return False  # a sandbox forbids it: files are then opened for each read
        return self.kept < self._allowed()


class KeptFile:
    """One file, read from its start each time."""

    def __init__(self, path: Path, budget: Budget) -> None:
        """Opens it: OSError where it is not there or not ours to read. Too many open files: opened for each read."""
        self.path = path
        self._budget = budget
        self._fd = -1
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in TOO_MANY:
                return
            raise
        if budget.take():
            self._fd = fd
        else:
            os.close(fd)

    def read(self) -> bytes:
        """The whole text now. OSError (ENODEV, ENOENT) where the cgroup is gone."""
        if self._fd >= 0:
            return _read_all(self._fd)
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_all(fd)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Give the descriptor back; safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._budget.give()


def _read_all(fd: int) -> bytes:
    text = os.pread(fd, _CHUNK, 0)
    if len(text) < _MAYBE_MORE:
        return text
    chunks, size = [text], len(text)
    while text and size < _MAX_TEXT:
        text = os.pread(fd, _CHUNK, size)
        chunks.append(text)
        size += len(text)
    return b"".join(chunks)
