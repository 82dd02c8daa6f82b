"""What runs in a demo container: a few words of shell, or an endless workload. Pure: all follows from its run time."""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.engines.demo_chatter import CHATTER
from backends.model.container import LogStream

KEPT_LINES = 400
"""An endless workload's log keeps so many lines, as a log driver with rotation does."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line. after_s: seconds of running before it was written."""

    after_s: float
    stream: LogStream
    text: str


class Program(Protocol):
    """A workload's course in time, counted in seconds of running."""

    @property
    def exit(self) -> tuple[float, int] | None:
        """When it ends by itself, and its exit code; None where it runs for ever."""

    @property
    def term_code(self) -> int:
        """Its exit code when it is asked to stop."""

    def lines(self, since_s: float, until_s: float) -> Iterator[Said]:
        """What it says after since_s and until until_s, in order."""


@dataclass(frozen=True, slots=True)
class Script:
    """A course that is known from its start: what a few words of shell do. They ignore SIGTERM, as pid 1 does."""

    said: tuple[Said, ...]
    exit: tuple[float, int] | None
    term_code: int = 137

    def lines(self, since_s: float, until_s: float) -> Iterator[Said]:
        """See Program."""
        return (line for line in self.said if since_s < line.after_s <= until_s)


@dataclass(frozen=True, slots=True)
class Endless:
    """A workload that talks in its own way every period_s. topic: a key of CHATTER. ends: as Program.exit."""

    topic: str
    period_s: float
    seed: int = 0
    exit: tuple[float, int] | None = None
    term_code: int = 0

    def lines(self, since_s: float, until_s: float) -> Iterator[Said]:
        """See Program."""
        until = min(until_s, self.exit[0]) if self.exit else until_s
        last = int(until / self.period_s)
        first = max(int(since_s / self.period_s) + 1, last - KEPT_LINES + 1, 1)
        talk = CHATTER[self.topic]
        for number in range(first, last + 1):
            stream, text = talk(number, random.Random(self.seed * 1_000_003 + number))
            yield Said(number * self.period_s, stream, text)
        if self.exit is not None and since_s < self.exit[0] <= until_s and self.exit[1] != 0:
            yield Said(self.exit[0], LogStream.STDERR, f"process ended with code {self.exit[1]}")


def parse(argv: Sequence[str], *, topic: str = "quiet", period_s: float = 10.0, seed: int = 0) -> Program:
    """The program of a command line.

    `sh -c "echo A; echo B >&2; sleep N; exit N"` and a plain `sleep N`, `echo A`, `true`, `false` do what they say;
    anything else is an endless workload of the topic.
    """
    words = [word.rsplit("/", 1)[-1] if position == 0 else word for position, word in enumerate(argv)]
    if len(words) >= 3 and words[0] in {"sh", "bash"} and words[1] == "-c":
        return _script(words[2]) or Endless(topic, period_s, seed)
    return _script(shlex.join(words)) or Endless(topic, period_s, seed)


def _script(text: str) -> Script | None:
    """The course of a script; None where it has a word that is not known here."""
    said: list[Said] = []
    now_s, code = 0.0, 0
    for statement in text.replace("\n", ";").replace("&&", ";").split(";"):
        try:
            words = shlex.split(statement)
        except ValueError:
            return None
        match words:
            case []:
                continue
            case ["echo", *rest]:
                code = 0
                stream = LogStream.STDERR if rest[-1:] == [">&2"] else LogStream.STDOUT
                shown = rest[:-1] if stream is LogStream.STDERR else rest
                # Two lines of one moment keep their order by a microsecond, and the first one is after 0.
                said.append(Said(now_s + (len(said) + 1) * 1e-6, stream, " ".join(shown)))
            case ["exec", "sleep", span] | ["sleep", span]:
                code = 0
                if span in {"infinity", "inf"}:
                    return Script(tuple(said), None)
                if not span.replace(".", "", 1).isdigit():
                    return None
                now_s += float(span)
            case ["exit", number] if number.isdigit():
                return Script(tuple(said), (now_s + 1e-3, int(number)))
            case ["true"]:
                code = 0
            case ["false"]:
                code = 1
            case _:
                return None
    return Script(tuple(said), (now_s + 1e-3, code))
