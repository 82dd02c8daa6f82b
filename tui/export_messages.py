"""Messages about exports: facts in past tense. They carry what was made, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.export.exported import Exported
    from backends.model.errors import BackendError


@dataclass
class ExportMade(Message):
    """Containers were written down for a target; made: None where that failed, and error says why."""

    target: str
    made: Exported | None
    error: BackendError | None = None


@dataclass
class ExportWritten(Message):
    """The files lie there; paths: () where that failed, and error says why. commands: what a person runs next."""

    paths: tuple[Path, ...]
    commands: tuple[str, ...]
    error: BackendError | None = None
