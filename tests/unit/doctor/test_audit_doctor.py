"""What doctor says of the audit trail: whole, empty, changed, or not to be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.services.audit_doctor import examine_audit
from backends.services.doctor import Level
from tests.trail import write_trail


def test_a_whole_trail_and_none(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    (one,) = examine_audit(path)
    assert (one.level, one.sentence) == (Level.OK, "nothing is written down yet")
    write_trail(path)
    (one,) = examine_audit(path)
    assert one.level is Level.OK
    assert "lines, and nobody changed" in one.sentence


def test_a_changed_line_is_a_problem_with_its_command(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_trail(path)
    path.write_text(path.read_text().replace('"ben"', '"bob"', 1))
    (one,) = examine_audit(path)
    assert one.level is Level.PROBLEM
    assert "not whole: " in one.sentence
    assert "audit.jsonl, line " in one.sentence
    assert one.command == "tranship audit --verify"


def test_a_trail_that_may_not_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda held, _how: Path(held) != tmp_path)
    found = examine_audit(tmp_path / "state" / "audit.jsonl")
    assert [one.level for one in found] == [Level.OK, Level.PROBLEM]
    assert str(tmp_path) in found[1].sentence
