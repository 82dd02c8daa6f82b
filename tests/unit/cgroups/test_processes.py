"""Whose a process is, remembered; a number that was given anew is another process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.cgroups import processes
from backends.cgroups.processes import UNSEEN, ProcessFacts, ProcessTable, monitored_by, name_and_user

A, B = "a" * 64, "b" * 64


class Proc:
    """A /proc of a test. opened: the files that were read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 0.0
        self._made = 0

    def table(self) -> ProcessTable:
        return ProcessTable(self.root, lambda: self.now)

    def put(self, pid: int, name: str, *containers: str, user: int = 1000, parent: int = 0) -> None:
        """Begin a process of that number; another one of it, where there was one."""
        folder, self._made = self.root / str(pid), self._made + 1
        if folder.exists():
            folder.rename(self.root / f"ended-{self._made}")
        folder.mkdir()
        self.rename(pid, name, *containers, user=user, parent=parent)

    def rename(self, pid: int, name: str, *containers: str, user: int = 1000, parent: int = 0) -> None:
        """Change what the kernel tells of the same process."""
        status = f"Name:\t{name}\nUmask:\t0022\nPPid:\t{parent}\nUid:\t{user}\t0\t0\t0\n"
        (self.root / str(pid) / "status").write_text(status)
        (self.root / str(pid) / "cgroup").write_text("0::/" + "/".join(f"docker/{one}" for one in containers) + "\n")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def test_program_user_and_container(proc: Proc) -> None:
    proc.put(7, "python3", A)
    proc.put(8, "bash", user=0)
    table = proc.table()
    assert table.facts(7) == ProcessFacts("python3", 1000, A)
    assert table.facts(8) == ProcessFacts("bash", 0, "")
    assert table.facts(9) == UNSEEN


def test_of_nested_containers_the_innermost_known_one_even_where_that_changes(proc: Proc) -> None:
    proc.put(7, "python3", A, B)
    table = proc.table()
    assert table.facts(7).container_id == B
    assert table.facts(7, {A}).container_id == A
    assert table.facts(7, {A, B}).container_id == B
    assert table.facts(7, set()).container_id == B


def test_a_number_that_was_given_anew_is_another_process_at_once(proc: Proc) -> None:
    proc.put(7, "python3", A)
    table = proc.table()
    table.facts(7)
    proc.put(7, "bash", B, user=5)
    assert table.facts(7) == ProcessFacts("bash", 5, B)


def test_the_same_process_is_read_again_only_now_and_then(proc: Proc) -> None:
    proc.put(7, "python3", A)
    table = proc.table()
    table.facts(7)
    proc.rename(7, "vllm", B)
    proc.now = 29.0
    kept = [table.facts(7).name]
    proc.now = 61.0
    kept.append(table.facts(7).name)
    assert kept == ["python3", "vllm"]


def test_one_that_ended_is_forgotten(proc: Proc) -> None:
    proc.put(7, "python3", A)
    proc.put(8, "bash", A)
    table = proc.table()
    table.facts(7), table.facts(8)
    (proc.root / "7").rename(proc.root / "gone")
    assert table.facts(7) == UNSEEN
    table.keep_only({7})
    proc.put(7, "sh")
    assert table.facts(7).name == "sh"
    assert table.facts(8).name == "bash"


@pytest.mark.parametrize("missing", ["status", "cgroup"])
def test_a_file_that_may_not_be_read_hides_only_what_it_tells(proc: Proc, missing: str) -> None:
    proc.put(7, "python3", A)
    (proc.root / "7" / missing).unlink()
    expected = {"status": ProcessFacts("", None, A), "cgroup": ProcessFacts("python3", 1000, "")}
    assert proc.table().facts(7) == expected[missing]


@pytest.fixture
def sleeper() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def test_a_real_process_and_the_files_read_for_it(sleeper: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look reads nothing: the inode of a live process's entry stays."""
    table, opened = ProcessTable(), list[str]()
    while table.facts(sleeper).name != "sleep":  # between fork and exec it is still this program
        table = ProcessTable()

    def counted(path: str, *arguments: Any, **options: Any) -> Any:
        opened.append(path)
        return open(path, *arguments, **options)

    monkeypatch.setattr(processes, "open", counted, raising=False)
    fresh = ProcessTable()
    first = [fresh.facts(sleeper) for _ in range(100)]
    assert set(first) == {ProcessFacts("sleep", os.getuid(), first[0].container_id)}
    files = [path for path in opened if path.startswith(f"/proc/{sleeper}/")]
    assert sorted(files) == [f"/proc/{sleeper}/cgroup", f"/proc/{sleeper}/status"]


def begin(program: str, *, as_pid: int = 0) -> subprocess.Popen[bytes]:
    """Start a program; with as_pid under that number, where nobody else takes it first."""
    if as_pid:
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(as_pid - 1))
    return subprocess.Popen(program.split())


@pytest.mark.skipif(not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK), reason="choosing a pid needs root")
def test_the_kernel_shows_a_number_that_was_given_anew_as_another_entry() -> None:
    table = ProcessTable()
    for _ in range(20):
        with begin("sleep 60") as first:
            while table.facts(first.pid).name != "sleep":
                table = ProcessTable()
            first.kill()
        with begin("tail -f /dev/null", as_pid=first.pid) as second:
            while Path(f"/proc/{second.pid}/comm").read_text() != "tail\n":
                continue
            name = table.facts(second.pid).name
            second.kill()
        if second.pid == first.pid:
            assert name == "tail"
            return
    pytest.skip("another program took the number each time")


def test_a_container_without_a_cgroup_is_told_by_its_monitor(proc: Proc) -> None:
    proc.put(1, "systemd")
    proc.put(40, "conmon", parent=1)
    (proc.root / "40" / "cmdline").write_bytes(f"/usr/bin/conmon\0--api-version\0001\0-c\0{A}\0-u\0{B}\0".encode())
    proc.put(41, "catatonit", parent=40)
    proc.put(42, "python3", parent=41)
    proc.put(43, "bash", parent=1)
    proc.put(44, "python3", B, parent=41)
    table = proc.table()
    assert [table.facts(pid).container_id for pid in (41, 42, 43)] == [A, A, ""]
    assert table.facts(44).container_id == B
    assert proc.table().facts(44, {A}).container_id == A  # inside a container that nobody here knows
    assert table.facts(40).container_id == ""


def test_ancestors_that_are_gone_or_go_round_end_the_search(proc: Proc) -> None:
    proc.put(41, "python3", parent=40)
    proc.put(50, "a", parent=51)
    proc.put(51, "b", parent=50)
    table = proc.table()
    assert [table.facts(pid).container_id for pid in (41, 50)] == ["", ""]


@pytest.mark.parametrize(
    "words",
    [[], ["conmon"], ["conmon", "-c"], ["conmon", "-c", "short"], ["conmon", "-u", A], ["conmon", "-c", f"{A}0"]],
)
def test_a_monitor_that_names_no_container(words: list[str]) -> None:
    assert monitored_by("\0".join(words).encode()) == ()


@given(st.binary())
def test_any_command_line_is_read_without_an_error(text: bytes) -> None:
    assert all(len(one) == 64 for one in monitored_by(b"-c\0" + text))


@given(st.binary())
def test_any_text_of_status_is_read_without_an_error(text: bytes) -> None:
    name, user = name_and_user(text)
    assert isinstance(name, str)
    assert user is None or user >= 0
