"""The registry of actions is consistent, and everything that is derived from it agrees."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.binding import Binding

from backends.model.capabilities import Capabilities, Capability
from backends.model.container import Container, ContainerState
from backends.model.ids import ContainerKey, EngineId, EngineKind
from tui.action import Scope
from tui.actions import (
    ACTIONS,
    BY_ID,
    README_SCOPES,
    bindings,
    footer_actions,
    key_label,
    key_table_markdown,
    keymap,
    refusal,
    resolve,
)
from tui.keys_document import markdown
from tui.screens.container import ContainerScreen
from tui.screens.fleet import FleetScreen
from tui.screens.help import help_lines
from tui.screens.image import ImageScreen
from tui.screens.images import ImagesScreen
from tui.screens.logs import LogScreen
from tui.screens.migrate import MigrateScreen
from tui.screens.run import RunScreen
from widgets.line import plain
from widgets.live_table import LiveTable

README = Path(__file__).resolve().parents[3] / "README.md"
SCREENS = (FleetScreen, ContainerScreen, ImagesScreen, LogScreen, MigrateScreen, ImageScreen, RunScreen)


def container(state: ContainerState) -> Container:
    """A container in a state."""
    key = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
    return Container(key, "web", "web:1", "b" * 64, state, datetime(2026, 1, 1, tzinfo=UTC))


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things_on_one_screen(screen: type[FleetScreen]) -> None:
    scopes = {*screen.SCOPES, Scope.MOVE} if screen is FleetScreen else {*screen.SCOPES, Scope.BACK}
    keys = Counter(key for action in ACTIONS if action.scope in scopes for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_is_bound_where_it_applies_and_nothing_else_is() -> None:
    bound = {one.id for scope in Scope for one in bindings(scope) if isinstance(one, Binding)}
    assert bound == {action.id for action in ACTIONS}


def test_the_tables_own_keys_are_bindings_of_the_table() -> None:
    own = {one.id for one in LiveTable.BINDINGS if isinstance(one, Binding)}
    assert {action.id for action in ACTIONS if action.scope is Scope.MOVE} <= own


def test_keymap_overrides_and_leaves_the_rest() -> None:
    keys = keymap({"container.stop": "f8", "container.detail": "f3", "table.up": "w"})
    assert keys["container.stop"] == "f8"
    assert keys["table.up"] == "w"
    assert keys["table.select"] == "f3"
    assert keys["table.down"] == "down,j"


def test_readonly_leaves_nothing_that_changes() -> None:
    shown = footer_actions(*Scope, read_only=True)
    assert shown
    assert not any(action.changes for action in shown)
    text = "\n".join(plain(one) for one in help_lines(200, read_only=True))
    assert [action.title for action in ACTIONS if action.changes and f"  {action.title}" in text] == []


def test_what_destroys_also_changes_and_asks() -> None:
    destructive = [action for action in ACTIONS if action.destructive]
    ids = {action.id for action in destructive}
    assert ids == {
        *("container.kill", "container.remove", "images.prune", "images.remove", "migrate.remove", "migrate.undo"),
        *("schedules.remove", "stores.prune", "stores.remove"),
    }
    assert all(action.changes and "asks first" in action.title for action in destructive)


@pytest.mark.parametrize("state", list(ContainerState))
def test_refusals_are_sentences_that_name_the_container(state: ContainerState) -> None:
    for action in ACTIONS:
        sentence = refusal(action, container(state), None, read_only=False)
        assert not sentence or (sentence.endswith(".") and "web" in sentence)
        if action.states is None or state in action.states:
            assert sentence == ""


def test_unknown_state_is_left_to_the_engine() -> None:
    unknown = container(ContainerState.UNKNOWN)
    assert [a.id for a in ACTIONS if refusal(a, unknown, None, read_only=False)] == []


def test_a_missing_capability_is_said_with_its_reason() -> None:
    lacking = Capabilities({Capability.PAUSE: "rootless on cgroup v1 has no freezer"})
    sentence = refusal(BY_ID["container.pause"], container(ContainerState.RUNNING), lacking, read_only=False)
    assert "rootless on cgroup v1 has no freezer" in sentence
    assert refusal(BY_ID["container.stop"], container(ContainerState.RUNNING), lacking, read_only=False) == ""


def test_readonly_refuses_every_change() -> None:
    running = container(ContainerState.RUNNING)
    for action in ACTIONS:
        assert action.changes == ("Read-only" in refusal(action, running, None, read_only=True))


def test_pause_stands_for_unpause_on_a_paused_one() -> None:
    pause = BY_ID["container.pause"]
    assert resolve(pause, container(ContainerState.PAUSED)) is BY_ID["container.unpause"]
    assert resolve(pause, container(ContainerState.RUNNING)) is pause


@pytest.mark.parametrize(
    ("key", "label"), [("slash", "/"), ("ctrl+r", "Ctrl+R"), ("K", "K"), ("question_mark", "?"), ("pageup", "PgUp")]
)
def test_keys_as_people_write_them(key: str, label: str) -> None:
    assert key_label(key) == label


def test_readme_has_the_keys_of_the_fleet() -> None:
    found = re.search(r"<!-- keys:begin -->\n(.*?)\n<!-- keys:end -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, "README.md has no marks keys:begin and keys:end"
    said = "run: PYTHONPATH=. python tests/unit/tui/test_actions.py"
    assert found[1].strip() == key_table_markdown(README_SCOPES), said


def test_the_page_of_keys_has_all() -> None:
    page = markdown()
    assert page == (README.parent / "docs/keys.md").read_text(encoding="utf-8"), "run `make docs`"
    assert [one.id for one in ACTIONS if one.keys and f"| {one.title} |" not in page] == []


def write_readme() -> None:
    """Put the present key table into README.md."""
    text = README.read_text(encoding="utf-8")
    table = f"<!-- keys:begin -->\n{key_table_markdown(README_SCOPES)}\n<!-- keys:end -->"
    README.write_text(re.sub(r"<!-- keys:begin -->.*?<!-- keys:end -->", table, text, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    write_readme()
