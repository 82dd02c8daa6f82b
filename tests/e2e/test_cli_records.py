"""Backups kept and proven, and the audit trail of it all, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli import Cli
from tests.real import RealEngines

pytestmark = [pytest.mark.engines, pytest.mark.e2e]


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


def test_backups_are_kept_and_all_is_in_a_trail_that_is_whole(cli: Cli, tmp_path: Path) -> None:
    name = cli.name("kept")
    cli.make("podman", name, "--env=API_TOKEN=hunter2-hunter2")
    first = cli("backup", name, str(tmp_path), "--keep", "1", "--live", "--json")
    assert first.code == 0, first.err
    old = Path(first.json["backup"]["file"])
    old = old.rename(old.with_name(f"{name}@podman-20200101T000000Z.backup"))
    second = cli("backup", name, str(tmp_path), "--keep", "1", "--live", "--json").json
    assert second["keep"]["removed"] == [str(old)]
    assert not old.exists()
    ran = cli("exec", "--engine", "podman", name, "sh", "-c", "PASSWORD=hunter2-hunter2 true")
    assert ran.code == 0, ran.err
    listed = cli("audit", "--container", name, "--json")
    entries = listed.json["entries"]
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("container.backup", "done"),
        ("container.backup_keep", "done"),
        ("container.backup", "done"),
        ("container.backup_keep", "done"),
        ("container.exec", "started"),
        ("container.exec", "done"),
    ]
    assert "hunter2-hunter2" not in listed.out
    version = cli.engines.cli("podman", "version", "--format", "{{.Server.Version}}").strip()
    assert {entry["engine_version"] for entry in entries} == {version}
    assert entries[0]["object"]["image_id"] == cli.inspect("podman", name)["Image"].removeprefix("sha256:")
    assert listed.json["chain"]["ok"] is True
    log = Path(listed.json["file"])
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
    broken = cli("audit", "--verify", "--json")
    assert broken.code == 1
    assert json.loads(broken.out)["chain"]["flaws"][0]["line"] == 3
