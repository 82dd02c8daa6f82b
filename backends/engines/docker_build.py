"""Docker builds an image: the request, and what its classic builder's messages mean. Sees no folder.

BuildKit is asked for where the Containerfile has what the classic builder does not know (DECISIONS 33).
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from backends.engines.build_lines import Output, failure
from backends.engines.build_reader import BuildReader, shared_query
from backends.engines.docker_buildkit import DockerBuildKit
from backends.model.build import BuildEvent, BuildSpec, BuildStep, OutputLine, StepCached
from backends.model.errors import BackendError, Protocol
from backends.model.ids import EngineId
from backends.wire.client import Params, WireClient

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
    return {
        **shared_query(spec),
        "dockerfile": spec.containerfile,
        "version": "2" if spec.beyond_classic else "1",
        "pull": spec.pull,
    }


class DockerBuild(BuildReader):
    """Messages of one build by Docker's classic builder."""

    PROGRAM = "Docker"

    def _said(self, text: str, message: Mapping[str, Any]) -> Iterator[BuildEvent]:
        aux = message.get("aux")
        if isinstance(aux, Mapping) and aux.get("ID"):
            self._image = str(aux["ID"]).removeprefix("sha256:")  # each stage has one; the last counts
        if text.startswith(_CACHED):
            yield StepCached()
        elif text and not _PASSING.match(text):
            yield from self._lines(_COLOUR.sub("", text))
        elif message.get("status") and not message.get("progressDetail"):
            subject = f"{message['id']}: " if message.get("id") else ""
            yield OutputLine(f"{subject}{message['status']}")

    def _begun(self, text: str) -> BuildStep | None:
        found = _STEP.fullmatch(text)
        if found is None:
            return None
        number, count = int(found[1]), int(found[2])
        if number != (self._step.number + 1 if self._step else 1) or (self._step and count != self._step.count):
            return None
        return BuildStep(number, count, found[3].strip())


@asynccontextmanager
async def build(
    wire: WireClient, prefix: str, spec: BuildSpec, context: AsyncIterator[bytes], logins: Mapping[str, str]
) -> AsyncIterator[AsyncIterator[BuildEvent]]:
    """POST /build; leaving ends the build. prefix: "/v1.45". logins: as a header, for base images."""
    reader = DockerBuildKit(wire.engine, spec) if spec.beyond_classic else DockerBuild(wire.engine)
    opened = False
    try:
        headers = {**HEADERS, **logins}
        async with wire.stream(
            "POST", f"{prefix}/build", params=request(spec), data=context, headers=headers, open_timeout_s=None
        ) as chunks:
            opened = True
            yield reader.events(chunks)
    except Protocol as error:
        if opened:
            raise
        raise _explained(error, wire.engine) from error


def _explained(error: Protocol, engine: EngineId) -> BackendError:
    """What Docker refuses before the first step, it refuses by a status."""
    return failure(" ".join(filter(None, (error.title, error.detail))), None, Output(), engine)


__all__ = ["DockerBuild", "build", "request"]
