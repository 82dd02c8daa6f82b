"""Docker builds an image by its classic builder: the request, and what its messages mean. Sees no folder.

BuildKit needs a gRPC session of the client's own over an upgraded connection (DECISIONS 31).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

from backends.engines.build_lines import Output, failure
from backends.model.build import BuildEvent, BuildSpec, BuildStep, ImageBuilt, OutputLine, StepBegun, StepCached
from backends.model.errors import BackendError, Protocol, Unsupported
from backends.model.ids import EngineId
from backends.wire.client import Params, WireClient
from backends.wire.frames import json_lines

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_CACHED = " ---> Using cache"
_PASSING = re.compile(
    r" ---> (?:[0-9a-f]{12}|Running in [0-9a-f]{12}|Removed intermediate container [0-9a-f]{12})\n$|"
    r"Successfully (?:built|tagged) \S+\n$"
)
_COLOUR = re.compile(r"\x1b\[(?:91|0)m")  # Docker's own, around what came on stderr
HEADERS = {
    "Content-Type": "application/x-tar",
    "X-Registry-Config": base64.urlsafe_b64encode(b"{}").decode(),
}


def request(spec: BuildSpec) -> Params:
    """Query of POST /build. Source: docs.docker.com/reference/api/engine/v1.45, ImageBuild."""
    params: dict[str, str | int | bool] = {
        "dockerfile": spec.containerfile,
        "version": "1",
        "nocache": not spec.cache,
        "pull": spec.pull,
        "rm": True,
        "forcerm": True,  # of a step that failed too
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


class BuildReader:
    """Messages of one build to events. Raises the build's failure."""

    def __init__(self, engine: EngineId) -> None:
        self._engine = engine
        self._output = Output()
        self._step: BuildStep | None = None
        self._image = ""

    def read(self, message: object) -> Iterator[BuildEvent]:
        """What one message tells."""
        if not isinstance(message, Mapping):
            return
        if message.get("error"):
            yield from self._rest()
            raise failure(str(message["error"]), self._step, self._output, self._engine)
        aux = message.get("aux")
        if isinstance(aux, Mapping) and aux.get("ID"):
            self._image = str(aux["ID"]).removeprefix("sha256:")  # each stage has one; the last counts
        text = str(message.get("stream") or "")
        begun = self._begun(text)
        if begun is not None:
            yield from self._rest()
            self._step = begun
            self._output.begin()
            yield StepBegun(begun)
        elif text.startswith(_CACHED):
            yield StepCached()
        elif text and not _PASSING.match(text):
            for line in self._output.feed(_COLOUR.sub("", text)):
                yield OutputLine(line)
        elif message.get("status") and not message.get("progressDetail"):
            subject = f"{message['id']}: " if message.get("id") else ""
            yield OutputLine(f"{subject}{message['status']}")

    def close(self) -> Iterator[BuildEvent]:
        """The stream came to its end. Protocol where no image was told."""
        yield from self._rest()
        if not self._image:
            raise Protocol("Docker ended the build without an image", engine=self._engine)
        yield ImageBuilt(self._image)

    def _rest(self) -> Iterator[BuildEvent]:
        for line in self._output.end():
            yield OutputLine(line)

    def _begun(self, text: str) -> BuildStep | None:
        """A step's first line: in its turn, as a program may print the same words."""
        found = _STEP.fullmatch(text)
        if found is None:
            return None
        number, count = int(found[1]), int(found[2])
        if number != (self._step.number + 1 if self._step else 1) or (self._step and count != self._step.count):
            return None
        return BuildStep(number, count, found[3].strip())


@asynccontextmanager
async def build(
    wire: WireClient, prefix: str, spec: BuildSpec, context: AsyncIterator[bytes]
) -> AsyncIterator[AsyncIterator[BuildEvent]]:
    """POST /build; leaving ends the build. prefix: "/v1.45"."""
    if spec.here_documents:
        # It takes "RUN <<END" for a command that redirects nothing, and the lines below are never run.
        hint = "Build it on Podman, or with `docker buildx build`, or write the step in one line."
        title = "Docker's classic builder does not know here-documents (<<)"
        raise Unsupported(title, hint=hint, engine=wire.engine)
    opened = False
    try:
        async with wire.stream(
            "POST", f"{prefix}/build", params=request(spec), data=context, headers=HEADERS, open_timeout_s=None
        ) as chunks:
            opened = True
            yield _events(chunks, wire)
    except Protocol as error:
        if opened:
            raise
        raise _explained(error, wire.engine) from error


def _explained(error: Protocol, engine: EngineId) -> BackendError:
    """What Docker refuses before the first step, it refuses by a status."""
    return failure(" ".join(filter(None, (error.title, error.detail))), None, Output(), engine)


async def _events(chunks: AsyncIterator[bytes], wire: WireClient) -> AsyncIterator[BuildEvent]:
    reader = BuildReader(wire.engine)
    async for message in json_lines(chunks, engine=wire.engine):
        for event in reader.read(message):
            yield event
    for event in reader.close():
        yield event


__all__ = ["BuildReader", "build", "request"]
