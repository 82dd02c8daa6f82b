"""Docker's error messages as errors that a person understands. Pure; knows no library's exception.

The patterns are messages of moby 20.10 to 28, recorded from real engines (tests/recorded/docker/errors.json).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from backends.model.errors import BackendError, Conflict, Denied, NotFound, Unsupported
from backends.model.ids import EngineId

NameOf: TypeAlias = Callable[[str], str]
"""Container id or name → the name that people know, or what came in."""

_Rule: TypeAlias = tuple[re.Pattern[str], type[BackendError], str, str]

_REMOVE_FIRST = "Stop it first, or remove it by force."
_TOOLKIT = (
    "Install nvidia-container-toolkit and run `nvidia-ctk runtime configure --runtime=docker`, "
    "or ask for the GPU by its CDI name (nvidia.com/gpu=0)."
)


def _rule(pattern: str, kind: type[BackendError], title: str, hint: str = "") -> _Rule:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, title, hint


# First match wins. In titles {0} is the pattern's first group, {name} the same as a container's name.
_RULES: tuple[_Rule, ...] = (
    _rule(
        r"could not select device driver .* capabilities: \[\[.*gpu",
        Unsupported,
        "Docker cannot give out GPUs",
        _TOOLKIT,
    ),
    _rule(
        r"unresolvable CDI devices? (.+?)(?::|$)",
        Unsupported,
        "Docker does not know the GPU device {0}",
        "Write the CDI specification anew: `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`.",
    ),
    _rule(
        r"CDI .*(?:not enabled|disabled)",
        Unsupported,
        "CDI is off in this Docker",
        'Set {{"features": {{"cdi": true}}}} in daemon.json (Docker 25 and later).',
    ),
    _rule(
        r"(?:bind for \S*?|listen \w+ \S*?|bind host port(?: for)? \S*?):(\d+)\b.*(?:already allocated|already in use)",
        Conflict,
        "Port {0} is already in use",
        "Stop what uses the port, or publish another one.",
    ),
    _rule(
        r'container name "?/?([^"\s]+)"? is already in use',
        Conflict,
        "The name {0} is already taken",
        "Choose another name, or remove the container that has it.",
    ),
    _rule(
        r"cannot remove (?:a running )?container \"?/?([\w.-]*\w).*running",
        Conflict,
        "Container {name} is running",
        _REMOVE_FIRST,
    ),
    _rule(r"cannot remove a running container ([\w.-]*\w)", Conflict, "Container {name} is running", _REMOVE_FIRST),
    _rule(
        r"removal of container ([\w.-]*\w) is already in progress",
        Conflict,
        "Container {name} is being removed already",
    ),
    _rule(
        r"container \"?/?([\w.-]*\w)\"? is not running", Conflict, "Container {name} is not running", "Start it first."
    ),
    _rule(r"container \"?/?([\w.-]*\w)\"? is not paused", Conflict, "Container {name} is not paused"),
    _rule(r"container \"?/?([\w.-]*\w)\"? is already paused", Conflict, "Container {name} is already paused"),
    _rule(
        r"container \"?/?([\w.-]*\w)\"? is (?:paused|restarting)", Conflict, "Container {name} is paused or restarting"
    ),
    _rule(
        r"cgroups not configured for container|cannot toggle freezer",
        Unsupported,
        "This Docker cannot pause containers",
    ),
    _rule(r"no such container:? ?/?([\w.-]*\w|)", NotFound, "There is no container {name}"),
    _rule(r"no such image:? ?(\S*)", NotFound, "There is no image {0}", "Pull or load it first."),
    _rule(r"(?:get )?(\S+): no such volume|no such volume:? (\S+)", NotFound, "There is no volume {0}"),
    _rule(r"network (\S+) not found", NotFound, "There is no network {0}"),
    _rule(
        r"network with name (\S+) already exists",
        Conflict,
        "Network {0} exists already",
        "Choose another name, or remove the network.",
    ),
    _rule(
        r"removing network: network (\S+) .*has active endpoints",
        Conflict,
        "Network {0} is in use",
        "Disconnect or remove its containers first.",
    ),
    _rule(
        r"pool overlaps with other one|(?:address|subnet) .*overlaps",
        Conflict,
        "The network's address range is taken",
        "Choose another range, or let Docker choose one.",
    ),
    _rule(
        r"could not find an available, non-overlapping (\S+) address pool",
        Conflict,
        "Docker has no free {0} address range to choose for the network",
        "Say which range it is to have.",
    ),
    _rule(
        r"pre-?defined (?:\S+ )?network|(\S+) is a pre-?defined network|only one instance of \W*\w+\W* network",
        Conflict,
        "Docker's own networks cannot be made or removed",
    ),
    _rule(
        r"remove (\S+): volume is in use", Conflict, "Volume {0} is in use", "Remove the containers that use it first."
    ),
    _rule(
        r"conflict: unable to (?:remove|delete) (?:repository reference )?\"?([^\s\"]+)\"?",
        Conflict,
        "Image {0} is in use",
        "Remove the containers and images that use it first.",
    ),
    _rule(
        r"bind source path does not exist: (\S+)",
        NotFound,
        "The host path {0} does not exist",
        "Create it, or mount another one.",
    ),
    _rule(r"invalid signal: (\S+)", Unsupported, "There is no signal {0}"),
    _rule(r"logging driver does not support reading", Unsupported, "This container's log driver cannot be read"),
    _rule(r"no space left on device", Conflict, "The engine's disk is full", "Free space under its data folder."),
    _rule(
        r"client version (\S+) is too (?:old|new)",
        Unsupported,
        "This Docker does not speak API {0}",
        "Tranship speaks Docker's API 1.40 and later.",
    ),
    _rule(
        r"error setting rlimit",
        Unsupported,
        "This Docker may not raise a limit of the container's processes (ulimit)",
        "Leave that limit out, or let Docker's service have it: LimitMEMLOCK=infinity in its unit.",
    ),
    _rule(r"exec: \"?([^\":]+)\"?: .*(?:no such file|not found)", NotFound, "There is no command {0} in the image"),
    _rule(
        r"exec: \"?([^\":]+)\"?: .*permission denied", Denied, "The command {0} may not be executed in the container"
    ),
)


def explain(message: str, engine: EngineId, name_of: NameOf = str) -> BackendError | None:
    """The error that the message means, None where it is not known. The message itself becomes the detail."""
    for pattern, kind, title, hint in _RULES:
        match = pattern.search(message)
        if match:
            subject = next((group for group in match.groups() if group), "")
            text = title.format(subject, name=name_of(subject)).strip()
            return kind(text, detail=message, hint=hint.format(), engine=engine)
    return None


__all__ = ["NameOf", "explain"]
