"""A trial of one container: engines, rounds and the sign chosen by keys, then how far it is, then what it found.

Runs nothing itself; a trial goes on while this screen is closed, and is shown again by the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.trial import ReadyBy, TrialRequest
from tui.action import Scope
from tui.actions import bindings
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.trial_commands import Trial, TrialMoved
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import inert, paragraph
from widgets.trial_lines import progress_lines, result_lines

_ROUNDS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)
_SIGNS: dict[ReadyBy | None, str] = {
    None: "its health check, where all copies have one; else started",
    ReadyBy.RUNNING: "the engine says that it was started",
    ReadyBy.PORT: "a program in it listens to a TCP port",
    ReadyBy.HEALTH: "its health check passes",
}
_MEANT = (
    "Copies under names of their own are created, started, stopped and removed on each engine in turn, with copies of "
    "its volumes and free ports. The container itself is only read, and nothing of the copies stays."
)


def choices(view: FleetView, own: EngineId) -> list[tuple[EngineId, ...]]:
    """Sets of connected engines to choose from, the container's own first in each; all together first."""
    found = sorted(id for id, engine in view.engines.items() if not engine.stale and id != own)
    sets = [some for count in range(len(found), -1, -1) for some in combinations(found, count)]
    return [(own, *some) for some in sets]


def _words(trial: Trial | None) -> dict[str, str]:
    """What the keys do not do now: "" by action id."""
    if trial is not None and trial.runs:
        return dict.fromkeys(
            ("trial.run", "trial.engines", "trial.more", "trial.fewer", "trial.sign", "trial.write"), ""
        )
    return dict.fromkeys(("trial.off",) if trial is not None and trial.report else ("trial.off", "trial.write"), "")


class TrialScreen(SubScreen):
    """container: whose workload is measured."""

    SCOPES: ClassVar = (Scope.TRIAL,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.TRIAL)
    AUTO_FOCUS = "#trial"

    def __init__(self, container: Container) -> None:
        super().__init__()
        self._container = container
        self._engines = 0
        self._rounds = _ROUNDS.index(10)
        self._sign: ReadyBy | None = None

    def compose(self) -> ComposeResult:
        """Title, one pane, keys."""
        yield TitleBar("Trial")
        yield LinesPane(id="trial")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what is known of it."""
        self.show_modes()
        trial = self._trial()
        if trial is not None:
            trial.reply = self.post_message
        self._draw()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {
            "trial.run": self._run,
            "trial.engines": self._next_engines,
            "trial.more": lambda: self._turn_rounds(1),
            "trial.fewer": lambda: self._turn_rounds(-1),
            "trial.sign": self._next_sign,
            "trial.off": self._off,
            "trial.write": self._write,
        }

    def show_view(self, view: FleetView) -> None:
        """Engines come and go: the choice is among those that are there."""
        del view
        if self.is_mounted and self._trial() is None:
            self._draw()

    @on(TrialMoved)
    def _moved(self) -> None:
        self._draw()

    def _trial(self) -> Trial | None:
        return self.tranship.commands.trials.of(self._container.key)

    # -- what is chosen --------------------------------------------------------------------------
    def _chosen(self) -> tuple[EngineId, ...]:
        sets = choices(self.tranship.view, self._container.key.engine)
        return sets[self._engines % len(sets)]

    def _next_engines(self) -> None:
        self._engines += 1
        self._change()

    def _turn_rounds(self, by: int) -> None:
        self._rounds = min(len(_ROUNDS) - 1, max(0, self._rounds + by))
        self._change()

    def _next_sign(self) -> None:
        signs = list(_SIGNS)
        self._sign = signs[(signs.index(self._sign) + 1) % len(signs)]
        self._change()

    def _change(self) -> None:
        """A new choice takes the place of a result; what runs is not touched."""
        trial = self._trial()
        if trial is not None and trial.runs:
            self.tranship.refuse("It is under way: x calls it off.")
            return
        self._draw(chosen=True)

    # -- what is done ----------------------------------------------------------------------------
    def _run(self) -> None:
        request = TrialRequest(self._chosen(), _ROUNDS[self._rounds], self._sign)
        self.tranship.commands.trials.run(self._container, request, self.post_message)
        self._draw()

    def _off(self) -> None:
        trial = self._trial()
        if trial is None or not trial.runs:
            self.tranship.refuse("No trial of this container is under way.")
            return
        self.tranship.commands.trials.call_off(trial)

    def _write(self) -> None:
        trial = self._trial()
        if trial is None or trial.report is None:
            self.tranship.refuse("There is no report yet: Enter begins a trial.")
            return
        stem = f"trial-{self._container.name}-{trial.report.began_at:%Y%m%d-%H%M%S}.md"
        self.tranship.commands.trials.write(trial, Path.cwd() / stem.replace("/", "-"))

    # -- what is seen ----------------------------------------------------------------------------
    def _draw(self, *, chosen: bool = False) -> None:
        trial = None if chosen else self._trial()
        name = inert(self._container.name)
        state = (
            "choose" if trial is None else "under way" if trial.runs else "called off" if trial.called_off else "done"
        )
        if trial is not None and trial.error is not None:
            state = "failed"
        self.query_one(TitleBar).show(f"Trial of {name} · {state}")
        self.query_one(KeyBar).say(_words(trial))
        self.query_one("#trial", LinesPane).show_built(lambda width: self._lines(trial, width))

    def _lines(self, trial: Trial | None, width: int) -> list[Line]:
        if trial is None:
            return self._choice_lines(width)
        if trial.runs:
            return progress_lines(trial.progress, trial.request.rounds, trial.request.engines, width)
        lines: list[Line] = []
        if trial.written:
            lines += [*paragraph(f"The report is in {trial.written}", Tone.OK, width), BLANK]
        if trial.report is not None:
            return lines + result_lines(trial.report, width)
        if trial.error is not None:
            lines += paragraph(str(trial.error), Tone.BAD, width)
            lines += paragraph(trial.error.hint, Tone.PLAIN, width) if trial.error.hint else []
        else:
            lines += paragraph("Called off: all that it made is removed.", Tone.PLAIN, width)
        return [*lines, BLANK, *self._choice_lines(width)]

    def _choice_lines(self, width: int) -> list[Line]:
        rows = (
            ("engines", ", ".join(id.name for id in self._chosen()), "t"),
            ("rounds", f"{_ROUNDS[self._rounds]} on each, in alternating order", "+ −"),
            ("ready when", _SIGNS[self._sign], "s"),
        )
        lines = [*paragraph(_MEANT, Tone.DIM, width), BLANK]
        for title, value, key in rows:
            lines.append(line((f"  {title:12}", Tone.DIM), (inert(value), Tone.STRONG), (f"  {key}", Tone.ACCENT)))
        return [*lines, BLANK, line(("  Enter begins.", Tone.PLAIN))]
