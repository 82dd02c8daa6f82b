"""The manual page is the commands' own words."""

from __future__ import annotations

import re
from pathlib import Path

from tui.cli.exits import Exit
from tui.cli.manual import manual
from tui.cli.root import COMMANDS

PAGE = (Path(__file__).parents[3] / "packaging" / "tranship.1").read_text()


def test_it_is_made_from_the_commands_of_today() -> None:
    assert manual() == PAGE, "run `make docs`"


def test_each_command_and_each_exit_code_stands_in_it() -> None:
    sections = re.findall(r'^\.SS "tranship (\S+)', PAGE.replace("\\-", "-"), re.MULTILINE)
    assert list(dict.fromkeys(sections)) == list(COMMANDS)
    codes = re.findall(r"^\\fB(\d)\\fR$", PAGE, re.MULTILINE)
    assert codes == [str(code.value) for code in Exit]


def test_no_line_commands_roff_by_chance() -> None:
    macros = {line.split(maxsplit=1)[0] for line in PAGE.splitlines() if line.startswith((".", "'"))}
    assert macros <= {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".BR"}
