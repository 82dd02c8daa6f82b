"""The command line on the demo fleet, for tests of subcommands. Holds no test."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from tui.cli.root import tranship


def demo(*argv: str) -> Result:
    """Run `tranship --demo …`; no failure may be a traceback."""
    result = CliRunner().invoke(tranship, ["--demo", *argv])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def document(*argv: str, code: int = 0) -> dict[str, Any]:
    """The JSON answer of a command that ends with this code."""
    result = demo(*argv, "--json")
    assert result.exit_code == code, result.stderr
    answer = json.loads(result.stdout)
    assert answer["schema"] == 1
    assert isinstance(answer, dict)
    return answer
