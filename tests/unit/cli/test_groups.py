"""A wrong subcommand, and a group's list of those that it has."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from tui.cli.groups import ELSEWHERE
from tui.cli.root import COMMANDS, tranship


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pss", "there is no command “pss” (did you mean “ps”?)"),
        ("stats", "there is no command “stats” (here it is `tranship ps --stats`)"),
        ("volume list", "there is no command “list” (did you mean “ls”?)"),
        ("network xyz", "there is no command “xyz” (`tranship network --help` lists all)"),
        ("image prun", "did you mean “prune”?"),
        ("--jso ps", "No such option"),
    ],
)
def test_a_wrong_one_is_two_and_says_what_was_meant(line: str, said: str) -> None:
    result = CliRunner().invoke(tranship, line.split(), prog_name="tranship")
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_is_said_of_other_programs_words_is_there() -> None:
    context = click.Context(tranship)
    assert not ELSEWHERE.keys() & COMMANDS.keys()
    for line in ELSEWHERE.values():
        result = CliRunner().invoke(tranship, [*line.split()[:1], "--help"])
        assert result.exit_code == 0, line
        option = next((word for word in line.split() if word.startswith("--")), None)
        assert option is None or option in result.stdout or option == "--version", line
        command = tranship.get_command(context, line.split()[0])
        if isinstance(command, click.Group):
            assert line.split()[1] in command.commands


def test_each_subcommand_is_told_whole() -> None:
    for group in ("volume", "network", "image"):
        told = CliRunner().invoke(tranship, [group, "--help"]).stdout
        assert "..." not in told.partition("Commands:")[2]
