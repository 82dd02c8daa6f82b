"""Messages about what is risky, and about who serves best: facts in past tense. They carry reports, never widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.model.advice import Advice
    from backends.model.errors import BackendError
    from backends.security.finding import ContainerReport, EngineReport, RootlessReport


@dataclass
class SecurityJudged(Message):
    """Containers and their engines were looked at. errors: why some could not be. rootless: of the one, where asked."""

    containers: tuple[ContainerReport, ...]
    engines: tuple[EngineReport, ...]
    errors: tuple[BackendError, ...] = ()
    rootless: RootlessReport | None = None


@dataclass
class Advised(Message):
    """The advisor has looked at everything; advice: None where it could not, and error says why."""

    advice: Advice | None
    error: BackendError | None = None
