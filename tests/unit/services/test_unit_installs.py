"""Units that are put where systemd looks: a line of the trail as it begins, and one at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.export.exported import ExportFile
from backends.model.errors import Denied
from backends.model.workload import WorkloadSpec
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.unit_installs import installing
from tests.unit.services.fleet_facts import ONE
from tests.unit.services.test_images import WEB, put


async def test_an_install_is_in_the_trail_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    engine = DemoEngine(ONE, look_s=0, act_s=0)
    put(engine, WEB, top="web")
    await engine.create_container(WorkloadSpec("web", WEB))
    fleet = Fleet([engine], audit=AuditLog(path))
    await fleet.start()
    assert await fleet.ready(10)
    row = next(iter(fleet.store.view.containers.values()))
    files = [ExportFile(f"{row.name}.container", "[Container]\n")]
    with installing(fleet, [row], files, tmp_path):
        pass
    with pytest.raises(Denied), installing(fleet, [row], files, tmp_path):
        raise Denied("no room")
    await fleet.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["action"] for line in lines} == {"container.install_units"}
    assert [line["outcome"] for line in lines] == ["started", "done", "started", "failed"]
    assert lines[0]["plan"] == {"folder": str(tmp_path), "files": [f"{row.name}.container"]}
