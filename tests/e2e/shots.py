"""`make screenshots`: pictures of the program itself, in a real terminal, written to screenshots/.

The fleet is the demo fleet (labelled so); the migration is the scene of tests/e2e/test_scenes.py on real engines.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.e2e.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "screenshots"
TRANSHIP = str(Path(sys.executable).parent / "tranship")
READY = r"● demo-docker[^\n]*● demo-podman"
# A picture is taken when two looks at the screen show what the keys have opened, and the readings have come.
FLEET = r"(?s)rag-redis +● running +\d.*train-\S+ +● running +\d"


@dataclass(frozen=True)
class Shot:
    """A picture: keys to press, and what the screen then shows (a regular expression).

    then, at_last: further keys, pressed when that is shown, and what is waited for after them.
    """

    name: str
    columns: int
    rows: int
    keys: tuple[str, ...]
    shows: str
    then: tuple[str, ...] = ()
    at_last: str = ""


SHOTS = (
    Shot("fleet", 150, 40, (), FLEET),
    Shot("fleet-80x24", 80, 24, (), FLEET),
    Shot("gpus", 150, 40, ("z",), r"GPU use +\d[^\n]*peak"),
    Shot("logs", 120, 30, ("End", "l"), r"(?s)Log of[^\n]*following.*tokens/s"),
    Shot(
        "log-merged",
        120,
        30,
        ("/", "mlops", "Enter", "l"),
        r"Log of[^\n]*following",
        ("p",),
        r"(?m)^ +mlops-mlflow-1 +\S",
    ),
    Shot("container", 120, 30, ("/", "train", "Enter", "Enter"), r"1 Facts", ("2",), r"(?s)CPU.*[▁-█]{8}.*GPU memory"),
    Shot("links", 120, 30, ("/", "jupyter", "Enter", "b"), r"Links of jupyter[^\n]*(?s:.*)Jupyter +http"),
    Shot("presets", 120, 30, ("n",), r"What kind of container", (*["Down"] * 5,), r"pytorch/pytorch:\d"),
    Shot("run", 120, 40, ("n",), r"What kind of container", (*["Down"] * 3, "Enter"), r"(?s)Run a new.*--name jupyter"),
    Shot("volumes", 120, 30, ("V",), r"(?s)Volumes  \d.*checkpoints +[\d.]+ KiB"),
    Shot("files", 120, 30, ("/", "train", "Enter", "f"), r"(?s)train-\S+ on.*etc/.*usr/"),
    Shot("parts", 120, 30, ("/", "rag-redis", "Enter", "m"), r"Nothing stands in the way", ("o",), r"VOLUMES"),
    Shot("help", 120, 40, ("?",), r"On the selected container"),
)
# Of an image that holds something: the demo's own hold a file a layer.
HELD: tuple[Shot, ...] = (
    Shot("images", 150, 40, ("a",), r"(?s)Images  \d+.*MADE BY"),
    Shot("image", 150, 40, ("/", "rag-redis", "Enter", "w"), r"(?s)quay.io/tes.*Files of layer.*opt/"),
    Shot("image-waste", 150, 40, ("/", "rag-redis", "Enter", "w", "w"), r"(?s)quay.io/tes.*efficiency"),
    Shot(
        "compare",
        150,
        40,
        ("a", "/", "quay.io/test", "Enter"),
        r"(?s)base:1.*held:1",
        ("Space", "Down", "="),
        r"(?s)(?=.*opt/).*CONFIGURATION.*LAYERS",
    ),
)

HELD += tuple(
    replace(shot, name=f"{shot.name}-{columns}x{rows}", columns=columns, rows=rows)
    for shot in HELD
    if shot.name != "images"
    for columns, rows in ((80, 24), (200, 50))
)


def take(shot: Shot, folder: Path, environ: dict[str, str], program: Sequence[str] = (TRANSHIP,)) -> None:
    """Run the demo, press the keys, take the picture."""
    with (
        tempfile.TemporaryDirectory() as private,
        Terminal(
            [*program, "--demo"], columns=shot.columns, rows=shot.rows, cwd=ROOT, environ=environ,
            socket=Path(private) / "tmux",
        ) as terminal,
    ):  # fmt: skip
        terminal.wait(READY)
        terminal.wait(FLEET)
        for key in shot.keys:
            terminal.keys(key)
        terminal.wait(shot.shows)
        for key in shot.then:
            terminal.keys(key)
        terminal.wait(shot.at_last)
        terminal.picture(folder / f"{shot.name}.svg", "tranship")


def main(argv: Sequence[str]) -> int:
    """Take all pictures, or those named; the migration's only where the engines can be had. Returns the exit code."""
    FOLDER.mkdir(exist_ok=True)
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    for shot in SHOTS:
        if not argv or shot.name in argv:
            take(shot, FOLDER, environ)
    held = (sys.executable, "-m", "tests.e2e.held_demo")
    with tempfile.TemporaryDirectory() as cache:
        for shot in HELD:
            if not argv or shot.name in argv:
                take(shot, FOLDER, {**environ, "XDG_CACHE_HOME": cache}, held)
    if argv:
        return 0
    scenes = [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_scenes.py"]
    return subprocess.run(scenes, cwd=ROOT, env={**environ, "TRANSHIP_SHOTS": str(FOLDER)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
