"""Every command teaches by examples, and every example is one that the command takes."""

from __future__ import annotations

import shlex

import click
import pytest
from click.testing import CliRunner

from tui.cli.examples import EXAMPLES
from tui.cli.root import COMMANDS, tranship

LINES = [(name, line) for name, examples in EXAMPLES.items() for line, _ in examples]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_commands_help_ends_with_examples(name: str) -> None:
    said = CliRunner().invoke(tranship, [name, "--help"]).output
    _, _, examples = said.partition("\n  Examples:\n")
    assert examples.count("  tranship ") >= 2, said
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.parametrize(("name", "line"), LINES)
def test_each_example_is_taken_as_it_stands(name: str, line: str) -> None:
    """Parsed to the end, by the subcommand too; nothing of it is done."""
    first, *rest = shlex.split(line)
    assert first == name
    command = tranship.get_command(click.Context(tranship), first)
    assert command is not None
    context = command.make_context(first, rest)
    if isinstance(command, click.Group):
        word, below, more = command.resolve_command(context, [*context._protected_args, *context.args])
        assert below is not None
        below.make_context(word, more, parent=context)
