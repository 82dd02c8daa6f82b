"""`tranship exec`, `shell` and `attach` on the demo fleet."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.demo import demo


def test_exec_tells_output_and_code_in_json() -> None:
    result = demo("exec", "--json", "jupyter-lab", "sh", "-c", "echo out; cat /nothing; exit 4")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["exit_code"], told["stdout"], told["name"]) == (4, "out\n", "jupyter-lab")
    assert "No such file" in told["stderr"]


def test_exec_ends_as_its_program_and_writes_what_it_says(capfd: pytest.CaptureFixture[str]) -> None:
    result = demo("exec", "-w", "/tmp", "jupyter-lab", "sh", "-c", "pwd; exit 4")
    assert result.exit_code == 4
    assert capfd.readouterr().out == "/tmp\n"
    assert demo("exec", "jupyter-lab", "--", "no-such-program").exit_code == 127


def test_what_never_comes_to_the_program_is_125() -> None:
    assert demo("exec", "nobody", "true").exit_code == 125
    refused = demo("--readonly", "exec", "jupyter-lab", "true")
    assert refused.exit_code == 125
    assert "read-only" in refused.stderr


def test_what_needs_a_terminal_says_so() -> None:
    for argv in (("shell", "jupyter-lab"), ("exec", "-t", "jupyter-lab", "sh")):
        result = demo(*argv)
        assert result.exit_code == 2
        assert "terminal" in result.stderr
    assert "JSON" in demo("attach", "jupyter-lab", "--json").stderr
