"""JSON recorded from Podman 5.4.2, rootful and rootless. May hold no tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from backends.engines.podman_defaults import HostDefaults
from backends.model.ids import EngineId, EngineKind

ENGINE = EngineId(EngineKind.PODMAN, "podman")
MODES = ("rootful", "rootless")
_FOLDER = Path(__file__).parents[2] / "recorded" / "podman" / "5.4.2"


def recorded(mode: str, name: str) -> Any:
    """A fresh copy of one recording."""
    return json.loads(_text(mode, name))


@cache
def _text(mode: str, name: str) -> str:
    return (_FOLDER / mode / f"{name}.json").read_text()


def recorded_events(mode: str) -> list[Any]:
    """The recorded lines of the event stream."""
    return [json.loads(line) for line in (_FOLDER / mode / "events.jsonl").read_text().splitlines()]


def host(mode: str) -> HostDefaults:
    """What the recorded engine gives a container unasked."""
    return HostDefaults.of(recorded(mode, "info"))
