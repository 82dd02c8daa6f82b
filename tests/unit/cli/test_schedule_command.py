"""`tranship schedule`, `backup --keep` and `verify-backup` on the demo fleet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.demo import demo, document

NAME = "rag-redis"


@pytest.fixture(autouse=True)
def _no_crontab_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_the_units_are_shown_and_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://ann:hunter2@gpu01:2376")
    monkeypatch.setenv("CONTAINER_HOST", "unix:///run/p.sock")
    said = document("schedule", NAME, "--to", str(tmp_path), "--keep", "3", "--live")["schedule"]
    assert (said["name"], said["engine"], said["by"], said["installed"]) == (NAME, "demo-podman", "systemd", False)
    service, timer = (file["text"] for file in said["files"])
    assert f'"backup" "--keep" "3" "--from" "demo-podman" "--live" "--" "{NAME}" "{tmp_path}"' in service
    assert "CONTAINER_HOST" in service
    assert "hunter2" not in json.dumps(said)
    assert any("DOCKER_HOST holds a password" in note for note in said["notes"])
    assert any("not checked" in note for note in said["notes"])
    assert "OnCalendar=" in timer
    plain = demo("schedule", NAME, "--to", str(tmp_path))
    assert plain.exit_code == 0
    assert "[Timer]" in plain.stdout
    assert "would be scheduled" in plain.stderr


def test_a_line_of_cron(tmp_path: Path) -> None:
    said = document("schedule", NAME, "--to", str(tmp_path), "--cron", "--every", "30 2 * * 1-5")["schedule"]
    assert said["files"][0]["text"].splitlines()[1].startswith("30 2 * * 1-5 env ")
    refused = demo("schedule", NAME, "--to", str(tmp_path), "--cron", "--every", "Mon 03:00")
    assert refused.exit_code == 1
    assert "no time of cron" in refused.stderr


def test_what_cannot_be_meant(tmp_path: Path) -> None:
    assert demo("schedule").exit_code == 2
    assert demo("schedule", NAME, "--to", str(tmp_path / "no-such")).exit_code == 2
    assert "--demo" in demo("schedule", NAME, "--to", str(tmp_path), "--install").stderr
    assert demo("schedule", "no-such", "--to", str(tmp_path)).exit_code == 1
    assert demo("schedule", "--remove").exit_code == 2


def test_nothing_is_scheduled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("backends.schedule.install._SYSTEM", tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert document("schedule", "--list")["schedules"] == []
    assert "no backup of" in demo("schedule", NAME, "--remove").stderr


def test_backups_are_kept_and_proven(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert demo("backup", NAME, str(folder)).exit_code == 2
    assert demo("backup", NAME, str(tmp_path / "file"), "--keep", "1").exit_code == 2
    made = document("backup", NAME, str(folder), "--keep", "1")
    file = made["backup"]["file"]
    assert made["keep"] == {"kept": [file], "removed": [], "damaged": []}
    proven = document("verify-backup", file)["backups"]
    assert [(one["ok"], one["name"]) for one in proven] == [(True, NAME)]
    assert demo("verify-backup", file).stdout.startswith("✓")
    content = bytearray(Path(file).read_bytes())
    content[600] ^= 1
    bad = tmp_path / "bad.backup"
    bad.write_bytes(content)
    assert [one["ok"] for one in document("verify-backup", file, str(bad), code=1)["backups"]] == [True, False]
    assert "damaged" in demo("verify-backup", str(bad)).stderr
