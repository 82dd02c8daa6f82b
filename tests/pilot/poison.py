"""An engine whose every text would obey a terminal, hide or reorder itself, or be taken for markup. No test."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from typing import Any, cast

from backends.engine import Engine
from backends.model.errors import BackendError
from backends.model.ids import ContainerKey, EngineId, ImageKey

MARK = "[b]EVIL"
"""What must be on the screen as it stands: were it markup, its first three letters would be gone."""
SEEN = MARK[:4]
"""So much of it is seen in the narrowest column too."""
POISON = (
    f"{MARK}[/b][@click=app.quit]\\[/] :skull: $x"
    "\x1b[31m\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\\x1bPq\x1b\\\x9b31m\x9d0;t\x9c\x00\x07\x08\r\n\t"
    "\u202egnp\u2066\u200b\u200d\ufeff\xad\udcff"
)
HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What may never reach a terminal as part of a line."""

_UNHARMED = re.compile(rf"{re.escape(MARK)}|http://evil", re.IGNORECASE)
"""What may stand there; a port's protocol is shown in capitals."""
_KEPT = re.compile(r"(?:sha256:)?[0-9a-f]{12,}|[\d.:TZ+\- ]*|(?:com\.docker|io\.podman|com\.example)\..*")
"""Ids, times and numbers, and the labels that mean something: poisoned, they would only not be found."""
_WHOLE = (EngineId, ContainerKey, ImageKey, Enum)


HUGE = MARK + "[/b]" + "\x1b[31mx\u202e" * (1 << 17)
"""About a mebibyte."""
_HUGE_FIRST = "t"
"""Texts that begin so are huge; the others stay, or the demo's fleet would fill the memory."""


def poisoned(value: Any, poison: str = POISON) -> Any:
    """The same with the poison in every text, after its first letter: a path is a path yet."""
    if isinstance(value, _WHOLE) or value is None:
        return value
    if isinstance(value, str):
        if not value or _KEPT.fullmatch(value) or (poison is HUGE and value[0] != _HUGE_FIRST):
            return value
        return value[0] + poison + value[1:]
    return _each(value, lambda part: poisoned(part, poison))


def cured(value: Any, poison: str = POISON) -> Any:
    """What was poisoned, without: what the engine is asked about is what it has."""
    if isinstance(value, _WHOLE) or value is None:
        return value
    if isinstance(value, str):
        return value.replace(poison, "")
    return _each(value, lambda part: cured(part, poison))


def _each(value: Any, change: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        new = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(new, field.name, change(getattr(value, field.name)))
        return new
    if isinstance(value, BackendError):
        error = copy.copy(value)
        error.title, error.detail, error.hint = (change(part) for part in (value.title, value.detail, value.hint))
        return error
    if isinstance(value, Mapping):
        return {change(key): change(part) for key, part in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return type(value)(change(part) for part in value)
    return value


class Poisoned:
    """In front of an engine: all that comes out of it is poisoned, all that goes in is cured."""

    def __init__(self, inner: Engine, poison: str = POISON) -> None:
        self._inner = inner
        self._poison = poison

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if not callable(real):
            return real

        def call(*args: Any, **more: Any) -> Any:
            answer = real(*cured(args, self._poison), **cured(more, self._poison))
            if isinstance(answer, AbstractAsyncContextManager):
                return self._stream(answer)
            return self._answer(answer)

        return call

    async def _answer(self, answer: Any) -> Any:
        try:
            return poisoned(await answer, self._poison)
        except BackendError as error:
            raise poisoned(error, self._poison) from error

    @asynccontextmanager
    async def _stream(self, stream: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
        try:
            async with stream as inner:
                yield self._items(inner) if hasattr(inner, "__aiter__") else inner
        except BackendError as error:
            raise poisoned(error, self._poison) from error

    async def _items(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            yield poisoned(item, self._poison)


def poison_engine(engine: Engine) -> Engine:
    """Each engine of a stage."""
    return cast(Engine, Poisoned(engine))


def huge_engine(engine: Engine) -> Engine:
    """The same with huge texts."""
    return cast(Engine, Poisoned(engine, HUGE))


def wrong_with(lines: Sequence[str]) -> list[str]:
    """What is wrong with a drawn screen: [] where all that it shows is inert."""
    wrong = [f"harmful in {line!a}" for line in lines if HARMFUL.search(line)]
    eaten = [line for line in lines if re.search(r"(?:^|[A-Za-z0-9\s'\"/])EVIL", _UNHARMED.sub("", line))]
    return wrong + [f"markup eaten in {line!a}" for line in eaten]
