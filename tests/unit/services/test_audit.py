"""The audit log: what is written, where, and what never is."""

from __future__ import annotations

import json
import logging
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.capabilities import EngineInfo
from backends.model.errors import BackendError, Protocol
from backends.model.events import ConnectionState, Link, OperationUpdate, Phase
from backends.model.fleet import EngineView
from backends.model.ids import ContainerKey
from backends.model.plan import MigrationFailed, Step, StepKind, Undone
from backends.model.secrets import masked_command
from backends.model.workload import WorkloadSpec
from backends.services.audit import AuditLog, default_path, entry
from backends.services.audit_entry import MOST_ITEMS, MOST_TEXT, who
from backends.services.audit_read import read
from backends.services.fleet import Fleet
from backends.services.launch import launch
from tests.unit.services.fleet_facts import LONG_AGO, ONE, key, until
from tests.unit.services.test_images import WEB, put
from tui.cli import session

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
    told: list[BackendError] = []
    log.listen(told.append)
    with caplog.at_level(logging.WARNING):
        log.record(_failed())
        log.record(_failed())
        await log.close()
    assert "could not be written" in caplog.text
    await until(lambda: told)
    assert [one.title for one in told] == ["container.start of web is not in the audit trail: Not a directory"]
    assert log.problem is not None
    assert "audit.jsonl" in log.problem.hint


async def test_what_is_found_amiss_while_writing_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = AuditLog(path)
    first.record(_failed())
    await first.close()
    path.write_text(path.read_text().replace("web", "bew"))
    log, told = AuditLog(path), list[BackendError]()
    log.listen(told.append)
    log.record(_failed())
    await log.close()
    await until(lambda: told)
    assert told[0].title == "the audit trail is not whole"
    assert "--verify" in told[0].hint


async def test_the_command_line_says_it_at_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    engine = DemoEngine(ONE, look_s=0, act_s=0)
    put(engine, WEB, top="web")
    made = await engine.create_container(WorkloadSpec("web", WEB, command=("sleep", "9")))

    async def opener() -> Fleet:
        return Fleet([engine], audit=AuditLog(tmp_path / "file" / "audit.jsonl"))

    async def body(fleet: Fleet) -> int:
        assert await fleet.ready(10)
        await fleet.operations.start(ContainerKey(ONE, made))
        return 0

    assert await session._main(opener, body, []) == 0
    said = capsys.readouterr().err
    assert "container.start of web is not in the audit trail: Not a directory" in said


async def test_what_comes_after_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    await log.close()
    log.record(_failed())
    assert "container.start of web: failed" in caplog.text
    assert not (tmp_path / "audit.jsonl").exists()


def test_it_lies_in_the_users_state_directory() -> None:
    assert default_path().parts[-2:] == ("tranship", "audit.jsonl")


def test_who_acted_and_where_from() -> None:
    told = who({"SSH_CONNECTION": "10.0.0.7 51022 10.0.0.1 22", "SUDO_USER": "ann"})
    assert told["uid"] == os.getuid()
    assert (told["ssh_from"], told["sudo_user"]) == ("10.0.0.7", "ann")
    assert who({})["ssh_from"] is None


def test_the_engine_is_told_with_its_address_without_its_password() -> None:
    info = EngineInfo("29.1.0", "1.52", rootless=False, local=True)
    engine = EngineView(ONE, ConnectionState(Link.CONNECTED), info, "ssh://ann:hunter2@gpu01")
    told = entry(_failed(), _AT, engine)
    assert told["engine_version"] == "29.1.0"
    assert told["engine_address"] == "ssh://ann:••••@gpu01"


def test_a_line_stays_short_and_without_secrets_whatever_it_is_about() -> None:
    record = {"plan": {"items": ["x"] * 1_000, "text": "y" * 10_000, "token": "hf_" + "a" * 30}}
    told = entry(replace(_failed(), record=record), _AT)["plan"]
    assert len(told["items"]) == MOST_ITEMS + 1
    assert told["items"][-1] == "and 800 more"
    assert len(told["text"]) == MOST_TEXT + 1
    assert told["token"] == "••••"


def test_a_login_is_told_by_its_registry_alone() -> None:
    done = OperationUpdate(1, "registry.login", key(1), "ghcr.io", Phase.DONE, result="ann is logged in to ghcr.io")
    assert "ann is" not in json.dumps(entry(done, _AT))


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["run", "--password", "hunter2", "x"], "run --password •••• x"),
        (["run", "--api-key=hunter2"], "run '--api-key=••••'"),
        (["sh", "-c", "DB_PASS=hunter2 serve; echo"], "sh -c 'DB_PASS=•••• serve; echo'"),
        (["curl", "-H", "Authorization: Bearer hunter2", "http://u:hunter2@h/"], None),
        (["curl", "-H", "X-Api-Key: hunter2", "http://h/?token=hunter2&x=1"], None),
        (["python", "train.py", "--epochs", "3"], "python train.py --epochs 3"),
    ],
)
def test_secrets_of_a_command_are_masked(argv: list[str], shown: str | None) -> None:
    masked = masked_command(argv)
    assert "hunter2" not in masked
    assert shown is None or masked == shown


async def test_a_run_is_written_with_its_plan_and_what_runs_from_which_image(tmp_path: Path) -> None:
    engine = DemoEngine(ONE)
    engine.actions.add_image(build(["docker.io/library/box:1"], [BuildStep("ADD", 10)], {"Cmd": ["serve"]}, LONG_AGO))
    fleet = Fleet([engine], audit=AuditLog(tmp_path / "audit.jsonl"))
    spec = WorkloadSpec("web", "box:1", env={"TOKEN": "hunter2"}, command=("serve", "--token", "hunter2"))
    made = await launch(fleet, ONE, spec, settle_s=0.01)
    await fleet.close()
    [told], proof = read(tmp_path / "audit.jsonl")
    assert proof.ok
    assert "hunter2" not in json.dumps(told)
    assert told["plan"]["env"] == ["TOKEN"]
    assert told["plan"]["command"] == "serve --token ••••"
    assert (told["deployed"]["id"], told["deployed"]["name"]) == (made.key.id, "web")
    image = (await engine.list_images())[0]
    assert (told["deployed"]["image_id"], told["deployed"]["digests"]) == (image.key.id, list(image.digests))


async def test_what_is_done_beside_is_written_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    fleet = Fleet([DemoEngine(ONE)], audit=AuditLog(tmp_path / "audit.jsonl"))
    with fleet.operations.beside("container.exec", key(1), "web", plan={"command": "id"}):
        pass
    await fleet.close()
    told, _ = read(tmp_path / "audit.jsonl")
    assert [(one["outcome"], one["plan"]["command"]) for one in told] == [("started", "id"), ("done", "id")]
    assert told[0]["operation"] == told[1]["operation"]


async def test_a_move_that_failed_says_where_and_what_was_taken_back(tmp_path: Path) -> None:
    fleet = Fleet([DemoEngine(ONE)], audit=AuditLog(tmp_path / "audit.jsonl"))
    undone = Undone(("the copy is removed",), ("the volume x is still there",))
    error = MigrationFailed("no", step=Step(StepKind.START, "start web"), undone=undone, journal="j1")

    def fails() -> None:
        with fleet.operations.track("container.migrate", key(1), "web") as tracked:
            tracked.note(plan={"to": "two"})
            raise error

    with pytest.raises(MigrationFailed):
        fails()
    await fleet.close()
    [told], _ = read(tmp_path / "audit.jsonl")
    assert told["outcome"] == "failed"
    assert told["plan"] == {"to": "two"}
    left = {"undone": ["the copy is removed"], "left": ["the volume x is still there"]}
    assert told["report"] == {"step": "start web", **left, "journal": "j1"}
