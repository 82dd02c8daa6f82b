"""The choices of a move as options: each reaches the plan's Choices, and what is wrong is said."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from backends.model.plan import Choices, ImageWay, LayerChoice, PortChoice, VolumeChoice
from backends.model.wish import ALL, NONE, first, these
from tui.cli.choices import choice_options, read


def given(*argv: str, name: str | None = None) -> Choices:
    """What a command with these options reads."""
    found: list[Choices] = []

    @click.command()
    @choice_options
    def command(**options: Any) -> None:
        found.append(read(name, options))

    CliRunner().invoke(command, argv, standalone_mode=False, catch_exceptions=False)
    return found[0]


def test_nothing_said_is_what_a_move_does_by_itself() -> None:
    assert given() == Choices()


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["--layer", "commit"], Choices(layer=LayerChoice.COMMIT)),
        (["--volumes", "skip"], Choices(volume=VolumeChoice.SKIP)),
        (["--volume", "a=b=share"], Choices(volumes={"a=b": VolumeChoice.SHARE})),
        (["--random-ports"], Choices(port=PortChoice.RANDOM)),
        (["--port", "80:81", "--port", "90:91"], Choices(port=PortChoice.REMAP, port_map={80: 81, 90: 91})),
        (["--port", "80:0"], Choices(port=PortChoice.REMAP, port_map={80: 0})),
        (["--keep-running"], Choices(stop_source=False)),
        (["--live-copy", "off"], Choices(live_copy=False)),
        (["--native-defaults"], Choices(native_defaults=True)),
        (["--image-way", "registry"], Choices(image_way=ImageWay.REGISTRY)),
        (["--gpus", "all"], Choices(gpus=ALL)),
        (["--gpus", "2"], Choices(gpus=first(2))),
        (["--gpus", "0,1"], Choices(gpus=these(["0", "1"]))),
        (["--gpus", "none"], Choices(gpus=NONE)),
        (["--gpus", "keep"], Choices()),
    ],
)
def test_each_option_is_one_choice(argv: list[str], wanted: Choices) -> None:
    assert given(*argv) == wanted


@pytest.mark.parametrize(
    "argv",
    [
        ["--volume", "data"],
        ["--volume", "data=keep"],
        ["--port", "80"],
        ["--port", "0:1"],
        ["--port", "٨٠:81"],
        ["--port", "80:1", "--port", "80:2"],
        ["--port", "1:65536"],
        ["--port", "80:81", "--random-ports"],
        ["--layer", "all"],
        ["--gpus", "some"],
        ["--gpus", "0"],
        ["--gpus", "0,0"],
    ],
)
def test_what_cannot_be_read_is_refused(argv: list[str]) -> None:
    with pytest.raises(click.UsageError):
        given(*argv)
