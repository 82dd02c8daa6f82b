"""Keys that a person chose: refused with the reason, named wherever a key is named, and never taken from typing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tui.action import Scope
from tui.actions import BY_ID, first_key_label, keymap, keys_label, leaves_typing
from tui.chosen_keys import fault_of_keys
from tui.screens.help import help_lines, in_order


@pytest.fixture(autouse=True)
def own_keys_again() -> Iterator[None]:
    """Other tests have the keys that nobody chose."""
    yield
    keymap({})


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, ""),
        ({"container.stop": "f8, ctrl+x"}, ""),
        ({"container.stop": "r", "container.restart": "s"}, ""),
        ({"logs.search": "d"}, ""),  # container.remove is on another screen
        ({"container.stpo": "f8"}, "did you mean “container.stop”?"),
        ({"container.stop": "r"}, "“r” would be both container.stop and container.restart"),
        ({"container.stop": "slash"}, "“/” would be both container.stop and fleet.filter"),
        ({"logs.search": "q"}, "both logs.search and app.back"),
        ({"logs.search": "?"}, "both logs.search and app.help"),
        ({"container.stop": "foo bar"}, "“foo bar” is no key"),
        ({"container.stop": ""}, "“” is no key"),
    ],
)
def test_what_is_wrong_with_chosen_keys_is_said(chosen: dict[str, str], said: str) -> None:
    fault = fault_of_keys(chosen)
    assert said in fault
    assert bool(fault) == bool(said)


def test_a_chosen_key_is_named_and_a_letter_is_never_taken_from_typing() -> None:
    assert leaves_typing("run.start")
    keymap({"container.stop": "f8,S", "run.start": "g"})
    assert keys_label(BY_ID["container.stop"]) == "f8 or S"
    assert first_key_label(BY_ID["container.stop"]) == "f8"
    assert not leaves_typing("run.start")


def test_help_begins_with_the_screen_that_one_sees() -> None:
    assert in_order((Scope.CONTAINER, Scope.FLEET)) == list(Scope)
    assert in_order((Scope.LOGS,))[:3] == [Scope.LOGS, Scope.BACK, Scope.APP]
    assert sorted(in_order((Scope.LOGS,))) == sorted(Scope)
    (first, *_), *_ = help_lines(80, read_only=False, here=(Scope.LOGS,))
    assert Scope.LOGS.value in str(first)
