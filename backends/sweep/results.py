"""The results of a sweep as JSON lines: which runs are done, and a file that is only ever appended to.

One sweep at a time has the file (flock). A line that was cut off by a crash counts for nothing. Blocks on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backends.model.errors import BackendError, Conflict
from backends.model.sweep import SweepState


def done_in(lines: Iterable[str]) -> frozenset[str]:
    """The ids of runs that ended well, by a file's lines."""
    found: set[str] = set()
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # cut off, or not ours
        if isinstance(row, dict) and row.get("state") == SweepState.DONE.value and isinstance(row.get("id"), str):
            found.add(row["id"])
    return frozenset(found)


class ResultFile:
    """Open for appending. Raises Conflict where another sweep has it, BackendError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._file = open(number, "r+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise BackendError(f"{path} cannot be opened: {error.strerror}", hint="choose another file") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            hint = "wait until it is done, or choose another file"
            raise Conflict(f"another sweep writes to {path}", hint=hint) from error
        text = self._file.read()
        self.done = done_in(text.splitlines())
        if text and not text.endswith("\n"):
            self._file.write("\n")  # what a crash cut off stays on a line of its own

    def append(self, row: dict[str, Any]) -> None:
        """One line, on its way to the disk when this returns."""
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Let another sweep have it."""
        self._file.close()


__all__ = ["ResultFile", "done_in"]
