"""How two images' configurations differ, and what an engine's JSON says of one."""

from __future__ import annotations

from backends.engines.image_config import image_config
from backends.layers.comparison import layer_differences
from backends.model.image import Layer
from backends.model.image_config import config_differences
from backends.model.image_files import Mark


def test_each_setting_that_differs_is_named_and_no_value_of_a_variable() -> None:
    first = image_config(
        {"Os": "linux", "Architecture": "arm64", "Variant": "v8"},
        {"Env": ["A=hunter2", "B=1", "C"], "Cmd": ["a b"], "Labels": {"x": "1", "y": "2"}, "User": "app"},
    )
    second = image_config(
        {"Os": "linux", "Architecture": "amd64"},
        {
            "Env": ["A=hunter3", "B=1", "D=4"],
            "Cmd": "run",
            "Labels": {"x": "3"},
            "ExposedPorts": {"80/tcp": {}},
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
    )
    found = {one.setting: (one.mark, one.first, one.second) for one in config_differences(first, second)}
    assert found == {
        "platform": (Mark.CHANGED, "linux/arm64/v8", "linux/amd64"),
        "command": (Mark.CHANGED, "'a b'", "run"),
        "user": (Mark.REMOVED, "app", ""),
        "ports": (Mark.ADDED, "", "80/tcp"),
        "health check": (Mark.ADDED, "", "CMD true"),
        "env A": (Mark.CHANGED, "…", "…"),
        "env C": (Mark.REMOVED, "…", ""),
        "env D": (Mark.ADDED, "", "…"),
        "label x": (Mark.CHANGED, "1", "3"),
        "label y": (Mark.REMOVED, "2", ""),
    }
    assert "hunter" not in repr(first)
    assert config_differences(first, first) == ()


def test_layers_of_both_are_told_from_those_of_one() -> None:
    a, b, c = (Layer(name, f"sha256:{name}", 1, None) for name in "abc")
    found = layer_differences((a, b), (a, c))
    assert [(one.layer.command, one.mark) for one in found] == [
        ("a", Mark.SAME), ("c", Mark.ADDED), ("b", Mark.REMOVED),
    ]  # fmt: skip
