"""Where the program's own troubles go: a log file with their traces, and one line each on stderr. May not hide any.

What an engine refuses is no trouble of the program: it is told where it was asked for, and is not written here.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from backends.private_folder import private_folder
from tui.crash import masked_trace

LOG_BYTES = 1 << 20
"""A log that has grown beyond this is begun anew by the next process that writes to it."""

_OURS = ("backends.", "tui.", "widgets.", "asyncio")
"""Loggers whose records are said on stderr too: libraries also warn of what they then mend themselves."""


def log_path(directory: Path) -> Path:
    """The log file in the program's state directory."""
    return directory / "tranship.log"


def keep_log(directory: Path) -> None:
    """From now on warnings and worse of this process, and bugs in its threads, go to the log and to stderr."""
    file = _File(log_path(directory), encoding="utf-8", delay=True)
    file.setFormatter(_Masked("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[file, _Words(log_path(directory))])
    threading.excepthook = _thread_bug


class _File(logging.FileHandler):
    """Made, 0600, with its directory (0700) at the first record."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        private_folder(path.parent)
        self.mode = "w" if path.exists() and path.stat().st_size > LOG_BYTES else "a"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, where the log can be written: logging opens the file outside of what it forgives."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written stops nothing: the line on stderr says what there is to say."""


class _Masked(logging.Formatter):
    """What looks like a secret is hidden, in messages and in traces."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line."""
        return _masked(super().formatMessage(record))

    def formatException(self, ei: logging._SysExcInfoType) -> str:
        """The trace."""
        return masked_trace(ei[1]) if ei[1] is not None else ""


class _Words(logging.Handler):
    """A line for each record of ours, without its trace. While the screen is open, Textual keeps stderr off it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        if record.name.startswith(_OURS):
            bug = record.exc_info[0] if record.exc_info else None
            from tui.cli.output import say  # the first frame does without

            say(f"tranship: {_masked(record.getMessage())}" + (f": {bug.__name__}; see {self._path}" if bug else ""))


def _masked(text: str) -> str:
    from backends.model.secrets import masked_prose

    return masked_prose(text)


def _thread_bug(bug: threading.ExceptHookArgs) -> None:
    name = bug.thread.name if bug.thread else "a thread"
    logging.getLogger(__name__).error("%s ended by a bug", name, exc_info=bug.exc_value)
