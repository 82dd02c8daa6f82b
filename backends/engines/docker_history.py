"""An image's history joined with its diff-IDs. Pure; makes no calls.

Docker's GET /images/{name}/history does not say which steps made a layer (the config's `empty_layer` does, but only the
archive of the whole image has it). So the steps are told apart by the instruction that made them; size 0 is no test: a
RUN that writes nothing makes a layer too. WORKDIR makes one only where the folder was not there, and a step without
words says nothing: such steps take the layers that the certain ones leave over, base first. Whatever the history says,
the report holds all diff-IDs in their order; where a step's layer is a guess, its comment says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from backends.model.ids import ImageKey
from backends.model.image import Layer, LayerReport
from backends.wire.times import from_unix

_NOP = re.compile(r"^(?:\|\d+ .*?)?(?:/bin/sh -c )?#\(nop\)\s*")
_SHELL = re.compile(r"^(?:\|\d+ .*? )?(?:RUN (?:\|\d+ .*? )?)?/bin/sh -c ")
_BUILDKIT_MARK = re.compile(r"\s*# buildkit$")
_EMPTY = frozenset(
    {"ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL"}
    | {"MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME"}
)
_FILLED = frozenset({"ADD", "COPY", "RUN"})
_GUESS = "which step made this layer is not certain"
_NO_HISTORY = "(not in the image's history)"


class Makes(Enum):
    """Whether a step made a layer."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


def makes_layer(step: Mapping[str, Any]) -> Makes:
    """Judge one entry of the history by its size and its instruction."""
    if step.get("Size"):
        return Makes.YES
    text = str(step.get("CreatedBy") or "").strip()
    nop = _NOP.match(text)
    words = (text[nop.end() :] if nop else text).split(maxsplit=1)
    first = words[0] if words else ""
    if first in _EMPTY:
        return Makes.NO
    if first in _FILLED or (text and not nop and first != "WORKDIR"):
        return Makes.YES
    return Makes.MAYBE


def readable(text: str) -> str:
    """What made the step, as one would write it in a Containerfile, on one line."""
    text = _BUILDKIT_MARK.sub("", text.strip())
    nop = _NOP.match(text)
    if nop:
        text = text[nop.end() :]
    else:
        shell = _SHELL.match(text)
        if shell:
            text = f"RUN {text[shell.end() :]}"
    return " ".join(text.split())


def _assign(steps: Sequence[Mapping[str, Any]], count: int) -> tuple[list[bool], bool]:
    """Which steps (base first) made the `count` layers, and whether that is a guess."""
    judged = [makes_layer(step) for step in steps]
    sure, maybe = judged.count(Makes.YES), judged.count(Makes.MAYBE)
    if sure == count or sure + maybe == count:
        return [made is Makes.YES or (made is Makes.MAYBE and sure != count) for made in judged], False
    if sure > count:
        # Another builder's history: steps with a size come first, then the rest from the base on.
        order = sorted(range(len(steps)), key=lambda at: (judged[at] is not Makes.YES, not steps[at].get("Size"), at))
        chosen = set(order[:count])
        return [at in chosen for at in range(len(steps))], True
    wanted = count - sure
    made: list[bool] = []
    for verdict in judged:
        take = verdict is Makes.MAYBE and wanted > 0
        wanted -= take
        made.append(verdict is Makes.YES or take)
    return made, True


def layer_report(
    key: ImageKey, reference: str, image: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> LayerReport:
    """image: GET /images/{name}/json; history: as the API gives it, newest first."""
    return LayerReport(key, reference, tuple(_layers(image, history)), str(image.get("Architecture") or ""))


def _layers(image: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[Layer]:
    diff_ids = [str(digest) for digest in (image.get("RootFS") or {}).get("Layers") or ()]
    steps = list(reversed(history))
    made, guessed = _assign(steps, len(diff_ids))
    missing = max(0, len(diff_ids) - sum(made))  # layers below the first step that the history knows
    layers = [Layer(_NO_HISTORY, digest, None, None) for digest in diff_ids[:missing]]
    rest = iter(diff_ids[missing:])
    for step, filled in zip(steps, made, strict=True):
        digest = next(rest, "") if filled else ""
        comment = str(step.get("Comment") or "")
        if digest and guessed:
            comment = f"{comment}; {_GUESS}" if comment else _GUESS
        created = from_unix(step["Created"]) if step.get("Created") else None
        size = int(step.get("Size") or 0)
        layers.append(Layer(readable(str(step.get("CreatedBy") or "")), digest, size, created, comment))
    return layers


def config_steps(image: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The history as an image's configuration writes it, base first. image, history: as above."""
    steps: list[dict[str, Any]] = []
    for layer in _layers(image, history):
        created = layer.created_at.isoformat().replace("+00:00", "Z") if layer.created_at else None
        said: dict[str, Any] = {"created": created, "comment": layer.comment, "empty_layer": layer.empty}
        steps.append({"created_by": layer.command} | {key: value for key, value in said.items() if value})
    return steps


__all__ = ["Makes", "config_steps", "layer_report", "makes_layer", "readable"]
