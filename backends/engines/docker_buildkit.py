"""Docker builds an image by BuildKit, over its plain build API: what its messages mean. Sees no folder, no connection.

Without a session of the client's own BuildKit takes the context from the request, and has no secrets, no SSH keys and
no logins to give (DECISIONS 33). It does several steps at a time; they are told one after the other, as they began.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.containerfile import stage_names, written
from backends.engines.build_lines import Output, failure
from backends.engines.build_reader import BuildReader
from backends.engines.buildkit_trace import Part, Trace, Vertex, trace
from backends.model.build import BuildEvent, BuildSpec, BuildStep, OutputLine, StepBegun, StepCached
from backends.model.errors import BackendError, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId

HELD_TEXTS = 2000
"""Of a step that waits until those before it have ended; what it says beyond is left out at the front."""

_NO_SESSION = "no active sessions"
_OWN_CONTEXT = "http://build-context-"
_TRACE, _IMAGE = "moby.buildkit.trace", "moby.image.id"
_STEP = re.compile(r"\[(?:(.+) )?(\d+)/(\d+)\] (.+)", re.DOTALL)
_HERE = re.compile(r"(.*<<-?[\"']?[A-Za-z_][\w.-]*[\"']?) \(.*\)", re.DOTALL)
"""A here-document's beginning stands in brackets behind the instruction."""
_BASE = re.compile(r"\[internal\] load metadata for (\S+)")
_SYNTAX = re.compile(r"resolve image config for docker-image://(\S+)")
_QUIET = ("[internal]", "[auth]", "copy /context")


@dataclass(slots=True, eq=False)
class _Work:
    """A vertex that has begun. step: None for what is none of the Containerfile's."""

    name: str
    step: BuildStep | None
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=HELD_TEXTS))
    parts: set[str] = field(default_factory=set)
    cached: bool = False
    ended: bool = False
    error: str = ""
    output: Output = field(default_factory=Output)

    @property
    def failed(self) -> bool:
        """By itself: what else ran then is ended for it."""
        return bool(self.error) and "context canceled" not in self.error


class DockerBuildKit(BuildReader):
    """Messages of one build by BuildKit."""

    PROGRAM = "Docker"

    def __init__(self, engine: EngineId, spec: BuildSpec) -> None:
        super().__init__(engine)
        self._spec = spec
        names = enumerate(stage_names(spec.instructions))
        self._stages = {name.lower() or f"stage-{at}": at + 1 for at, name in names}  # as BuildKit calls them
        self._begun_work: dict[str, _Work] = {}
        self._waiting: deque[_Work] = deque()
        self._told: _Work | None = None
        self._late: deque[str] = deque(maxlen=HELD_TEXTS)

    def _begun(self, text: str) -> BuildStep | None:  # noqa: ARG002 - steps are vertices here
        return None

    def _said(self, text: str, message: Mapping[str, Any]) -> Iterator[BuildEvent]:  # noqa: ARG002 - it has no lines
        aux = message.get("aux")
        if message.get("id") == _IMAGE and isinstance(aux, Mapping):
            self._image = str(aux.get("ID") or "").removeprefix("sha256:")
        elif message.get("id") == _TRACE and isinstance(aux, str):
            told = self._read(aux)
            for vertex in told.vertices:
                self._take(vertex)
            for part in told.parts:
                self._take_part(part)
            for log in told.logs:
                self._take_text(log.vertex, log.text)
            yield from self._tell()

    def _read(self, aux: str) -> Trace:
        try:
            return trace(base64.b64decode(aux, validate=True))
        except ValueError as error:  # binascii.Error is one
            raise Protocol("BuildKit's progress is garbled", detail=str(error), engine=self._engine) from error

    # -- what comes ------------------------------------------------------------------------------
    def _take(self, vertex: Vertex) -> None:
        work = self._begun_work.get(vertex.digest)
        if work is None:
            if not (vertex.started or vertex.cached or vertex.error):
                return
            work = self._begun_work[vertex.digest] = _Work(vertex.name, self._step_of(vertex.name))
            self._waiting.append(work)
        work.cached |= vertex.cached
        work.ended |= vertex.completed
        work.error = work.error or vertex.error

    def _step_of(self, name: str) -> BuildStep | None:
        found = _STEP.fullmatch(name)
        if found is None:
            return None
        stage = self._stages.get((found[1] or "").split(" ")[-1], 1)  # a platform may stand before it
        return BuildStep(int(found[2]), int(found[3]), self._instruction(found[4]), stage, len(self._stages) or 1)

    def _instruction(self, shown: str) -> str:
        """As it stands in the Containerfile: BuildKit shows the values of arguments, and those may be secrets."""
        here = _HERE.fullmatch(shown)
        text = (here[1] if here else shown).strip()
        known = written(self._spec.instructions, text)
        if known is not None:
            return known
        for name, value in self._spec.arguments.items():
            text = text.replace(value, f"${name}") if value else text
        return text

    def _take_part(self, part: Part) -> None:
        """Each is told once: BuildKit counts the bytes of a layer that it brings several times a second."""
        work = self._begun_work.get(part.vertex)
        if work is not None and part.id not in work.parts and not work.name.startswith(_QUIET):
            work.parts.add(part.id)
            self._take_text(part.vertex, f"\n{part.id}\n")

    def _take_text(self, vertex: str, text: str) -> None:
        work = self._begun_work.get(vertex)
        if work is not None:
            # A base image's layers are brought after its FROM has ended: when the first step needs them.
            (work.texts if work is self._told or work in self._waiting else self._late).append(text)

    # -- what is told ----------------------------------------------------------------------------
    def _tell(self) -> Iterator[BuildEvent]:
        """Of the piece of work at the front, and of those after it when it has ended."""
        while self._late:
            yield from self._lines(self._late.popleft())
        while True:
            if self._told is not None:
                yield from self._texts(self._told)
                if not self._told.ended or self._told.failed:
                    return  # nothing is told after what failed
                self._told = None
            if not self._waiting:
                return
            yield from self._begin(self._waiting.popleft())

    def _begin(self, work: _Work) -> Iterator[BuildEvent]:
        yield from self._rest()
        self._told = work
        self._output = work.output
        if work.step is not None:
            self._step = work.step
            yield StepBegun(work.step)
            if work.cached:
                yield StepCached()
        elif not work.name.startswith(_QUIET):
            yield OutputLine(work.name)

    def _texts(self, work: _Work) -> Iterator[BuildEvent]:
        while work.texts:
            yield from self._lines(work.texts.popleft())

    def _failed(self, message: str) -> Iterator[BuildEvent]:
        """Tell of the piece of work that failed, and raise why."""
        work = next((work for work in self._begun_work.values() if work.failed), None)
        if work is None:
            raise failure(message, None, Output(), self._engine)
        if work is not self._told:
            yield from self._begin(work)
        yield from self._texts(work)
        yield from self._rest()
        raise self._why(message, work)

    def _why(self, message: str, work: _Work) -> BackendError:
        if _OWN_CONTEXT in message:
            # Docker 26.1 with containerd's store looks for the request's body at this name on the network.
            hint = (
                "Build it with `docker buildx build`, or on Podman, or without what needs BuildKit (RUN --mount, <<)."
            )
            title = "This Docker, with containerd's store, takes no folder for BuildKit over its API"
            return Unsupported(title, detail=message, hint=hint, engine=self._engine)
        syntax, base = _SYNTAX.fullmatch(work.name), _BASE.fullmatch(work.name)
        if message.endswith(_NO_SESSION) and not (base or syntax):
            hint = "Build it with `docker buildx build`, which has --secret and --ssh, or leave the mount out."
            which = str(work.step or "a step").capitalize()
            title = f"{which} wants a secret or an SSH key, which Docker's API does not give"
            return Unsupported(title, detail=message, hint=hint, engine=self._engine)
        if syntax:
            hint = "Leave the line `# syntax=…` out: the engine's own BuildKit knows mounts and here-documents too."
            title = f"{syntax[1]}, which is to read the Containerfile (# syntax=…), cannot be had"
            return NotFound(title, detail=message, hint=hint, engine=self._engine)
        step = BuildStep(1, 1, f"FROM {base[1]}") if base else work.step
        return failure(message, step, work.output, self._engine)


__all__ = ["HELD_TEXTS", "DockerBuildKit"]
