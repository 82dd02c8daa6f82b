"""Messages of a build between its commands and its screen: facts in past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.model.build import BuildView
    from backends.model.container import LogLine
    from backends.model.errors import BackendError
    from backends.model.ids import ImageKey


@dataclass
class BuildMoved(Message):
    """Where a build is now, and what it said since the last time. at_s: seconds since it began."""

    view: BuildView
    lines: tuple[LogLine, ...]
    at_s: float


@dataclass
class BuildEnded(Message):
    """It came to its end: with an image, with the error that stopped it, or cancelled (neither)."""

    view: BuildView
    at_s: float
    image: ImageKey | None = None
    names: tuple[str, ...] = ()
    error: BackendError | None = None


__all__ = ["BuildEnded", "BuildMoved"]
