"""The choices of a migration as they are shown."""

from __future__ import annotations

from backends.model.plan import Choices, LayerChoice, PortChoice, VolumeChoice
from backends.model.wish import these
from tui.action import Scope
from tui.actions import ACTIONS, key_label
from widgets.choice_bar import options, rows
from widgets.text import width_of

KEYS = {action.id: key_label(action.keys[0]) for action in ACTIONS if action.scope is Scope.MIGRATE}


def test_every_choice_has_a_key() -> None:
    assert {option.action for option in options(Choices())} <= KEYS.keys()


def test_what_does_not_matter_is_not_shown() -> None:
    absent = {"has_volumes": False, "has_ports": False, "has_gpus": False, "running": False}
    shown = {option.label for option in options(Choices(), **absent)}
    assert shown == {"changed files", "defaults", "image"}
    assert "copying" not in {option.label for option in options(Choices(volume=VolumeChoice.SKIP))}


def test_only_what_was_asked_for_is_marked() -> None:
    assert not any(option.asked for option in options(Choices()))
    chosen = Choices(
        layer=LayerChoice.COMMIT, port=PortChoice.REMAP, port_map={80: 81}, stop_source=False, gpus=these(["0", "1"])
    )
    assert {option.label: option.value for option in options(chosen) if option.asked} == {
        "changed files": "in a new image",
        "ports": "80:81",
        "GPUs": "0, 1",
        "source": "runs on",
    }


def test_lines_are_as_wide_as_the_screen_at_most() -> None:
    for width in (76, 120, 196):
        lines = rows(options(Choices()), KEYS, width)
        for line in lines:
            assert sum(width_of(f"{KEYS[o.action]} {o.label} {o.value}") + 3 for o in line) <= width
