"""Actions that reach into containers, volumes and networks: of the fleet, and of the screens for them. Data only."""

from __future__ import annotations

from backends.model.capabilities import Capability
from backends.model.container import ContainerState
from tui.action import Action, Scope

_RUNS = frozenset({ContainerState.RUNNING, ContainerState.UNKNOWN})

REACH_FLEET_ACTIONS: tuple[Action, ...] = (
    *(
        Action(id, title, (key,), Scope.CONTAINER, needs=Capability.EXEC, states=_RUNS, changes=True)
        for id, title, key in (
            ("container.shell", "Shell in it (Ctrl-P Ctrl-Q leaves)", "S"),
            ("container.attach", "Attach to its first process", "A"),
            ("container.exec", "Run a command in it", "x"),
        )
    ),
    Action("container.files", "Its files: browse, copy out and in", ("f",), Scope.CONTAINER, needs=Capability.FILES),
    Action("fleet.volumes", "All volumes of all engines", ("V",), Scope.FLEET),
    Action("fleet.networks", "All networks of all engines", ("W",), Scope.FLEET),
)

STORE_ACTIONS: tuple[Action, ...] = (
    Action("stores.open", "A volume's files, a network's facts", ("enter",), Scope.STORES, footer=0, short="open"),
    Action("stores.create", "Make a new one", ("c",), Scope.STORES, changes=True, footer=1, short="new"),
    *(
        Action(id, title, (key,), Scope.STORES, destructive=True, changes=True, footer=place, short=short)
        for id, title, key, place, short in (
            ("stores.remove", "Remove (asks first)", "d", 2, "remove"),
            ("stores.prune", "Remove unused ones (asks first)", "P", 3, "prune"),
        )
    ),
    Action("stores.filter", "Filter", ("slash",), Scope.STORES, footer=4, short="filter"),
    Action("stores.sort", "Sort by the next column", ("o",), Scope.STORES, footer=5, short="sort"),
    Action("stores.reverse", "Reverse the sort", ("O",), Scope.STORES),
    Action("stores.part", "The list, or the facts of one", ("tab",), Scope.STORES, footer=6, short="facts"),
)

FILE_ACTIONS: tuple[Action, ...] = (
    Action("files.open", "Open a folder", ("enter",), Scope.FILES, footer=0, short="open"),
    Action("files.up", "To the folder above", ("backspace", "h"), Scope.FILES, footer=1, short="up"),
    Action("files.out", "Copy out to this machine", ("c",), Scope.FILES, footer=2, short="copy out"),
    Action("files.in", "Copy in from this machine", ("i",), Scope.FILES, changes=True, footer=3, short="copy in"),
    Action("files.cancel", "Call the copy off", ("x",), Scope.FILES, footer=4, short="cancel"),
    Action("files.filter", "Filter", ("slash",), Scope.FILES, footer=5, short="filter"),
    Action("files.again", "Read the folder again", ("r",), Scope.FILES, footer=6, short="read again"),
)

EXEC_ACTIONS: tuple[Action, ...] = (
    Action("exec.again", "Run it again", ("r",), Scope.EXEC, changes=True, footer=1, short="again"),
    Action("exec.other", "Run another command", ("x",), Scope.EXEC, changes=True, footer=2, short="another"),
    Action("exec.follow", "Pause or follow", ("space",), Scope.EXEC, footer=3, short="pause/follow"),
)
