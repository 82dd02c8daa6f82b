"""What both engines' builders have in common: text in pieces to lines, and why a build failed in words. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from backends.model.build import BuildStep
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Unsupported
from backends.model.ids import EngineId

KEPT_LINES = 20
"""Of a step's output, for the report of its failure."""
_LINE_LIMIT = 4096  # characters of a line without an end; a program may print a progress bar for hours
_BREAK = re.compile(r"\r\n|\r|\n")


class Output:
    """Collects what a builder says; `last` keeps the present step's end."""

    def __init__(self) -> None:
        self._held = ""
        self.last: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, text: str) -> Iterator[str]:
        """The lines that the text ends. A carriage return ends one too: what stood there was overwritten."""
        *whole, rest = _BREAK.split(self._held + text)
        while len(rest) > _LINE_LIMIT:
            whole, rest = [*whole, rest[:_LINE_LIMIT]], rest[_LINE_LIMIT:]
        self._held = rest
        for line in whole:
            if line.strip():
                self.last.append(line)
                yield line

    def end(self) -> Iterator[str]:
        """What stands there without an end."""
        if self._held:
            yield from self.feed("\n")

    def begin(self) -> None:
        """Another step."""
        self.last.clear()


_LINE = re.compile(r"parse error (?:on|at) line (\d+): (.*)|\bline (\d+): (.*)", re.IGNORECASE | re.DOTALL)
_UNKNOWN = re.compile(r"unknown instruction:? \"?(\w+)", re.IGNORECASE)
_LACKING = re.compile(
    r"excluded by \.dockerignore: stat (\S+?):|copier: stat: \"/?([^\"]*)\": no such file|"
    r"failed to calculate checksum of ref \S+ \"/?([^\"]*)\": not found",
    re.DOTALL,
)
_NO_SOURCE = re.compile(r"no source files were specified|no items matching glob \"?([^\"\s]*)", re.IGNORECASE)
_TARGET = re.compile(r"target (?:stage )?\"([^\"]*)\" (?:could not be|was not) found", re.IGNORECASE)
_CODE = re.compile(r"non-zero code: (\d+)|exit status (\d+)|exit code: (\d+)")
_NO_IMAGE = (
    "manifest unknown",
    "not found: manifest",
    "pull access denied",
    "repository does not exist",
    ": not found",
)
_UNHEARD = ("dial tcp", "no such host", "connection refused", "i/o timeout", "network is unreachable", "TLS handshake")
_REFUSED = (
    "no basic auth credentials", "unauthorized", "Unauthorized", "authentication required", "403 Forbidden",
    "no active sessions",  # BuildKit would ask its client for a login
)  # fmt: skip
_NO_SPACE = "no space left on device"


def failure(message: str, step: BuildStep | None, output: Output, engine: EngineId) -> BackendError:
    """Why the build failed, for people. The detail has the end of the step's output, then the engine's own words."""
    said = [*output.last, message.strip()]
    detail = "\n".join(line for line in said if line)
    kind, title, hint = _told(message, step, "\n".join(output.last))
    return kind(title, detail=detail, hint=hint, engine=engine)


def _told(message: str, step: BuildStep | None, output: str) -> tuple[type[BackendError], str, str]:
    where = f"{str(step).capitalize()}" if step else "The build"
    for found in (_of_containerfile(message), _of_base(message, step), _of_place(message, output, where)):
        if found is not None:
            return found
    code = _CODE.search(message)
    if code is not None and step is not None:
        hint = "Look at the last lines of its output above; correct the step and build again."
        return Conflict, f"{where} ended with code {next(filter(None, code.groups()))}: {step.instruction}", hint
    named = f": {step.instruction}" if step else ""
    return Conflict, f"{where} failed{named}", "The engine's own words say why."


_Told = tuple[type[BackendError], str, str]


def _of_containerfile(message: str) -> _Told | None:
    line = _LINE.search(message)
    if line is not None:
        number, words = line[1] or line[3], (line[2] or line[4]).strip()
        return Conflict, f"Line {number} of the Containerfile: {words}", "Correct that line and build again."
    unknown = _UNKNOWN.search(message)
    if unknown is not None:
        hint = "Correct that line and build again."
        return Conflict, f"The Containerfile has an instruction that does not exist: {unknown[1].upper()}", hint
    target = _TARGET.search(message)
    if target is not None:
        return NotFound, f"The Containerfile has no stage “{target[1]}”", "Name one of its `FROM … AS NAME`."
    if "cannot be empty" in message or "no contents in" in message:
        return Conflict, "The Containerfile is empty", "It needs at least a FROM."
    if "requires BuildKit" in message:
        hint = "Build it on Podman, or with `docker buildx build`: the engine's own API has the classic builder only."
        return Unsupported, "Docker's classic builder does not know this option", hint
    return None


def _of_base(message: str, step: BuildStep | None) -> _Told | None:
    words = step.instruction.split() if step else []
    if not words or words[0].upper() not in {"FROM", "COPY"}:
        return None
    name = next((word for word in words[1:] if not word.startswith("--")), "")
    if words[0].upper() == "FROM" and any(mark in message for mark in _REFUSED):
        hint = f"`tranship login` to it; or pull it first, which BuildKit needs on Docker: `tranship pull {name}`."
        return Denied, f"The registry does not give the base image {name} without a login", hint
    if words[0].upper() == "FROM" and any(mark in message for mark in _NO_IMAGE):
        hint = "Check its name and tag; where the registry wants a login, pull it first (`tranship pull`)."
        return NotFound, f"There is no base image {name}", hint
    if words[0].upper() == "FROM" and any(mark in message for mark in _UNHEARD):
        hint = "Copy or load the image into this engine first, or look at the engine's network."
        return NotFound, f"The base image {name} is not here, and its registry cannot be reached", hint
    return None


def _of_place(message: str, output: str, where: str) -> _Told | None:
    lacking = _LACKING.search(message) or _NO_SOURCE.search(message)
    if lacking is not None:
        name = next((group for group in lacking.groups() if group), "what it copies")
        hint = "Paths are relative to the folder that is built; look at .dockerignore and .containerignore too."
        return NotFound, f"{where}: {name} is not in the build context", hint
    if _NO_SPACE in message.lower():
        return Conflict, "The engine's disk is full", "Remove images that nothing uses (`tranship image prune`)."
    if _NO_SPACE in output.lower():
        hint = "Remove images that nothing uses (`tranship image prune`), or give the engine more room."
        return Conflict, f"{where} found no space left on a disk", hint
    return None


__all__ = ["KEPT_LINES", "Output", "failure"]
