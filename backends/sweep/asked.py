"""A sweep as a person types it, field by field, read into runs and numbers. Reads files; blocks on the disk."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.sweep import MOST_GPUS_EACH, MOST_JOBS, MOST_RETRIES, SweepRun
from backends.model.typed import wrong_number
from backends.sweep.commands import from_grid, from_lines, read_axis
from backends.sweep.results import done_in

Texts = Mapping[str, Sequence[str]]
"""By field: image, command, grid (an axis in each), commands (a file), jobs, gpus_each, retries, out (a file)."""
Place = tuple[str, int]
"""A field, and which of its texts."""

_NUMBERS = {"jobs": (1, 1, MOST_JOBS), "gpus_each": (0, 0, MOST_GPUS_EACH), "retries": (0, 0, MOST_RETRIES)}
"""Where nothing is said, least, most."""
RESULTS = "sweep.jsonl"


@dataclass(frozen=True, slots=True)
class AskedSweep:
    """What was read. wrong: why a text cannot be read. said: what a field comes to, where that is worth a word.

    done: ids of the runs that the file of results has as done.
    """

    image: str = ""
    runs: tuple[SweepRun, ...] = ()
    jobs: int = 1
    gpus_each: int = 0
    retries: int = 0
    out: Path = Path(RESULTS)
    done: frozenset[str] = frozenset()
    wrong: Mapping[Place, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def left(self) -> tuple[SweepRun, ...]:
        """Those that are not done yet."""
        return tuple(one for one in self.runs if one.id not in self.done)


def read_asked(texts: Texts, folder: Path) -> AskedSweep:
    """Read it. folder: where files lie that are named without one."""
    wrong: dict[Place, str] = {}
    said: dict[str, str] = {}
    image = _one(texts, "image")
    if not image:
        wrong["image", 0] = "an image is needed"
    numbers = {name: _number(texts, name, wrong) for name in _NUMBERS}
    runs = _runs(texts, image, folder, wrong)
    out = folder / os.path.expanduser(_one(texts, "out") or RESULTS)
    done = _done(out, wrong)
    if runs:
        ours = sum(one.id in done for one in runs)
        said["commands" if _one(texts, "commands") else "grid"] = _count(len(runs))
        if ours:
            said["out"] = f"{ours} of them {'is' if ours == 1 else 'are'} done there: {_count(len(runs) - ours)} left"
        elif done:
            said["out"] = "none of these is done there; it is appended to"
    return AskedSweep(image, tuple(runs), **numbers, out=out, done=done, wrong=wrong, said=said)


def _one(texts: Texts, name: str) -> str:
    return next((text.strip() for text in texts.get(name, ()) if text.strip()), "")


def _count(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def _number(texts: Texts, name: str, wrong: dict[Place, str]) -> int:
    usual, least, most = _NUMBERS[name]
    text = _one(texts, name)
    if not text:
        return usual
    said = wrong_number(text, least, most)
    if said:
        wrong[name, 0] = said
    return usual if said else int(text)


def _runs(texts: Texts, image: str, folder: Path, wrong: dict[Place, str]) -> list[SweepRun]:
    axes, file, command = [*texts.get("grid", ())], _one(texts, "commands"), _one(texts, "command")
    if bool(axes) == bool(file):
        wrong["grid" if not file else "commands", 0] = "a grid and a command, or a file of commands: one of both"
        return []
    if file:
        return _from_file(image, folder / os.path.expanduser(file), command, wrong)
    read = []
    for place, text in enumerate(axes):
        try:
            read.append(read_axis(text.strip()))
        except ValueError as error:
            wrong["grid", place] = str(error)
    try:
        words = shlex.split(command)
    except ValueError as error:
        wrong["command", 0] = f"no shell could split it: {error}"
        return []
    if not words:
        wrong["command", 0] = "a command is needed, with {NAME} where a value belongs"
    if wrong.keys() & {(name, place) for name in ("grid", "command") for place in range(max(1, len(axes)))}:
        return []
    try:
        return from_grid(image, read, words)
    except ValueError as error:
        wrong["grid", 0] = str(error)
        return []


def _from_file(image: str, path: Path, command: str, wrong: dict[Place, str]) -> list[SweepRun]:
    if command:
        wrong["command", 0] = "the commands come from the file"
        return []
    try:
        runs = from_lines(image, path.read_text("utf-8").splitlines())
    except (ValueError, OSError) as error:
        wrong["commands", 0] = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        return []
    if not runs:
        wrong["commands", 0] = "it has no command"
    return runs


def _done(path: Path, wrong: dict[Place, str]) -> frozenset[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return done_in(file)
    except FileNotFoundError:
        if not path.parent.is_dir():
            wrong["out", 0] = f"there is no folder {path.parent}"
        return frozenset()
    except OSError as error:
        wrong["out", 0] = error.strerror or str(error)
        return frozenset()


__all__ = ["RESULTS", "AskedSweep", "Place", "Texts", "read_asked"]
