"""What is wrong with keys that a person chose: unknown actions, no keys at all, two actions on one key. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

from tui.action import Action, Scope
from tui.actions import ACTIONS, BY_ID, key_label
from tui.config import nearest

_KEY = re.compile(r"(?:(?:ctrl|shift|alt)\+)*(?:[^\s,]|[a-z][a-z0-9_]*)")
_TABLE = frozenset({Scope.MOVE, Scope.CONTAINER, Scope.FLEET})


def fault_of_keys(chosen: Mapping[str, str]) -> str:
    """chosen: comma-separated keys by action id. Returns the first fault as a sentence with its remedy; "" = none."""
    keys = {action.id: action.keys for action in ACTIONS}
    for action, text in chosen.items():
        if action not in BY_ID:
            meant = nearest(action, BY_ID)
            hint = f": did you mean “{meant}”?" if meant else "; `docs/configuration.md` lists all"
            return f"[keys] names no action “{action}”{hint}"
        keys[action] = tuple(map(str.strip, text.split(",")))
        for key in keys[action]:
            if not _KEY.fullmatch(key):
                return (
                    f"[keys] {action}: “{key}” is no key; write s, S, f8, ctrl+s, pageup, with commas between several"
                )
    for one, other in combinations(ACTIONS, 2):
        if (one.id in chosen or other.id in chosen) and _meet(one, other):
            both = _names(keys[one.id]) & _names(keys[other.id])
            if both:
                return f"[keys] “{key_label(min(both))}” would be both {one.id} and {other.id}; give one another key"
    return ""


def _names(keys: tuple[str, ...]) -> frozenset[str]:
    """Keys as people write them: "/" and "slash" are the same."""
    return frozenset(map(key_label, keys))


def _meet(one: Action, other: Action) -> bool:
    """Whether both can be done on one screen."""
    scopes = frozenset({one.scope, other.scope})
    if Scope.BACK in scopes:
        return not scopes & (_TABLE | {Scope.APP})
    return len(scopes) == 1 or scopes <= _TABLE or Scope.APP in scopes
