"""`tranship audit`: lists, filters, proves, and says by its exit code whether the record is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.services.audit_file import AuditFiles
from tests.unit.cli.demo import demo, document

_WHO = {"user": "ann", "uid": 1000, "ssh_from": "10.0.0.7", "sudo_user": None}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trail of three lines: a run, a stop that failed, a login."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "tranship" / "audit.jsonl"
    files = AuditFiles(path)
    common = {"who": _WHO, "host": "gpu01"}
    ran = {"engine": "podman", "id": "a" * 64, "name": "web", "image": "box:1", "image_id": "b" * 64}
    for action, at, engine, subject, more in (
        ("container.run", "2026-11-20T10:00:00.000+00:00", "podman", "web", {"deployed": {**ran, "digests": ["d"]}}),
        ("container.stop", "2026-11-27T10:00:00.000+00:00", "docker", "api", {"title": "\x1b[31mno", "error": "X"}),
        ("registry.login", "2026-11-28T10:00:00.000+00:00", "docker", "ghcr.io", {}),
    ):
        done = "failed" if "error" in more else "done"
        files.append(
            {**common, "action": action, "at": at, "engine": engine, "subject": subject, "outcome": done, **more}
        )
    return path


@pytest.mark.usefixtures("log")
def test_it_lists_what_was_done() -> None:
    said = demo("audit")
    assert said.exit_code == 0
    assert said.stdout.splitlines()[0].split() == ["WHEN", "WHO", "ENGINE", "ACTION", "WHAT", "OUTCOME"]
    assert "ann (10.0.0.7)" in said.stdout
    assert "\x1b" not in said.stdout


@pytest.mark.parametrize(
    ("options", "actions"),
    [
        (("--engine", "docker"), ["container.stop", "registry.login"]),
        (("--container", "web"), ["container.run"]),
        (("--container", "aaaa"), ["container.run"]),
        (("--action", "container"), ["container.run", "container.stop"]),
        (("--action", "stop"), ["container.stop"]),
        (("--since", "2026-11-25T00:00:00+00:00"), ["container.stop", "registry.login"]),
        (("--tail", "1"), ["registry.login"]),
        (("--deployments",), None),
    ],
)
@pytest.mark.usefixtures("log")
def test_filters(options: tuple[str, ...], actions: list[str] | None) -> None:
    answer = document("audit", *options)
    assert answer["chain"]["ok"] is True
    if actions is None:
        [ran] = answer["deployments"]
        assert (ran["engine"], ran["name"], ran["digests"]) == ("podman", "web", ["d"])
        assert len(ran["record"]) == 64
        assert "box:1" in demo("audit", "--deployments").stdout
    else:
        assert [entry["action"] for entry in answer["entries"]] == actions


def test_the_proof_is_the_exit_code(log: Path) -> None:
    whole = demo("audit", "--verify")
    assert (whole.exit_code, whole.stdout[0]) == (0, "✓")
    log.write_text(log.read_text().replace("docker", "podman", 1))
    broken = demo("audit", "--verify")
    assert broken.exit_code == 1
    assert "audit.jsonl, line 2" in broken.stdout
    flaws = document("audit", "--verify", code=1)["chain"]["flaws"]
    assert (flaws[0]["file"], flaws[0]["line"]) == ("audit.jsonl", 2)
    listed = demo("audit")
    assert listed.exit_code == 0
    assert "not whole" in listed.stderr
    assert demo("audit", "--verify", "--engine", "docker").exit_code == 2


def test_nothing_written_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert demo("audit", "--verify").exit_code == 0
    assert json.loads(demo("audit", "--json").stdout)["entries"] == []
