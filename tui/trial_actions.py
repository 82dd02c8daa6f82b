"""Actions of the trial's screen. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

TRIAL_ACTIONS: tuple[Action, ...] = (
    Action("trial.run", "Begin", ("enter",), Scope.TRIAL, changes=True, footer=1, short="begin"),
    Action("trial.engines", "Next choice of engines", ("t",), Scope.TRIAL, footer=4, short="engines"),
    Action("trial.more", "More rounds", ("plus",), Scope.TRIAL, footer=5, short="more rounds"),
    Action("trial.fewer", "Fewer rounds", ("minus",), Scope.TRIAL, footer=6, short="fewer"),
    Action("trial.sign", "What makes a copy ready", ("s",), Scope.TRIAL, footer=7, short="ready sign"),
    Action("trial.command", "A command that is run in it, and timed", ("c",), Scope.TRIAL, footer=8, short="command"),
    Action("trial.runs", "Runs of the command in each round", ("r",), Scope.TRIAL),
    Action("trial.density", "Density: how many idle copies", ("d",), Scope.TRIAL, footer=9, short="density"),
    Action("trial.pattern", "A line of its log that makes it ready", ("p",), Scope.TRIAL, footer=10, short="log line"),
    Action("trial.limit", "How long it may take to be ready", ("l",), Scope.TRIAL),
    Action("trial.off", "Call it off; all that it made is removed", ("x",), Scope.TRIAL, footer=2, short="cancel"),
    Action("trial.write", "Write the report as Markdown", ("w",), Scope.TRIAL, footer=3, short="write"),
)
