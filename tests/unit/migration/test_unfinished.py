"""Moves that were cut off are told apart from those under way, and said with the next step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.migration.journal import Effect, Entry, Journal, Record, Status, folder_of
from backends.migration.unfinished import is_at_work, next_step, refuse_unfinished, sentence, unfinished
from backends.model.errors import Conflict, NotFound, Refused
from backends.model.ids import EngineId, EngineKind
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from tui.cli.aftermath import cut_off, finished, written_down


def record(**changes: object) -> Record:
    """A move that this process runs now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Record(
        "20261123-140501-9f2c", now, os.getpid(), "docker", "podman", "c" * 64, "web", True, False, "web", "i" * 64
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the names of its fields


def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_living_process_is_at_work_a_dead_one_and_a_later_one_are_not() -> None:
    assert is_at_work(record())
    assert not is_at_work(record(pid=gone()))
    before = datetime.now(UTC) - timedelta(days=400)
    assert not is_at_work(record(started_at=before.isoformat(timespec="seconds"))), "that process began later"


async def test_what_is_left_is_listed_and_found_by_name(tmp_path: Path) -> None:
    dead = gone()
    for number, (status, pid) in enumerate(
        [
            *((Status.DONE, dead), (Status.UNDONE, dead), (Status.RUNNING, os.getpid())),
            *((Status.RUNNING, dead), (Status.PARTLY_UNDONE, dead)),
        ]
    ):
        made = record(id=f"m{number}", status=status, pid=pid, container_name=f"web{number}")
        await Journal.begin(tmp_path, made)
    assert [left.id for left in await unfinished(tmp_path)] == ["m3", "m4"]
    found = [await cut_off(tmp_path, name) for name in ("web3", "m4", "web1")]
    assert [record.id if record else "" for record in found] == ["m3", "m4", ""]
    with pytest.raises(Conflict):
        await cut_off(tmp_path, "web2")
    done = await finished(tmp_path, "web0")
    assert done is not None
    assert done.id == "m0"
    assert await finished(tmp_path, "web3") is None
    assert folder_of(tmp_path).is_dir()


async def test_a_new_move_is_refused_while_an_old_one_is_not_over(tmp_path: Path) -> None:
    """Else what that one has made on the target would block the plan, with the advice to remove it."""
    await refuse_unfinished(tmp_path, "docker", "c" * 64)
    for number, status in enumerate((Status.DONE, Status.UNDONE, Status.CONFIRMED)):
        await Journal.begin(tmp_path, record(id=f"m{number}", status=status))
    await refuse_unfinished(tmp_path, "docker", "c" * 64)
    left = await Journal.begin(tmp_path, record(id="m3", pid=gone()))
    with pytest.raises(Conflict, match=r"earlier move of web \(m3\) is not over") as cut:
        await refuse_unfinished(tmp_path, "docker", "c" * 64)
    assert "--resume" in cut.value.hint
    await refuse_unfinished(tmp_path, "podman", "c" * 64)
    await left.close(Status.UNDONE)
    await Journal.begin(tmp_path, record(id="m4"))
    with pytest.raises(Conflict, match=f"under way already, by process {os.getpid()}"):
        await refuse_unfinished(tmp_path, "docker", "c" * 64)


def test_the_sentence_names_what_was_made_and_the_next_step() -> None:
    entries = (Entry(Effect.STOP_SOURCE, "web"), Entry(Effect.VOLUME, "data"), Entry(Effect.CONTAINER, "web"))
    said = sentence(record(entries=entries))
    assert "from docker to podman was cut off" in said
    assert "volume data, container web on podman" in said
    assert "web on docker may stand still" in said
    assert "it made nothing" in sentence(record())
    assert "tranship migrate web --resume" in next_step(record())
    assert "--undo" in next_step(record())
    assert "--resume" not in next_step(record(status=Status.PARTLY_UNDONE)), "half of it is gone"
    assert "--confirm" in next_step(record(status=Status.DONE))


async def test_what_the_command_line_does_after_a_move_is_in_the_trail(tmp_path: Path) -> None:
    engine = DemoEngine(EngineId(EngineKind.DOCKER, "docker"))
    path = tmp_path / "audit.jsonl"
    fleet = Fleet([engine], audit=AuditLog(path))
    accept, undo = (written_down(fleet, action, record()) for action in ("migrate.accept", "migrate.undo"))
    with accept, pytest.raises(Refused), undo:
        raise AssertionError("two at a time")
    with written_down(fleet, "migrate.undo", record()) as wrong:
        wrong.append(Conflict("the move is not wholly undone"))
    with pytest.raises(NotFound), written_down(fleet, "migrate.undo", record()):
        raise NotFound("the copy is gone")
    await fleet.close()
    said = [json.loads(one) for one in path.read_text().splitlines()]
    assert [(one["action"], one["outcome"]) for one in said] == [
        ("migrate.accept", "done"),
        ("migrate.undo", "failed"),
        ("migrate.undo", "failed"),
    ]
