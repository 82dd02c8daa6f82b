"""What is chosen for a trial, and how it reads: rounds, sign, command, density. Asks nothing, runs nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import combinations

from backends.model.capabilities import Capability
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.trial import ReadyBy, TrialRequest
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert, paragraph

_ROUNDS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)
_SIGNS: dict[ReadyBy | None, str] = {
    None: "healthy, where all copies have a check; else started",
    ReadyBy.RUNNING: "the engine says that it was started",
    ReadyBy.PORT: "a program in it listens to a TCP port",
    ReadyBy.HEALTH: "its health check passes",
    ReadyBy.LOG: "a line of its log matches",
}
_MEANT = (
    "Copies under names of their own are created, started, stopped and removed on each engine in turn, with copies of "
    "its volumes and free ports. The container itself is only read, and nothing of the copies stays."
)
MOST_RUNS, MOST_COPIES, LONGEST_S = 10_000, 1_000, 86_400


def engine_sets(view: FleetView, own: EngineId) -> list[tuple[EngineId, ...]]:
    """Sets of connected engines to choose from, the container's own first in each; all together first."""
    found = [id for id in view.offering(Capability.RECIPES) if id != own]
    sets = [some for count in range(len(found), -1, -1) for some in combinations(found, count)]
    return [(own, *some) for some in sets]


@dataclass(slots=True)
class TrialChoices:
    """What a person chose so far. command: as a shell would split it; no shell is added."""

    rounds_at: int = _ROUNDS.index(10)
    sign: ReadyBy | None = None
    pattern: str = ""
    command: str = ""
    runs: int = 3
    density: int = 0
    limit_s: int = 120

    def turn_rounds(self, by: int) -> None:
        """More rounds, or fewer."""
        self.rounds_at = min(len(_ROUNDS) - 1, max(0, self.rounds_at + by))

    def next_sign(self) -> None:
        """The next sign of readiness; a line of the log only where a pattern is said."""
        signs = [sign for sign in _SIGNS if sign is not ReadyBy.LOG or self.pattern]
        self.sign = signs[(signs.index(self.sign) + 1) % len(signs)]

    def take_pattern(self, text: str) -> None:
        """A line that matches it makes a copy ready; "" = the usual sign again."""
        self.pattern, self.sign = text, ReadyBy.LOG if text else None

    def request(self, engines: tuple[EngineId, ...]) -> TrialRequest:
        """What is to be measured on these engines."""
        pattern = self.pattern if self.sign is ReadyBy.LOG else ""
        return TrialRequest(
            engines,
            _ROUNDS[self.rounds_at],
            self.sign,
            pattern,
            tuple(shlex.split(self.command)),
            self.runs,
            self.density,
            float(self.limit_s),
        )

    def lines(self, engines: tuple[EngineId, ...], width: int) -> list[Line]:
        """What is chosen, each with its key."""
        sign = f"{_SIGNS[self.sign]} {self.pattern}" if self.sign is ReadyBy.LOG else _SIGNS[self.sign]
        rows = (
            ("engines", ", ".join(id.name for id in engines), "t"),
            ("rounds", f"{_ROUNDS[self.rounds_at]} on each, in alternating order", "+ −"),
            ("ready when", sign, "s, p"),
            ("ready within", f"{self.limit_s} s", "l"),
            ("command", self.command or "none is run in it", "c"),
            *((("runs of it", f"{self.runs} in each round", "r"),) if self.command else ()),
            ("density", f"up to {self.density} idle copies" if self.density else "is not tried", "d"),
        )
        lines = [*paragraph(_MEANT, Tone.DIM, width), BLANK]
        for title, value, key in rows:
            lines.append(line((f"  {title:13}", Tone.DIM), (inert(value), Tone.STRONG), (f"  {key}", Tone.ACCENT)))
        return [*lines, BLANK, line(("  Enter begins.", Tone.PLAIN))]


def wrong_command(text: str) -> str:
    """What is wrong with a command, "" where nothing is."""
    try:
        shlex.split(text)
    except ValueError as error:
        return f"no shell could split it: {error}"
    return ""


__all__ = [
    "LONGEST_S", "MOST_COPIES", "MOST_RUNS", "TrialChoices", "engine_sets", "wrong_command",
]  # fmt: skip
