"""Messages about exports: facts in past tense. They carry what was made, never widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.export.exported import Exported
    from backends.model.errors import BackendError
    from backends.model.ids import EngineId, ImageKey
    from backends.model.manifest import AppliedObject
    from backends.services.export_push import ImagePush


@dataclass
class ExportMade(Message):
    """Containers were written down for a target; made: None where that failed, and error says why.

    images: what their recipes call them.
    """

    target: str
    made: Exported | None
    error: BackendError | None = None
    images: tuple[str, ...] = ()


@dataclass
class ImagesPushed(Message):
    """Images of an export are at a registry: each with its push and its digest; error: why the rest is not."""

    pushed: Mapping[ImageKey, tuple[ImagePush, str]]
    error: BackendError | None = None


@dataclass
class ApplyChecked(Message):
    """A cluster looked at an export: what it would make and change; error: why it would not take it."""

    cluster: EngineId
    objects: tuple[AppliedObject, ...]
    error: BackendError | None = None


@dataclass
class ExportApplied(Message):
    """A cluster took an export; error: why it did not take all of it."""

    cluster: EngineId
    objects: tuple[AppliedObject, ...]
    error: BackendError | None = None


@dataclass
class ExportWritten(Message):
    """The files lie there; paths: () where that failed, and error says why. commands: what a person runs next."""

    paths: tuple[Path, ...]
    commands: tuple[str, ...]
    error: BackendError | None = None
