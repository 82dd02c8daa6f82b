"""Actions of the form for a new container. Data only; its keys are such as no text needs."""

from __future__ import annotations

from tui.action import Action, Scope

RUN_ACTIONS: tuple[Action, ...] = (
    Action("run.start", "Check, create and start it", ("ctrl+s",), Scope.RUN, changes=True, footer=1, short="run"),
    Action("run.gpus", "Choose its GPUs", ("ctrl+g",), Scope.RUN, footer=2, short="GPUs"),
    Action("run.preset", "Fill in a preset", ("ctrl+o",), Scope.RUN, footer=3, short="preset"),
    Action("run.copy", "Copy the engine's own line", ("ctrl+y",), Scope.RUN, footer=4, short="copy line"),
)
