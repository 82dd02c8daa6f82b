"""The audit log: what is written, where, and what never is."""

from __future__ import annotations

import json
import logging
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.model.errors import Protocol
from backends.model.events import OperationUpdate, Phase
from backends.services.audit import AuditLog, default_path, entry
from tests.unit.services.fleet_facts import key

_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _failed() -> OperationUpdate:
    error = Protocol("the engine failed", detail="SECRET=hunter2 was in its words")
    return OperationUpdate(3, "container.start", key(1), "web", Phase.FAILED, error=error)


async def test_a_line_per_operation_in_order_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    log = AuditLog(path, clock=lambda: _AT)
    for number in range(20):
        log.record(OperationUpdate(number, "container.stop", key(1), f"web{number}", Phase.DONE))
    await log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["subject"] for line in lines] == [f"web{number}" for number in range(20)]
    assert lines[0]["at"] == "2026-11-23T12:00:00.000+00:00"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_engines_own_words_are_not_written_down() -> None:
    written = json.dumps(entry(_failed(), _AT))
    assert "hunter2" not in written
    assert '"error": "Protocol"' in written
    assert '"title": "the engine failed"' in written


async def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    log = AuditLog(in_the_way / "audit.jsonl")
    with caplog.at_level(logging.WARNING):
        log.record(_failed())
        await log.close()
    assert "could not be written" in caplog.text


async def test_what_comes_after_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    await log.close()
    log.record(_failed())
    assert "container.start of web: failed" in caplog.text
    assert not (tmp_path / "audit.jsonl").exists()


def test_it_lies_in_the_users_state_directory() -> None:
    assert default_path().parts[-2:] == ("tranship", "audit.jsonl")
