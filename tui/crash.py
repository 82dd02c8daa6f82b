"""A bug's trace to a file that its finder can send. May not hide the bug."""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from backends.private_folder import private_folder

_FRAME = re.compile(r'[ |]*  File "[^"\n]*", line \d+, in ')
"""How a piece of a trace begins that tells a place in the code (traceback.FrameSummary)."""


def state_dir() -> Path:
    """Where the program keeps its own records: platformdirs' user_state_dir("tranship")."""
    import platformdirs

    return Path(platformdirs.user_state_dir("tranship"))


def masked_trace(error: BaseException) -> str:
    """The trace, without values of variables; what looks like a secret in a message is hidden, our own code is not."""
    from backends.model.secrets import masked_prose

    pieces = traceback.format_exception(error)
    return "".join(piece if _FRAME.match(piece) else masked_prose(piece) for piece in pieces)


def write_crash_log(error: BaseException, directory: Path, *, during: str = "") -> str:
    """Write the trace to a new file in the directory; returns its path, or why it could not be written.

    during: what was being done.
    """
    now = datetime.now(UTC)
    path = directory / f"crash-{now:%Y%m%d-%H%M%S-%f}.log"
    text = "\n".join(
        [
            f"{now.isoformat()} tranship on Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {len(sys.argv) - 1}" + (f"; during: {during}" if during else ""),
            "",
            masked_trace(error),
        ]
    )
    try:
        private_folder(directory)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as trouble:
        return f"(no log: {directory}: {trouble.strerror or trouble})"
    return str(path)
