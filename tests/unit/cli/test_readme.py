"""What README and docs/ say of the command line and the settings is so."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tui.actions import BY_ID
from tui.cli.exits import Exit
from tui.cli.root import COMMANDS, tranship
from tui.config import parse

ROOT = Path(__file__).parents[3]
COMMAND_PAGE = (ROOT / "docs/commands.md").read_text()
SETTINGS = (ROOT / "docs/configuration.md").read_text()
_LEAD = re.compile(r"^(?:[A-Z_]+=\S+ )*tranship\b")


def _blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _lines(page: Path) -> list[str]:
    """The lines of its shell examples that start Tranship."""
    lines = [line for block in _blocks("sh", page.read_text()) for line in block.splitlines()]
    return [line for line in lines if _LEAD.match(line)]


ALL = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
PAGES = [page for page in ALL if _lines(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_commands_and_options_exist(page: Path) -> None:
    for line in _lines(page):
        whole = tranship.make_context("tranship", shlex.split(_LEAD.sub("", line), comments=True))
        name, *words = [*whole._protected_args, *whole.args] or [""]
        if name:
            command = tranship.get_command(whole, name)
            assert command is not None, line
            command.make_context(name, words, parent=whole)  # UsageError where an option or an argument is none


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_a_command_in_a_sentence_is_one(page: Path) -> None:
    named = re.findall(r"`tranship ([a-z-]+)[^`]*`", page.read_text())
    assert [name for name in named if not name.startswith("-") and name not in COMMANDS] == []


def test_pages_with_examples_are_found() -> None:
    assert {"README.md", "commands.md", "kubernetes.md", "ssh.md"} <= {page.name for page in PAGES}


def test_its_settings_are_settings() -> None:
    (block,) = (one for one in _blocks("toml", SETTINGS) if "[keys]" in one)
    settings = parse(tomllib.loads(block), "configuration.md")
    assert settings.engines[0].name == "gpu01"
    assert set(settings.keys) <= set(BY_ID)


def test_its_exit_codes_are_the_exit_codes() -> None:
    said = COMMAND_PAGE.split("Exit codes:", 1)[1].split("128 + n", 1)[0]
    assert [int(number) for number in re.findall(r"(?:^|· )\s*(\d)\b", said)] == [code.value for code in Exit]


def test_it_names_each_command() -> None:
    said = "".join(_blocks("sh", COMMAND_PAGE))
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", said)] == []
