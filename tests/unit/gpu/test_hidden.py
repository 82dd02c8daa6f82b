"""Whether Tranship runs in a container that hides the host's processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.gpu.hidden import in_a_container

FIRST, OWN = "pid:[4026531836]", "pid:[4026533001]"
ID = "a" * 64


def machine(folder: Path, *, namespace: str, mark: str = "", cgroup: str = "0::/") -> bool:
    """What is found on a machine where this program is in that pid namespace and cgroup."""
    proc, root = folder / "proc", folder / "root"
    (proc / "self" / "ns").mkdir(parents=True)
    (proc / "self" / "ns" / "pid").symlink_to(namespace)
    (proc / "self" / "cgroup").write_text(f"{cgroup}\n")
    if mark:
        (root / mark).parent.mkdir(parents=True)
        (root / mark).write_text("")
    return in_a_container(proc, root)


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_namespace_of_its_own_and_an_engine_s_mark(tmp_path: Path, mark: str) -> None:
    assert machine(tmp_path, namespace=OWN, mark=mark)


def test_the_cgroup_tells_where_there_is_no_mark(tmp_path: Path) -> None:
    assert machine(tmp_path, namespace=OWN, cgroup=f"5:memory:/kubepods/pod1/{ID}")


def test_kubernetes_tells_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert machine(tmp_path, namespace=OWN)


def test_with_the_host_s_processes_nothing_is_hidden(tmp_path: Path) -> None:
    assert not machine(tmp_path, namespace=FIRST, mark=".dockerenv", cgroup=f"0::/docker/{ID}")


def test_a_sandbox_that_is_no_container_is_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert not machine(tmp_path, namespace=OWN)


def test_nothing_is_claimed_where_the_namespace_is_not_told(tmp_path: Path) -> None:
    assert not in_a_container(tmp_path / "proc", tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="a pid namespace of its own needs root")
def test_a_real_namespace_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").write_text("")
    code = "import sys, pathlib, backends.gpu.hidden as h; print(h.in_a_container(root=pathlib.Path(sys.argv[1])))"
    argv = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "True"
