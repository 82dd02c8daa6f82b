"""Actions of the sweeps' screens. Data only; the form's keys are such as no text needs."""

from __future__ import annotations

from tui.action import Action, Scope

SWEEP_FLEET_ACTIONS: tuple[Action, ...] = (
    Action("fleet.sweeps", "Sweeps: an image over a grid of commands", ("B",), Scope.FLEET),
)
SWEEP_ACTIONS: tuple[Action, ...] = (
    Action("sweep.stop", "No further run; again: end those that run", ("x",), Scope.SWEEP, footer=1, short="stop"),
    Action("sweep.new", "Another sweep", ("n",), Scope.SWEEP, changes=True, footer=2, short="new"),
    Action("sweep.bad", "Only runs that failed, or all", ("f",), Scope.SWEEP, footer=3, short="failed only"),
    Action("sweep.next", "The next sweep of this session", ("t",), Scope.SWEEP, footer=4, short="next sweep"),
    Action("sweep.part", "Between the runs and the one in full", ("tab",), Scope.SWEEP),
)
SWEEP_FORM_ACTIONS: tuple[Action, ...] = (
    Action("sweep.start", "Check it and begin", ("ctrl+s",), Scope.SWEEP_FORM, changes=True, footer=1, short="begin"),
)
