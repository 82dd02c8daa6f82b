"""Messages about what is risky: facts in past tense. They carry reports, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.model.errors import BackendError
    from backends.security.finding import ContainerReport, EngineReport, RootlessReport


@dataclass
class SecurityJudged(Message):
    """Containers and their engines were looked at. errors: why some could not be. rootless: of the one, where asked."""

    containers: tuple[ContainerReport, ...]
    engines: tuple[EngineReport, ...]
    errors: tuple[BackendError, ...] = ()
    rootless: RootlessReport | None = None
