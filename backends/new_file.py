"""A file that is hidden beside its place until it is complete, and overwrites none: the parts that its writers share.

Blocks: call it in a thread.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backends.model.errors import Conflict, Denied


def hidden(path: Path) -> Path:
    """A hidden name beside it that nobody else has."""
    start = os.fsdecode(os.fsencode(path.name)[:200])  # a file system counts bytes
    return path.with_name(f".{start}.{secrets.token_hex(4)}.part")


def refuse_existing(path: Path, *, hint: str = "choose another name, or remove that file") -> None:
    """Conflict where something has that name already, a link to nowhere too."""
    if os.path.lexists(path):
        raise Conflict(f"{path} exists already", hint=hint)


def settle(part: Path, path: Path) -> None:
    """It is complete: the hidden file gets its name. Conflict where another file has got that name meanwhile."""
    try:
        os.link(part, path)
    except FileExistsError:
        refuse_existing(path)
        raise
    except OSError:  # a file system without hard links
        refuse_existing(path)
        part.rename(path)
    else:
        part.unlink()


@contextmanager
def disk(path: Path, what: str) -> Iterator[None]:
    """What the disk refuses, in our words: Denied. what: is being written ("the backup")."""
    try:
        yield
    except OSError as error:
        hint = f"make room in {path.parent}, or choose another place"
        if not path.parent.is_dir():
            hint = f"there is no folder {path.parent}: make it, or choose another place"
        raise Denied(f"{what} cannot be written", detail=str(error), hint=hint) from error


def write_new(path: Path, what: str, pieces: Iterable[str]) -> None:
    """Write text (UTF-8), all of it or nothing. what: as disk has it. Raises Conflict, and Denied."""
    refuse_existing(path)
    part = hidden(path)
    with disk(path, what):
        try:
            with part.open("x", encoding="utf-8", errors="replace") as file:
                file.writelines(pieces)
            settle(part, path)
        finally:
            part.unlink(missing_ok=True)


__all__ = ["disk", "hidden", "refuse_existing", "settle", "write_new"]
