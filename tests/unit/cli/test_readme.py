"""What README says of the command line and the settings is so."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click

from tui.actions import BY_ID
from tui.cli.exits import Exit
from tui.cli.root import COMMANDS, tranship
from tui.config import parse

README = (Path(__file__).parents[3] / "README.md").read_text()


def _block(language: str, containing: str) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return next(block for block in blocks if containing in block)


def test_its_commands_and_options_exist() -> None:
    context = click.Context(tranship)
    for line in _block("sh", "tranship ps").splitlines():
        program, name, *words = shlex.split(line, comments=True)
        assert program == "tranship"
        command = tranship.get_command(context, name)
        assert command is not None, line
        command.make_context(name, words)  # UsageError where an option or an argument is none


def test_its_settings_are_settings() -> None:
    settings = parse(tomllib.loads(_block("toml", "[keys]")), "README.md")
    assert settings.engines[0].name == "gpu01"
    assert set(settings.keys) <= set(BY_ID)


def test_its_exit_codes_are_the_exit_codes() -> None:
    said = README.split("Exit codes:", 1)[1].split("128 + n", 1)[0]
    assert [int(number) for number in re.findall(r"(?:^|· )\s*(\d)\b", said)] == [code.value for code in Exit]


def test_it_names_each_command() -> None:
    said = _block("sh", "tranship ps")
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", said)] == []
