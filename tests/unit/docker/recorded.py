"""What a real Docker 26.1.5 answered (tests/recorded/docker), for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recorded" / "docker"


def recorded(name: str) -> Any:
    """One recorded answer, freshly parsed: a test may change it."""
    return json.loads((FOLDER / f"{name}.json").read_text())


CONTAINERS = ("plain", "full", "gpu", "gpu2", "gpuall", "exited", "sleep", "web")
IMAGE_OF = {"web": "image_web"}


def container(name: str) -> Any:
    """The inspect of one recorded container."""
    return recorded(f"container_{name}.26.1")


def image_of(name: str) -> Any:
    """The inspect of the image that it runs."""
    return recorded(f"{IMAGE_OF.get(name, 'image_busybox')}.26.1")
