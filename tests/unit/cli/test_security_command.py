"""`tranship security` on the demo fleet: its document, its table, its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.model.errors import Unreachable
from tests.unit.cli.demo import demo, document

FINDING_KEYS = {"id", "severity", "title", "field", "fact", "why", "remedy", "flags"}


def test_all_as_json() -> None:
    answer = document("security")
    containers = {(one["engine"], one["name"]): one for one in answer["containers"]}
    assert [one["engine"] for one in answer["engines"]] == ["demo-docker", "demo-podman"]
    minio = containers["demo-docker", "mlops-minio-1"]
    assert len(minio["capabilities"]) == 14
    ids = [one["id"] for one in minio["findings"]]
    assert {"root", "port-everywhere", "image-latest"} <= set(ids)
    assert "root" not in [one["id"] for one in containers["demo-docker", "jupyter-lab"]["findings"]]
    for part in (*answer["containers"], *answer["engines"]):
        assert all(set(one) == FINDING_KEYS for one in part["findings"])
    assert answer["reached"] == 0


def test_from_the_level_up_it_fails() -> None:
    answer = document("security", "mlops-minio-1", "--severity", "medium", code=1)
    assert [one["name"] for one in answer["containers"]] == ["mlops-minio-1"]
    assert [one["engine"] for one in answer["engines"]] == ["demo-docker"]
    assert answer["reached"] == 2
    assert demo("security", "mlops-minio-1").exit_code == 0


def test_the_table_names_who_shares_a_finding() -> None:
    header, *rows = demo("security", "tensorboard", "rag-redis").stdout.splitlines()
    assert header.split() == ["SEVERITY", "WHERE", "FINDING", "REMEDY"]
    root = next(row for row in rows if "runs as root, without" in row)
    assert "tensorboard (demo-docker), rag-redis (demo-podman)" in root
    assert "--user 1000:1000" in root
    assert not any(row.startswith("info") for row in rows)
    assert any(row.startswith("info") for row in demo("security", "tensorboard", "--all").stdout.splitlines())
    assert "0 at high or above" in rows[-1]


def test_what_rootless_podman_would_change() -> None:
    answer = document("security", "tensorboard", "--rootless")
    [moved] = answer["rootless"]
    assert (moved["name"], moved["imagined"], moved["already"]) == ("tensorboard", True, False)
    assert any("limits of open files" in one["what"] for one in moved["changes"])
    assert document("security", "tensorboard")["rootless"] is None
    said = demo("security", "tensorboard", "--rootless").stdout
    assert "tensorboard on rootless Podman (judged by " in said


def test_an_engine_alone() -> None:
    answer = document("security", "--engine", "demo-podman")
    assert {one["engine"] for one in (*answer["containers"], *answer["engines"])} == {"demo-podman"}


def test_an_engine_that_falls_silent_is_three(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(self: DemoEngine, _container: str) -> object:
        raise Unreachable("connection lost", engine=self.id)

    monkeypatch.setattr(DemoEngine, "workload_spec", silent)
    result = demo("security", "tensorboard")
    assert result.exit_code == 3
    assert "connection lost" in result.stderr
    assert demo("security", "nobody").exit_code == 1


def test_slow_looks_that_are_asked_for_are_told_however_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = demo("security", "tensorboard", "rag-redis", "--signatures", "--scan").stdout
    assert "its engine has no signature policy" in told
    assert "neither Trivy nor Grype is on this machine" in told
    assert "trivy.dev" in told
    found = document("security", "rag-redis", "--scan")["containers"][0]["findings"]
    assert "scan-none" in [one["id"] for one in found]
