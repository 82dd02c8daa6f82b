"""The one registry of actions: bindings, footer, help, palette, read-only mode and README's keys derive from it.

Knows no screen and no widget; may not act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding, BindingType

from backends.model.capabilities import Capabilities, Capability
from backends.model.container import Container, ContainerState

_S = ContainerState
_RUNS = frozenset({_S.RUNNING, _S.RESTARTING, _S.UNKNOWN})
_ALIVE = frozenset({_S.RUNNING, _S.PAUSED, _S.RESTARTING, _S.STOPPING, _S.UNKNOWN})
_AT_REST = frozenset({_S.CREATED, _S.EXITED, _S.DEAD, _S.UNKNOWN})
_SETTLED = _AT_REST | _ALIVE


class Scope(StrEnum):
    """Where an action applies; the value is the heading in help and README."""

    MOVE = "Moving"  # bound by the table itself; the ids are its bindings'
    CONTAINER = "On the selected container"
    FLEET = "The fleet"
    GPUS = "On the GPU screen"
    IMAGES = "On the images screen"
    IMAGE = "On the screen of one image"
    DETAIL = "In the details"
    LOGS = "In the log"
    MIGRATE = "In a migration"
    BACK = "On any screen but the fleet"
    APP = "Everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can ask for.

    id: stable, what a keymap overrides ("container.stop"). keys: as Textual names them, the first is shown.
    needs: the capability that the engine must have. states: of the container in which it makes sense, None = any.
    destructive: loses something, so it is confirmed by name. changes: is refused in read-only mode.
    footer: place in the footer, low first; None = not there. short: its word in the footer.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    scope: Scope
    needs: Capability | None = None
    states: frozenset[ContainerState] | None = None
    destructive: bool = False
    changes: bool = False
    footer: int | None = None
    short: str = ""


ACTIONS: tuple[Action, ...] = (
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
    Action("gpus.part", "Next part: GPUs, processes, containers", ("tab",), Scope.GPUS, footer=2, short="part"),
    Action("gpus.span", "Last 5 minutes, or the last hour", ("h",), Scope.GPUS, footer=1, short="5 min/1 h"),
    Action("gpus.only", "Of the selected GPU only, or of all", ("a",), Scope.GPUS, footer=3, short="one/all"),
    Action("gpus.idle", "Only those that hold memory idly", ("I",), Scope.GPUS, footer=4, short="idle"),
    Action("gpus.open", "Details of the row's container", ("enter",), Scope.GPUS, footer=5, short="details"),
    Action("gpus.logs", "Logs of the row's container", ("l",), Scope.GPUS, footer=9, short="logs"),
    Action(
        "gpus.stop", "Stop the row's container (asks first)", ("s",), Scope.GPUS, changes=True, footer=6, short="stop"
    ),
    Action("images.open", "The image in full: layers and files", ("enter",), Scope.IMAGES, footer=0, short="open"),
    Action("images.copy", "Copy elsewhere (asks first)", ("c",), Scope.IMAGES, changes=True, footer=1, short="copy"),
    *(
        Action(id, title, (key,), Scope.IMAGES, destructive=True, changes=True, footer=place, short=short)
        for id, title, key, place, short in (
            ("images.remove", "Remove (asks first)", "d", 2, "remove"),
            ("images.prune", "Remove unused ones (asks first)", "P", 3, "prune"),
        )
    ),
    Action("images.tag", "Give one more name", ("t",), Scope.IMAGES, changes=True, footer=4, short="tag"),
    Action("images.untag", "Take a name away", ("T",), Scope.IMAGES, changes=True, footer=9, short="untag"),
    Action("images.filter", "Filter", ("slash",), Scope.IMAGES, footer=5, short="filter"),
    Action("images.sort", "Sort by the next column", ("o",), Scope.IMAGES, footer=6, short="sort"),
    Action("images.reverse", "Reverse the sort", ("O",), Scope.IMAGES),
    Action("images.part", "Images, or the layers of one", ("tab",), Scope.IMAGES, footer=7, short="layers"),
    Action("images.cancel", "Call the copy of the image off", ("x",), Scope.IMAGES, changes=True),
    Action("image.part", "Steps, or files", ("tab",), Scope.IMAGE, footer=1, short="part"),
    Action("image.open", "Files of the step; open or close a folder", ("enter",), Scope.IMAGE, footer=2, short="open"),
    Action("image.whole", "Of the layer only, or of the whole image", ("a",), Scope.IMAGE, footer=3, short="layer/all"),
    Action("image.changes", "Only what the layer changed, or all", ("c",), Scope.IMAGE, footer=6, short="changes"),
    Action("image.waste", "What is wasted, or files", ("w",), Scope.IMAGE, footer=4, short="waste"),
    Action("image.sort", "By size, or by name", ("o",), Scope.IMAGE, footer=7, short="sort"),
    Action("image.filter", "Filter by path", ("slash",), Scope.IMAGE, footer=5, short="filter"),
    Action("logs.follow", "Pause or follow", ("space",), Scope.LOGS, footer=1, short="pause/follow"),
    Action("logs.search", "Search", ("slash",), Scope.LOGS, footer=2, short="search"),
    Action("logs.next", "Next line found", ("n",), Scope.LOGS, footer=3, short="next"),
    Action("logs.previous", "Previous line found", ("N",), Scope.LOGS, footer=4, short="previous"),
    Action("detail.reload", "Read again", ("r",), Scope.DETAIL, footer=1, short="read again"),
    Action("migrate.run", "Run the plan (asks first)", ("enter",), Scope.MIGRATE, changes=True, footer=1, short="run"),
    Action("migrate.target", "Next target engine", ("t",), Scope.MIGRATE, changes=True, footer=2, short="target"),
    Action("migrate.name", "Name of the copy", ("n",), Scope.MIGRATE, changes=True, footer=3, short="name"),
    *(
        Action(id, title, (key,), Scope.MIGRATE, changes=True)
        for id, title, key in (
            ("migrate.layer", "Changed files: leave, image, copy", "f"),
            ("migrate.volumes", "Volumes: copy, share, leave empty", "v"),
            ("migrate.ports", "Ports: the same, any free, others", "p"),
            ("migrate.gpus", "GPUs: choose those of the copy", "g"),
            ("migrate.defaults", "Defaults: as before, the target's", "d"),
            ("migrate.way", "Image: as fits, archive, layers", "i"),
            ("migrate.source", "Source: stopped, or runs on", "s"),
            ("migrate.live", "Copying: before the stop, or after", "l"),
        )
    ),
    Action(
        "migrate.cancel",
        "Cancel a migration (asks first)",
        ("x",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="cancel",
    ),
    Action(
        "migrate.accept",
        "Accept a finished move (asks first)",
        ("c",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="accept",
    ),
    Action(
        "migrate.remove",
        "Accept, remove source (asks first)",
        ("D",),
        Scope.MIGRATE,
        destructive=True,
        changes=True,
        footer=6,
        short="remove source",
    ),
    Action(
        "migrate.undo",
        "Undo a finished move (asks first)",
        ("u",),
        Scope.MIGRATE,
        destructive=True,
        changes=True,
        footer=5,
        short="undo",
    ),
    Action("migrate.again", "Plan again", ("a",), Scope.MIGRATE, changes=True, footer=7, short="plan again"),
    Action("app.error", "Details of the last failure", ("e",), Scope.APP),
    Action("app.help", "Help", ("question_mark",), Scope.APP, footer=0, short="help"),
    Action("app.palette", "Command palette", ("ctrl+p", "colon"), Scope.APP),
    Action("app.theme", "Dark or light", ("ctrl+t",), Scope.APP),
    Action("app.back", "Back to the fleet", ("escape", "q"), Scope.BACK, footer=8, short="back"),
    Action("app.quit", "Quit", ("q", "ctrl+q"), Scope.APP, footer=7, short="quit"),
)

BY_ID = {action.id: action for action in ACTIONS}

_KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def key_label(key: str) -> str:
    """A key as people write it: "slash" → "/", "ctrl+r" → "Ctrl+R"."""
    if key.startswith("ctrl+"):
        return "Ctrl+" + key[5:].upper()
    return _KEY_NAMES.get(key, key)


def keys_label(action: Action) -> str:
    """All keys of an action: "Ctrl+P or :"; "palette" where it has none of its own."""
    return " or ".join(key_label(key) for key in action.keys) or "palette"


def bindings(*scopes: Scope) -> list[BindingType]:
    """Textual bindings of these scopes; each runs the screen's or app's `act(ID)`.

    A screen's are done in the order of the keys, before the next key is looked at (priority): over a slow link a burst
    such as "/web" arrives at once, and its letters are for the filter that "/" opens, not for the table.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"act({action.id!r})",
            action.title,
            show=False,
            id=action.id,
            priority=action.scope is not Scope.APP,  # the app's would come before those of a screen above the fleet
        )
        for action in ACTIONS
        if action.scope in scopes and action.keys
    ]


def leaves_typing(action_id: str) -> bool:
    """Whether the action's keys may be taken from a person who types into a field: no letter, Enter or Tab is."""
    return all(key == "escape" or (key.startswith(("ctrl+", "f")) and len(key) > 1) for key in BY_ID[action_id].keys)


def keymap(overrides: Mapping[str, str]) -> dict[str, str]:
    """Keys by binding id for Textual's set_keymap: the table's own from the registry, then the user's overrides.

    overrides: comma-separated keys by action id. Enter belongs to the table, so `container.detail` is its choosing.
    """
    keys = {action.id: ",".join(action.keys) for action in ACTIONS if action.scope is Scope.MOVE}
    keys.update(overrides)
    if "container.detail" in keys:
        keys["table.select"] = keys["container.detail"]
    return keys


def permitted(action: Action, *, read_only: bool) -> bool:
    """Whether the action exists at all in this mode."""
    return not (read_only and action.changes)


def footer_actions(*scopes: Scope, read_only: bool) -> list[Action]:
    """What the footer shows, most useful first."""
    wanted = [a for a in ACTIONS if a.footer is not None and a.scope in scopes and permitted(a, read_only=read_only)]
    if Scope.BACK in scopes:
        wanted.remove(BY_ID["app.quit"])  # its key goes back there
    return sorted(wanted, key=lambda action: action.footer or 0)


def _either(words: Iterable[str]) -> str:
    """ "a", "a or b", "a, b or c"."""
    *most, last = sorted(words)
    return f"{', '.join(most)} or {last}" if most else last


def refusal(action: Action, container: Container, capabilities: Capabilities | None, *, read_only: bool) -> str:
    """Why the action may not be done to this container: a sentence, or "" where it may.

    capabilities: of its engine, None where it was never connected.
    """
    if not permitted(action, read_only=read_only):
        return f"Read-only: {action.title.lower()} is switched off. Start without --readonly to change things."
    if action.needs and capabilities is not None and not capabilities.can(action.needs):
        return f"{container.key.engine} cannot do that: {capabilities.why_not(action.needs)}."
    if action.states is not None and container.state not in action.states:
        fits = _either(state.value for state in action.states if state is not ContainerState.UNKNOWN)
        return f"{container.name} is {container.state.value}; this works on one that is {fits}."
    return ""


def resolve(action: Action, container: Container) -> Action:
    """The action that a key stands for on this container: `p` unpauses a paused one."""
    if action.id == "container.pause" and container.state is ContainerState.PAUSED:
        return BY_ID["container.unpause"]
    return action


def key_table_markdown() -> str:
    """The key table as README.md carries it, between its `keys:begin` and `keys:end` marks."""
    lines = ["| | Key | What it does |", "|---|---|---|"]
    for scope in Scope:
        heading = f"**{scope.value}**"
        for action in ACTIONS:
            if action.scope is scope and action.keys:
                keys = " ".join(f"`{key_label(key)}`" for key in action.keys)
                lines.append(f"| {heading} | {keys} | {action.title} |")
                heading = ""
    return "\n".join(lines)
