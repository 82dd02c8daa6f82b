"""Podman builds an image: the request, and what its messages mean. Sees no folder."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from backends.engines.build_lines import Output, failure
from backends.engines.podman_api import Params, PodmanApi
from backends.engines.podman_build_place import build_place
from backends.model.build import BuildEvent, BuildSpec, BuildStep, ImageBuilt, OutputLine, StepBegun, StepCached
from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.wire.frames import json_lines

_STEP = re.compile(r"(?:\[(\d+)/(\d+)\] )?STEP (\d+)/(\d+): (.*)", re.DOTALL)
_CACHED = "--> Using cache "
_PASSING = re.compile(
    r"--> [0-9a-f]{12}$|(?:\[\d+/\d+\] )?COMMIT\b|Getting image source signatures$|Copying (?:blob|config) sha256:|"
    r"Writing manifest to image destination$|Successfully tagged "
)
_ID = re.compile(r"[0-9a-f]{64}")
_DOCKER_FORMAT = "application/vnd.docker.distribution.manifest.v2+json"


def request(spec: BuildSpec) -> Params:
    """Query of POST /libpod/build. Source: docs.podman.io/en/latest/_static/api.html, ImageBuildLibpod.

    Docker's format: OCI has no HEALTHCHECK, SHELL and ONBUILD, and Podman would leave them out.
    """
    params: dict[str, str | int | bool] = {
        "dockerfile": json.dumps([spec.containerfile]),
        "nocache": not spec.cache,
        "layers": True,
        "rm": True,
        "forcerm": True,
        "pullpolicy": "newer" if spec.pull else "missing",
        "buildargs": json.dumps(dict(spec.arguments)),
        "labels": json.dumps(dict(spec.labels)),
        "outputformat": _DOCKER_FORMAT,
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
        text = str(message.get("stream") or "")
        begun = self._begun(text)
        if begun is not None:
            yield from self._rest()
            self._step = begun
            self._output.begin()
            yield StepBegun(begun)
        elif text.startswith(_CACHED):
            yield StepCached()
        elif _ID.fullmatch(text.strip()):
            self._image = text.strip()  # the last one counts
        elif text and not _PASSING.match(text.rstrip()):
            for line in self._output.feed(text):
                yield OutputLine(line)

    def close(self) -> Iterator[BuildEvent]:
        """The stream came to its end. Protocol where no image was told."""
        yield from self._rest()
        if not self._image:
            raise Protocol("Podman ended the build without an image", engine=self._engine)
        yield ImageBuilt(self._image)

    def _rest(self) -> Iterator[BuildEvent]:
        for line in self._output.end():
            yield OutputLine(line)

    def _begun(self, text: str) -> BuildStep | None:
        """A step's first line: in its turn, as a program may print the same words. Stages may be left out."""
        found = _STEP.fullmatch(text)
        if found is None:
            return None
        stage, stages = int(found[1] or 1), int(found[2] or 1)
        step = BuildStep(int(found[3]), int(found[4]), found[5].strip(), stage, stages)
        before = self._step
        if before is None:
            return step if step.number == 1 else None
        follows = step.number == before.number + 1 and (step.stage, step.count) == (before.stage, before.count)
        return step if follows or (step.number == 1 and step.stage > before.stage) else None


@asynccontextmanager
async def build(
    api: PodmanApi, spec: BuildSpec, context: AsyncIterator[bytes]
) -> AsyncIterator[AsyncIterator[BuildEvent]]:
    """POST /libpod/build; leaving ends the build, and the program of a step that runs."""
    headers = {"Content-Type": "application/x-tar"}
    async with AsyncExitStack() as stack:
        params, why = dict(request(spec)), ""
        if spec.runs_programs:
            place, why = await stack.enter_async_context(build_place(api))
            if place:
                params["nsoptions"] = place
        stream = api.stream("POST", "/build", params, data=context, headers=headers, open_timeout_s=None)
        yield _events(await stack.enter_async_context(stream), api.engine, why)


async def _events(chunks: AsyncIterator[bytes], engine: EngineId, why: str) -> AsyncIterator[BuildEvent]:
    """why: nothing can end a running program before its own end."""
    reader = BuildReader(engine)
    if why:
        yield OutputLine(f"A running step cannot be cancelled here: {why}")
    async for message in json_lines(chunks, engine=engine):
        for event in reader.read(message):
            yield event
    for event in reader.close():
        yield event


__all__ = ["BuildReader", "build", "request"]
