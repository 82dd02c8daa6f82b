"""A trial of one container: engines, rounds and the sign chosen by keys, then how far it is, then what it found.

Runs nothing itself; a trial goes on while this screen is closed, and is shown again by the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.typed import wrong_number
from backends.trial.ready import wrong_pattern
from tui.action import Scope
from tui.actions import bindings
from tui.here import here
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.trial_choices import (
    LONGEST_S,
    MOST_COPIES,
    MOST_RUNS,
    TrialChoices,
    engine_sets,
    wrong_command,
)
from tui.trial_commands import Trial, TrialMoved
from widgets.dialogs import InputDialog
from widgets.line import BLANK, Line, Tone
from widgets.lines_pane import LinesPane
from widgets.text import inert, paragraph
from widgets.trial_lines import progress_lines, result_lines

_CHOOSING = (
    "trial.run", "trial.engines", "trial.more", "trial.fewer", "trial.sign", "trial.pattern", "trial.limit",
    "trial.command", "trial.runs", "trial.density",
)  # fmt: skip


def _words(trial: Trial | None) -> dict[str, str]:
    """What the keys do not do now: "" by action id."""
    if trial is not None and trial.runs:
        return dict.fromkeys((*_CHOOSING, "trial.write"), "")
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
        self._choices = TrialChoices()

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
            "trial.more": lambda: self._change(partial(self._choices.turn_rounds, 1)),
            "trial.fewer": lambda: self._change(partial(self._choices.turn_rounds, -1)),
            "trial.sign": lambda: self._change(self._choices.next_sign),
            "trial.pattern": self._ask_pattern,
            "trial.limit": self._ask_limit,
            "trial.command": self._ask_command,
            "trial.runs": self._ask_runs,
            "trial.density": self._ask_density,
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
        sets = engine_sets(self.tranship.view, self._container.key.engine)
        return sets[self._engines % len(sets)]

    def _next_engines(self) -> None:
        def turn() -> None:
            self._engines += 1

        self._change(turn)

    def _change(self, change: Callable[[], None]) -> None:
        """A new choice takes the place of a result; what runs is not touched."""
        if not self._refused():
            change()
            self._draw(chosen=True)

    def _refused(self) -> bool:
        trial = self._trial()
        if trial is None or not trial.runs:
            return False
        self.tranship.refuse("It is under way: x cancels it.")
        return True

    def _ask(self, title: str, value: str, note: str, wrong: Callable[[str], str], take: Callable[[str], None]) -> None:
        def taken(text: str | None) -> None:
            if text is not None:
                self._change(partial(take, text.strip()))

        if not self._refused():
            self.app.push_screen(InputDialog(title, value=value, note=note, validate=wrong), taken)

    def _ask_pattern(self) -> None:
        note = "A regular expression; empty = the usual sign"
        take = self._choices.take_pattern
        self._ask("A line of its log that makes it ready", self._choices.pattern, note, wrong_pattern, take)

    def _ask_command(self) -> None:
        note = "Run in each copy and timed; no shell is added. Empty = none"
        take = partial(setattr, self._choices, "command")
        self._ask("A command that is run in it", self._choices.command, note, wrong_command, take)

    def _ask_number(self, name: str, title: str, note: str, least: int, most: int) -> None:
        def take(text: str) -> None:
            setattr(self._choices, name, int(text))

        value = str(getattr(self._choices, name))
        self._ask(title, value, note, lambda text: wrong_number(text.strip(), least, most), take)

    def _ask_limit(self) -> None:
        self._ask_number("limit_s", "Ready within how many seconds", "Else the trial fails", 1, LONGEST_S)

    def _ask_runs(self) -> None:
        note = "Their median is the reading" if self._choices.command else "c says which command"
        self._ask_number("runs", "Runs of the command in each round", note, 1, MOST_RUNS)

    def _ask_density(self) -> None:
        note = "Started one after the other until memory or starts degrade; 0 = not tried"
        self._ask_number("density", "Idle copies at the utmost", note, 0, MOST_COPIES)

    # -- what is done ----------------------------------------------------------------------------
    def _run(self) -> None:
        request = self._choices.request(self._chosen())
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
        self.tranship.commands.trials.write(trial, here() / stem.replace("/", "-"))

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
            return self._choices.lines(self._chosen(), width)
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
        return [*lines, BLANK, *self._choices.lines(self._chosen(), width)]
