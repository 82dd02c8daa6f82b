"""Actions that reach into containers, volumes and networks: of the fleet, and of the screens for them. Data only."""

from __future__ import annotations

from backends.model.container import ContainerState
from tui.action import Action, Scope

_RUNS = frozenset({ContainerState.RUNNING, ContainerState.UNKNOWN})

REACH_FLEET_ACTIONS: tuple[Action, ...] = (
    Action(
        "container.shell", "Shell in it (Ctrl-P Ctrl-Q leaves)", ("S",), Scope.CONTAINER, states=_RUNS, changes=True
    ),
    Action("container.attach", "Attach to its first process", ("A",), Scope.CONTAINER, states=_RUNS, changes=True),
    Action("container.exec", "Run a command in it", ("x",), Scope.CONTAINER, states=_RUNS, changes=True),
)

EXEC_ACTIONS: tuple[Action, ...] = (
    Action("exec.again", "Run it again", ("r",), Scope.EXEC, changes=True, footer=1, short="again"),
    Action("exec.other", "Run another command", ("x",), Scope.EXEC, changes=True, footer=2, short="another"),
    Action("exec.follow", "Pause or follow", ("space",), Scope.EXEC, footer=3, short="pause/follow"),
)
