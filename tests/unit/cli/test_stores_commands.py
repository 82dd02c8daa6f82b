"""`tranship volume`, `network` and `cp` on the demo fleet; every key of their JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.demo import demo, document


def test_volumes_are_listed_with_users_and_sizes() -> None:
    told = document("volume", "ls")
    assert told["errors"] == []
    (notebooks,) = (one for one in told["volumes"] if one["name"] == "notebooks")
    assert notebooks.pop("created_at").endswith("Z")
    assert notebooks.pop("size_bytes") > 0
    assert notebooks == {
        "engine": "demo-docker",
        "name": "notebooks",
        "driver": "local",
        "anonymous": False,
        "mountpoint": None,
        "labels": {},
        "options": {},
        "containers": ["jupyter-lab"],
        "why": None,
        "dangling": False,
        "missing": {},
    }
    assert document("volume", "ls", "--unused")["volumes"] == []
    assert document("volume", "ls", "--no-sizes")["volumes"][0]["missing"] == {"size_bytes": "not counted yet"}
    assert "jupyter-lab" in demo("volume", "ls").stdout


def test_a_volume_is_inspected_and_browsed() -> None:
    assert document("volume", "inspect", "notebooks")["volume"]["name"] == "notebooks"
    assert "Used by      jupyter-lab" in demo("volume", "inspect", "notebooks").stdout
    told = document("volume", "browse", "notebooks")
    assert (told["volume"], told["path"]) == ("notebooks", "/")
    (first, *_) = told["entries"]
    assert set(first) == {"name", "kind", "size_bytes", "mode", "uid", "gid", "modified_at", "target"}
    assert demo("volume", "browse", "notebooks", "/nothing").exit_code == 1
    assert demo("volume", "inspect", "nothing").exit_code == 1


def test_files_are_copied_out_of_a_volume(tmp_path: Path) -> None:
    (first, *_) = document("volume", "browse", "notebooks", "/evals")["entries"]
    path = f"/evals/{first['name']}"
    told = document("volume", "cp", "notebooks", path, str(tmp_path))
    assert (first["kind"], told["action"], told["container"], told["files"]) == ("file", "cp", None, 1)
    assert told["target"] == str(tmp_path / first["name"])
    assert (tmp_path / first["name"]).stat().st_size == first["size_bytes"]
    again = demo("volume", "cp", "notebooks", path, str(tmp_path))
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert demo("volume", "cp", "-f", "notebooks", path, str(tmp_path)).exit_code == 0


def test_volumes_are_made_and_used_ones_kept() -> None:
    told = document("volume", "create", "fresh", "-l", "a=b", "--engine", "demo-podman")
    assert told == {"schema": 1, "action": "volume.create", "engine": "demo-podman", "name": "fresh", "error": None}
    assert "say on which engine with --engine" in demo("volume", "create", "fresh").stderr
    refused = demo("volume", "rm", "-y", "notebooks")
    assert refused.exit_code == 1
    assert "used by jupyter-lab" in refused.stderr
    assert "there is no terminal to ask on" in demo("volume", "rm", "notebooks").stderr
    assert document("volume", "prune", "--all", "-y")["results"] == []
    assert demo("--readonly", "volume", "create", "x", "--engine", "demo-podman").exit_code == 1


def test_networks() -> None:
    told = document("network", "ls")
    (bridge,) = (one for one in told["networks"] if one["name"] == "bridge")
    assert "jupyter-lab" in bridge.pop("containers")
    assert len(bridge.pop("id")) == 64
    assert bridge == {
        "engine": "demo-docker",
        "name": "bridge",
        "driver": "bridge",
        "default": True,
        "internal": False,
        "ipv6": False,
        "dns": False,
        "subnets": [{"subnet": "172.17.0.0/16", "gateway": "172.17.0.1", "ip_range": None}],
        "created_at": None,
        "labels": {},
        "options": {},
        "why": None,
        "dangling": False,
    }
    made = document("network", "create", "lab", "--subnet", "10.9.8.0/24", "--engine", "demo-docker")
    assert made["action"] == "network.create"
    assert "172.17.0.0/16" in demo("network", "inspect", "bridge").stdout
    assert "stays" in demo("network", "rm", "-y", "bridge").stderr
    assert demo("network", "create", "lab", "--gateway", "10.0.0.1").exit_code == 2
    assert document("network", "prune", "-y")["results"] == []


def test_files_out_of_the_demo_and_the_refusals(tmp_path: Path) -> None:
    result = demo("cp", "jupyter-lab:/home/jovyan/work", str(tmp_path / "work"), "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["target"] == str(tmp_path / "work")
    assert told["files"] == len([one for one in (tmp_path / "work").rglob("*") if one.is_file()]) > 0
    assert demo("cp", "jupyter-lab:/home/jovyan/work", str(tmp_path / "work")).exit_code == 0
    assert (tmp_path / "work" / "work").is_dir(), "into the folder that is there"
    again = demo("cp", "jupyter-lab:/home/jovyan/work", str(tmp_path / "work"), "-f")
    assert again.exit_code == 1
    assert "is a folder" in again.stderr
    (tmp_path / "in").write_text("here")
    into = demo("cp", str(tmp_path / "in"), "jupyter-lab:/tmp", "--owner", "1000")
    assert into.exit_code == 0
    assert "jupyter-lab:/tmp/in" in into.stdout
    assert demo("cp", "a", "b").exit_code == 2
    assert demo("cp", "a", "jupyter-lab:/", "--owner", "me").exit_code == 2
    assert demo("--readonly", "cp", str(tmp_path / "in"), "jupyter-lab:/tmp").exit_code == 1
