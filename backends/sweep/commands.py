"""From a grid or a file of commands to the runs of a sweep. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from backends.model.sweep import SweepRun

MOST_RUNS = 100_000
"""More are no sweep but a mistake in a range."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RANGE = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)(?:\.\.([0-9]+))?")


def read_axis(text: str) -> tuple[str, tuple[str, ...]]:
    """ "lr=0.1,0.01" or "seed=1..10" or "n=0..100..25". Raises ValueError, in words for people."""
    name, equals, values = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise ValueError(f"“{text}” is not NAME=VALUE,VALUE or NAME=FIRST..LAST")
    found: list[str] = []
    for word in values.split(","):
        match = _RANGE.fullmatch(word)
        if match is None:
            found.append(word)
            continue
        first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step == 0 or last < first or (last - first) // step >= MOST_RUNS:
            raise ValueError(f"“{word}” is no range: FIRST..LAST or FIRST..LAST..STEP, upwards")
        found += [str(number) for number in range(first, last + 1, step)]
    return name, tuple(found)


def from_grid(image: str, axes: Sequence[tuple[str, tuple[str, ...]]], command: Sequence[str]) -> list[SweepRun]:
    """A run for each combination, the last axis turning fastest. Raises ValueError for an axis that is said twice or
    not used, and for too many."""
    names = [name for name, _ in axes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is said twice")
        if not any(f"{{{name}}}" in word for word in command):
            raise ValueError(f"{name} is nowhere in the command: write {{{name}}} where its value belongs")
    count = 1
    for _, values in axes:
        count *= len(values)
    if count > MOST_RUNS:
        raise ValueError(f"{count} runs are too many: {MOST_RUNS} at most")
    points = [dict(zip(names, point, strict=True)) for point in product(*(values for _, values in axes))]
    return _numbered(image, ((tuple(_filled(word, point) for word in command), point) for point in points))


def from_lines(image: str, lines: Iterable[str]) -> list[SweepRun]:
    """A run for each line, as a shell would split it; empty ones and those that begin with # are passed over. Raises
    ValueError for a line that cannot be split."""
    commands: list[tuple[tuple[str, ...], Mapping[str, str]]] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            try:
                commands.append((tuple(shlex.split(text)), {}))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    return _numbered(image, commands)


def _filled(word: str, point: Mapping[str, str]) -> str:
    """In one pass, so that a value that looks like a name stays as it is; braces around other words stay too."""
    return re.sub(r"\{([A-Za-z0-9_-]+)\}", lambda match: point.get(match[1], match[0]), word)


def _numbered(image: str, commands: Iterable[tuple[tuple[str, ...], Mapping[str, str]]]) -> list[SweepRun]:
    """With ids; a command that stands there n times has n of them."""
    seen: Counter[tuple[str, ...]] = Counter()
    runs = []
    for number, (command, point) in enumerate(commands, 1):
        seen[command] += 1
        text = json.dumps([image, command, seen[command]])
        runs.append(SweepRun(hashlib.sha256(text.encode()).hexdigest()[:16], number, command, dict(point)))
    return runs


__all__ = ["MOST_RUNS", "from_grid", "from_lines", "read_axis"]
