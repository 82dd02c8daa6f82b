"""Messages of a build to events, as far as both engines tell alike; what each says in its own way is its adapter's.

Sees no folder and no connection.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from backends.engines.build_lines import Output, failure
from backends.model.build import BuildEvent, BuildSpec, BuildStep, ImageBuilt, OutputLine, StepBegun
from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.wire.frames import json_lines


def shared_query(spec: BuildSpec) -> dict[str, str | int | bool]:
    """The query of a build as far as both APIs call it the same. Intermediate containers of a failed step go too."""
    params: dict[str, str | int | bool] = {
        "nocache": not spec.cache,
        "rm": True,
        "forcerm": True,
        "buildargs": json.dumps(dict(spec.arguments)),
        "labels": json.dumps(dict(spec.labels)),
    }
    if spec.tags:
        params["t"] = spec.tags[0]
    if spec.target:
        params["target"] = spec.target
    if spec.platform:
        params["platform"] = spec.platform
    return params


class BuildReader(ABC):
    """Messages of one build to events. Raises the build's failure."""

    PROGRAM: str

    def __init__(self, engine: EngineId) -> None:
        self._engine = engine
        self._output = Output()
        self._step: BuildStep | None = None
        self._image = ""

    @abstractmethod
    def _begun(self, text: str) -> BuildStep | None:
        """The step whose first line this is, in its turn: a program may print the same words."""

    @abstractmethod
    def _said(self, text: str, message: Mapping[str, Any]) -> Iterator[BuildEvent]:
        """What a message means that is no error and begins no step."""

    def read(self, message: object) -> Iterator[BuildEvent]:
        """What one message tells."""
        if not isinstance(message, Mapping):
            return
        if message.get("error"):
            yield from self._failed(str(message["error"]))
        text = str(message.get("stream") or "")
        begun = self._begun(text)
        if begun is None:
            yield from self._said(text, message)
            return
        yield from self._rest()
        self._step = begun
        self._output.begin()
        yield StepBegun(begun)

    async def events(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[BuildEvent]:
        """All of a build's answer, to its end."""
        async for message in json_lines(chunks, engine=self._engine):
            for event in self.read(message):
                yield event
        for event in self.close():
            yield event

    def close(self) -> Iterator[BuildEvent]:
        """The stream came to its end. Protocol where no image was told."""
        yield from self._rest()
        if not self._image:
            raise Protocol(f"{self.PROGRAM} ended the build without an image", engine=self._engine)
        yield ImageBuilt(self._image)

    def _failed(self, message: str) -> Iterator[BuildEvent]:
        """What is still to be told of the step that failed; then its failure is raised. message: the engine's words."""
        yield from self._rest()
        raise failure(message, self._step, self._output, self._engine)

    def _lines(self, text: str) -> Iterator[BuildEvent]:
        """The lines that the text ends."""
        for line in self._output.feed(text):
            yield OutputLine(line)

    def _rest(self) -> Iterator[BuildEvent]:
        for line in self._output.end():
            yield OutputLine(line)


__all__ = ["BuildReader", "shared_query"]
