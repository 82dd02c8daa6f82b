"""Folders that nobody but their user looks into. Writes no file.

Blocks, for as long as a disk takes to make a folder.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_MODE = 0o700


def private_folder(folder: Path) -> Path:
    """Make it, and what is missing above it, 0700; returns it. What is there stays as it is. Raises OSError.

    `mkdir(parents=True)` would give its mode to the last one only.
    """
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return folder
