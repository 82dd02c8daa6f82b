"""Podman builds an image: the request, and what its messages mean. Sees no folder."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from backends.engines.build_reader import BuildReader, shared_query
from backends.engines.podman_api import Params, PodmanApi
from backends.engines.podman_build_place import build_place
from backends.model.build import BuildEvent, BuildSpec, BuildStep, OutputLine, StepCached
from backends.model.ids import EngineId

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
    return {
        **shared_query(spec),
        "dockerfile": json.dumps([spec.containerfile]),
        "layers": True,
        "pullpolicy": "newer" if spec.pull else "missing",
        "outputformat": _DOCKER_FORMAT,
    }


class PodmanBuild(BuildReader):
    """Messages of one build by Podman."""

    PROGRAM = "Podman"

    def _said(self, text: str, message: Mapping[str, Any]) -> Iterator[BuildEvent]:  # noqa: ARG002 - the text is all
        if text.startswith(_CACHED):
            yield StepCached()
        elif _ID.fullmatch(text.strip()):
            self._image = text.strip()  # the last one counts
        elif text and not _PASSING.match(text.rstrip()):
            yield from self._lines(text)

    def _begun(self, text: str) -> BuildStep | None:
        # Stages may be left out.
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
    if why:
        yield OutputLine(f"A running step cannot be cancelled here: {why}")
    async for event in PodmanBuild(engine).events(chunks):
        yield event


__all__ = ["PodmanBuild", "build", "request"]
