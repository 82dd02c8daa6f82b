"""The one registry of actions: bindings, footer, help, palette, read-only mode and README's keys derive from it.

The actions themselves stand in `*_actions.py`. Knows no screen and no widget; may not act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingType

from backends.model.capabilities import Capabilities
from backends.model.container import Container, ContainerState
from tui.action import Action, Scope
from tui.audit_actions import AUDIT_ACTIONS, SCHEDULE_ACTIONS
from tui.build_actions import BUILD_ACTIONS, COMPARE_ACTIONS
from tui.export_actions import EXPORT_ACTIONS, EXPORT_FLEET_ACTIONS
from tui.fleet_actions import FLEET_ACTIONS
from tui.image_actions import IMAGE_ACTIONS
from tui.reach_actions import EXEC_ACTIONS, FILE_ACTIONS, REACH_FLEET_ACTIONS, STORE_ACTIONS
from tui.registry_actions import REGISTRY_ACTIONS
from tui.run_actions import RUN_ACTIONS
from tui.screen_actions import (
    APP_ACTIONS,
    DETAIL_ACTIONS,
    DOCTOR_ACTIONS,
    EVENT_ACTIONS,
    GPU_ACTIONS,
    LINK_ACTIONS,
    MIGRATE_ACTIONS,
)
from tui.security_actions import ADVICE_ACTIONS, SECURITY_ACTIONS, SECURITY_FLEET_ACTIONS
from tui.sweep_actions import SWEEP_ACTIONS, SWEEP_FLEET_ACTIONS, SWEEP_FORM_ACTIONS
from tui.trial_actions import TRIAL_ACTIONS

ACTIONS: tuple[Action, ...] = (
    *FLEET_ACTIONS,
    *REACH_FLEET_ACTIONS,
    *SECURITY_FLEET_ACTIONS,
    *EXPORT_FLEET_ACTIONS,
    *SWEEP_FLEET_ACTIONS,
    *GPU_ACTIONS,
    *IMAGE_ACTIONS,
    *REGISTRY_ACTIONS,
    *COMPARE_ACTIONS,
    *BUILD_ACTIONS,
    *STORE_ACTIONS,
    *FILE_ACTIONS,
    *DOCTOR_ACTIONS,
    *SECURITY_ACTIONS,
    *ADVICE_ACTIONS,
    *AUDIT_ACTIONS,
    *SCHEDULE_ACTIONS,
    *EXPORT_ACTIONS,
    *TRIAL_ACTIONS,
    *SWEEP_ACTIONS,
    *SWEEP_FORM_ACTIONS,
    *DETAIL_ACTIONS,
    *EXEC_ACTIONS,
    *LINK_ACTIONS,
    *EVENT_ACTIONS,
    *MIGRATE_ACTIONS,
    *RUN_ACTIONS,
    *APP_ACTIONS,
)


BY_ID = {action.id: action for action in ACTIONS}

_CHOSEN: dict[str, tuple[str, ...]] = {}
"""Keys by action id where a person chose others; `keymap` fills it: one program has one map."""

_KEY_NAMES = {
    "slash": "/",
    "equals_sign": "=",
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "question_mark": "?",
    "colon": ":",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "space": "Space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "backspace": "Backspace",
    "end": "End",
}


def key_label(key: str) -> str:
    """A key as people write it: "slash" → "/", "ctrl+r" → "Ctrl+R"."""
    if key.startswith("ctrl+"):
        return "Ctrl+" + key[5:].upper()
    return _KEY_NAMES.get(key, key)


def keys_of(action: Action) -> tuple[str, ...]:
    """The keys that do an action now: those that a person chose, else its own."""
    return _CHOSEN.get(action.id, action.keys)


def keys_label(action: Action, but: Collection[str] = ()) -> str:
    """All keys of an action, but some: "Ctrl+P or :"; "palette" where none is left."""
    return " or ".join(key_label(key) for key in keys_of(action) if key not in but) or "palette"


def first_key_label(action: Action) -> str:
    """The key to name of an action: "Ctrl+P"; "palette" where it has none."""
    return key_label(next(iter(keys_of(action)), "palette"))


def bindings(*scopes: Scope) -> list[BindingType]:
    """Textual bindings of these scopes; each runs the screen's or app's `act(ID)`.

    A screen's are done in the order of the keys, before the next key is looked at (priority): over a slow link a burst
    such as "/web" arrives at once, and its letters are for the filter that "/" opens, not for the table.
    """
    return [
        Binding(
            ",".join(action.keys)
            or f"none-{action.id}",  # no key has this name: what a person may choose takes its place
            f"act({action.id!r})",
            action.title,
            show=False,
            id=action.id,
            priority=action.scope is not Scope.APP,  # the app's would come before those of a screen above the fleet
        )
        for action in ACTIONS
        if action.scope in scopes
    ]


def leaves_typing(action_id: str) -> bool:
    """Whether the action's keys may be taken from a person who types into a field: no letter, Enter or Tab is."""
    return all(
        key == "escape" or (key.startswith(("ctrl+", "f")) and len(key) > 1) for key in keys_of(BY_ID[action_id])
    )


def beside(scope: Scope, *others: Scope) -> list[BindingType]:
    """Bindings of the others for a screen that is about `scope`: but for keys that its own actions have, and for Enter.

    What has the focus takes its own keys before them.
    """
    own = {key for action in ACTIONS if action.scope in {scope, Scope.BACK} for key in action.keys} | {"enter"}
    found = [one for one in bindings(*others) if isinstance(one, Binding) and not own & set(one.key.split(","))]
    return [replace(one, priority=False) for one in found if not one.key.startswith("none-")]


def keymap(overrides: Mapping[str, str]) -> dict[str, str]:
    """Keys by binding id for Textual's set_keymap: the table's own from the registry, then the user's overrides.

    overrides: comma-separated keys by action id; from now on footers and help name them. Enter belongs to the table, so
    `container.detail` is its choosing.
    """
    _CHOSEN.clear()
    _CHOSEN.update({action: tuple(map(str.strip, keys.split(","))) for action, keys in overrides.items()})
    keys = {action.id: ",".join(action.keys) for action in ACTIONS if action.scope is Scope.MOVE}
    keys.update(overrides)
    if "container.detail" in keys:
        keys["table.select"] = keys["container.detail"]
    return keys


def permitted(action: Action, *, read_only: bool) -> bool:
    """Whether the action exists at all in this mode."""
    return not (read_only and action.changes)


def footer_actions(*scopes: Scope, read_only: bool) -> list[Action]:
    """What the footer shows, most useful first, the way back last."""
    wanted = [a for a in ACTIONS if a.footer is not None and a.scope in scopes and permitted(a, read_only=read_only)]
    if Scope.BACK in scopes:
        wanted.remove(BY_ID["app.quit"])  # its key goes back there
    return sorted(wanted, key=lambda action: (action.scope is Scope.BACK, action.footer or 0))


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


README_SCOPES = (Scope.MOVE, Scope.CONTAINER, Scope.FLEET, Scope.APP)
"""What README has of the keys: those of the screen that a newcomer sees. docs/keys.md has all."""


def key_table_markdown(scopes: Iterable[Scope] = Scope) -> str:
    """The keys of these scopes as a table: README.md has it between its `keys:begin` and `keys:end` marks."""
    lines = ["| | Key | What it does |", "|---|---|---|"]
    for scope in scopes:
        heading = f"**{scope.value}**"
        for action in ACTIONS:
            if action.scope is scope and action.keys:
                keys = " ".join(f"`{key_label(key)}`" for key in action.keys)
                lines.append(f"| {heading} | {keys} | {action.title} |")
                heading = ""
    return "\n".join(lines)
