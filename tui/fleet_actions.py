"""Actions of the fleet: moving in its table, on its containers, on itself. Data only."""

from __future__ import annotations

from backends.model.capabilities import Capability
from backends.model.container import ContainerState
from tui.action import Action, Scope

_S = ContainerState
_RUNS = frozenset({_S.RUNNING, _S.RESTARTING, _S.UNKNOWN})
_ALIVE = frozenset({_S.RUNNING, _S.PAUSED, _S.RESTARTING, _S.STOPPING, _S.UNKNOWN})
_AT_REST = frozenset({_S.CREATED, _S.EXITED, _S.DEAD, _S.UNKNOWN})
_SETTLED = _AT_REST | _ALIVE

FLEET_ACTIONS: tuple[Action, ...] = (
    Action("table.up", "Row up", ("up", "k"), Scope.MOVE),
    Action("table.down", "Row down", ("down", "j"), Scope.MOVE),
    Action("table.page-up", "Page up", ("pageup",), Scope.MOVE),
    Action("table.page-down", "Page down", ("pagedown",), Scope.MOVE),
    Action("table.first", "First row", ("home",), Scope.MOVE),
    Action("table.last", "Last row", ("end",), Scope.MOVE),
    Action("table.left", "Columns to the left", ("left",), Scope.MOVE),
    Action("table.right", "Columns that did not fit", ("right",), Scope.MOVE),
    Action("table.mark", "Mark; actions mean all marked rows", ("space",), Scope.MOVE),
    Action("container.detail", "Details and inspect", ("enter",), Scope.CONTAINER, footer=2, short="details"),
    Action("container.logs", "Logs, followed", ("l",), Scope.CONTAINER, footer=3, short="logs"),
    Action(
        "container.migrate",
        "Migrate to another engine",
        ("m",),
        Scope.CONTAINER,
        states=_SETTLED,
        changes=True,
        footer=1,
        short="migrate",
    ),
    Action("container.start", "Start", ("u",), Scope.CONTAINER, states=_AT_REST, changes=True, footer=4, short="start"),
    Action("container.stop", "Stop", ("s",), Scope.CONTAINER, states=_ALIVE, changes=True, footer=5, short="stop"),
    Action(
        "container.restart",
        "Restart",
        ("r",),
        Scope.CONTAINER,
        states=_SETTLED - {_S.PAUSED, _S.DEAD},
        changes=True,
        footer=8,
        short="restart",
    ),
    Action(
        "container.pause",
        "Pause, or unpause a paused one",
        ("p",),
        Scope.CONTAINER,
        needs=Capability.PAUSE,
        states=_RUNS,
        changes=True,
        footer=11,
        short="pause",
    ),
    Action(
        "container.unpause",
        "Unpause",
        (),
        Scope.CONTAINER,
        needs=Capability.PAUSE,
        states=frozenset({_S.PAUSED, _S.UNKNOWN}),
        changes=True,
    ),
    Action(
        "container.kill",
        "Kill (asks first)",
        ("K",),
        Scope.CONTAINER,
        states=_ALIVE,
        destructive=True,
        changes=True,
        footer=13,
        short="kill",
    ),
    Action(
        "container.remove",
        "Remove (asks first)",
        ("d",),
        Scope.CONTAINER,
        states=_SETTLED,
        destructive=True,
        changes=True,
        footer=10,
        short="remove",
    ),
    Action(
        "container.rename",
        "Rename",
        ("R",),
        Scope.CONTAINER,
        needs=Capability.RENAME,
        states=_SETTLED,
        changes=True,
        footer=12,
        short="rename",
    ),
    Action("container.links", "Links: Jupyter, TensorBoard, any port", ("b",), Scope.CONTAINER),
    Action("container.copy_id", "Copy the container's id", ("y",), Scope.CONTAINER),
    Action("fleet.filter", "Filter rows", ("slash",), Scope.FLEET, footer=6, short="filter"),
    Action("fleet.clear", "Clear the filter", ("escape",), Scope.FLEET),
    Action("fleet.sort", "Sort by the next column", ("o",), Scope.FLEET, footer=14, short="sort"),
    Action("fleet.reverse", "Reverse the sort", ("O",), Scope.FLEET),
    Action("fleet.group", "Group by engine, by project, or not", ("g",), Scope.FLEET, footer=15, short="group"),
    Action("fleet.pane", "Next pane below the table", ("tab",), Scope.FLEET, footer=9, short="pane"),
    Action("fleet.gpus", "GPU pane", ("G",), Scope.FLEET),
    Action("fleet.gpu_screen", "GPUs in full (Enter on their pane)", ("z",), Scope.FLEET, footer=16, short="GPUs"),
    Action("fleet.idle", "Containers that hold GPU memory idly", ("I",), Scope.FLEET),
    Action("fleet.layers", "Image-layers pane", ("L",), Scope.FLEET),
    Action("fleet.image", "Image in full (Enter on its layers)", ("w",), Scope.FLEET),
    Action("fleet.images", "All images of all engines", ("a",), Scope.FLEET),
    Action("fleet.info", "Info pane", ("i",), Scope.FLEET),
    Action("fleet.moves", "Migrations, running and ended", ("M",), Scope.FLEET),
    Action("fleet.reconnect", "Try lost engines again now", ("ctrl+r",), Scope.FLEET),
)
