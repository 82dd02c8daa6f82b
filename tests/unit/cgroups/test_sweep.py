"""A sweep over trees of every layout: values, rates, churn, restarts, descriptors."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.cgroups.files import Budget
from backends.cgroups.find import Finder
from backends.cgroups.sweep import Sweep
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from tests.unit.cgroups.machine import Machine

ENGINE = EngineId(EngineKind.DOCKER, "docker")
FIRST = Missing("first sample")
MakeMachine = Callable[[str], Machine]

PATHS = {
    "v1": ["docker/{}", "system.slice/docker-{}.scope", "libpod_parent/libpod-{}", "kubepods/burstable/pod1/{}"],
    "v2": [
        "docker/{}",
        "machine.slice/libpod-{}.scope",
        "user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{}.scope",
        "kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope",
        "machine.slice/machine-libpod_pod_" + "e" * 64 + ".slice/libpod-{}.scope",
    ],
    "hybrid": ["docker/{}", "libpod_parent/libpod-{}"],
}
CASES = [(layout, path) for layout, paths in PATHS.items() for path in paths]


def key(name: str) -> ContainerKey:
    return ContainerKey(ENGINE, hashlib.sha256(name.encode()).hexdigest())


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the monotonic clock that readings are stamped with."""
    now = [1000.0]
    monkeypatch.setattr("backends.cgroups.usage.time.monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


@pytest.mark.parametrize(("layout", "path"), CASES)
def test_values_and_rates(machine: MakeMachine, clock: Callable[[float], None], layout: str, path: str) -> None:
    host, web = machine(layout), key("web")
    place = path.format(web.id)
    host.write(place, pid=41, cpu_ns=10**9, limit=64 << 20, read=100, written=200, rx=1000, tx=2000)
    sweep = Sweep(host.cgroup, host.proc)

    first = sweep.sweep([web])[web]
    assert first.cpu_percent == FIRST
    assert first.net_rx_bytes_per_s == first.block_read_bytes_per_s == FIRST
    assert first.memory_bytes == 4_000_000
    assert first.memory_limit_bytes == 64 << 20
    assert first.processes == 3

    clock(2.0)
    host.write(place, pid=41, cpu_ns=10**9 + 3 * 10**9, read=300, written=1200, rx=5000, tx=2002)
    second = sweep.sweep([web])[web]
    assert second.cpu_percent == pytest.approx(150.0)
    assert (second.block_read_bytes_per_s, second.block_write_bytes_per_s) == (100.0, 500.0)
    assert (second.net_rx_bytes_per_s, second.net_tx_bytes_per_s) == (2000.0, 1.0)
    assert second.memory_limit_bytes == 16_000_000 * 1024  # none of its own: the machine's
    sweep.close()


def test_one_that_had_no_cpu_time_is_read_in_full_every_fifth_time(
    machine: MakeMachine, clock: Callable[[float], None]
) -> None:
    host, web = machine("v1"), key("web")
    place = f"docker/{web.id}"
    host.write(place, pid=41, cpu_ns=7, read=100)
    sweep = Sweep(host.cgroup, host.proc)
    sweep.sweep([web])
    host.write(place, pid=41, cpu_ns=7, memory=9_000_000, read=200, rx=500)  # by the kernel, without it
    seen = []
    for _ in range(5):
        clock(1.0)
        seen.append(sweep.sweep([web])[web])
    assert [one.memory_bytes for one in seen] == [4_000_000] * 4 + [8_000_000]
    assert [one.block_read_bytes_per_s for one in seen] == [0.0] * 4 + [20.0], "over all five seconds"
    assert [one.net_rx_bytes_per_s for one in seen] == [500.0] + [0.0] * 4, "packets come without CPU time"
    clock(1.0)
    host.write(place, pid=41, cpu_ns=10**9 + 7, memory=3_000_000, read=200)
    busy = sweep.sweep([web])[web]
    assert busy.cpu_percent == pytest.approx(100.0)
    assert busy.memory_bytes == 2_000_000, "at once where it works"
    sweep.close()


def test_one_in_which_nothing_goes_on_has_one_reading_until_something_does(
    machine: MakeMachine, clock: Callable[[float], None]
) -> None:
    host, web = machine("v2"), key("web")
    place = f"docker/{web.id}"
    host.write(place, pid=41, cpu_ns=7000, rx=5)
    sweep = Sweep(host.cgroup, host.proc)
    seen = []
    for _ in range(9):
        seen.append(sweep.sweep([web])[web])
        clock(1.0)
    assert len({id(one) for one in seen}) == 2, "the first, and one that knows rates"
    host.write(place, pid=41, cpu_ns=10**9 + 7000, rx=305)
    busy = sweep.sweep([web])[web]
    assert busy.cpu_percent == pytest.approx(100.0), "over the last second only"
    assert busy.net_rx_bytes_per_s == 300.0
    sweep.close()


def test_a_container_without_a_cgroup_says_so_and_is_found_later(
    machine: MakeMachine, clock: Callable[[float], None]
) -> None:
    host, web = machine("hybrid"), key("web")
    sweep = Sweep(host.cgroup, host.proc)
    assert sweep.sweep([web])[web].cpu_percent == Missing("no cgroup found on this machine")
    assert sweep.unfound == {web}
    host.write(f"docker/{web.id}", pid=41)
    clock(60.0)
    assert sweep.sweep([web])[web].memory_bytes == 4_000_000
    assert sweep.unfound == frozenset()
    sweep.close()


def test_an_unfound_container_is_not_walked_for_each_second(
    machine: MakeMachine, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[set[str]] = []
    real = Finder.find

    def counting(self: Finder, ids: set[str]) -> dict[str, dict[str, Path]]:
        walks.append(set(ids))
        return real(self, ids)

    monkeypatch.setattr(Finder, "find", counting)
    host = machine("v2")
    sweep = Sweep(host.cgroup, host.proc)
    for _ in range(120):
        sweep.sweep([key("nowhere")])
        clock(1.0)
    assert 5 <= len(walks) <= 10


def test_counters_that_went_back_are_no_negative_rate(machine: MakeMachine, clock: Callable[[float], None]) -> None:
    """A container that was started again between two sweeps, at the same path."""
    host, web = machine("v1"), key("web")
    host.write(f"docker/{web.id}", pid=41, cpu_ns=5 * 10**9, rx=1000, read=50)
    sweep = Sweep(host.cgroup, host.proc, Budget(allowed=0))
    sweep.sweep([web])
    host.write(f"docker/{web.id}", pid=41, cpu_ns=0, rx=10, read=1)
    clock(1.0)
    reading = sweep.sweep([web])[web]
    assert (reading.cpu_percent, reading.net_rx_bytes_per_s, reading.block_read_bytes_per_s) == (0.0, 0.0, 0.0)


def test_a_removed_path_is_looked_for_again_at_once(machine: MakeMachine, clock: Callable[[float], None]) -> None:
    host, web = machine("v2"), key("web")
    host.write(f"docker/{web.id}", pid=41, cpu_ns=10**9)
    sweep = Sweep(host.cgroup, host.proc, Budget(allowed=0))
    sweep.sweep([web])
    host.remove(f"docker/{web.id}")
    host.write(f"moved/docker-{web.id}.scope", pid=42, cpu_ns=0)
    clock(1.0)
    reading = sweep.sweep([web])[web]
    assert reading.cpu_percent == FIRST
    assert reading.processes == 3


def test_a_removed_cgroup_is_noticed_and_its_descriptors_closed(
    machine: MakeMachine, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, web = machine("v1"), key("web")
    host.write(f"docker/{web.id}", pid=41)
    before = open_descriptors()
    sweep = Sweep(host.cgroup, host.proc)
    sweep.sweep([web])
    assert open_descriptors() > before
    host.remove(f"docker/{web.id}")

    def enodev(*_: int) -> bytes:
        raise OSError(19, "No such device")  # what the kernel answers on a descriptor of a removed cgroup

    monkeypatch.setattr("backends.cgroups.files.os.pread", enodev)
    clock(1.0)
    assert sweep.sweep([web])[web].processes == Missing("no cgroup found on this machine")
    assert open_descriptors() == before


@pytest.mark.parametrize("layout", ["v1", "v2", "hybrid"])
def test_descriptors_stay_flat_over_churn(machine: MakeMachine, clock: Callable[[float], None], layout: str) -> None:
    host = machine(layout)
    sweep = Sweep(host.cgroup, host.proc)
    before, counts = open_descriptors(), set()
    for generation in range(30):
        alive = [key(f"{generation}-{number}") for number in range(4)]
        for number, one in enumerate(alive):
            host.write(f"docker/{one.id}", pid=100 + number)
        assert all(reading.processes == 3 for reading in sweep.sweep(alive).values())
        counts.add(open_descriptors())
        clock(1.0)
        for one in alive:
            host.remove(f"docker/{one.id}")
    assert len(counts) == 1
    assert counts.pop() > before
    sweep.sweep([])
    assert open_descriptors() == before


def test_too_few_descriptors_still_reads_everything(machine: MakeMachine) -> None:
    host, names = machine("v1"), [key(f"n{number}") for number in range(6)]
    for number, one in enumerate(names):
        host.write(f"docker/{one.id}", pid=100 + number)
    before = open_descriptors()
    sweep = Sweep(host.cgroup, host.proc, Budget(allowed=10))
    for _ in range(2):
        assert all(reading.memory_bytes == 4_000_000 for reading in sweep.sweep(names).values())
        assert open_descriptors() - before == 10
    sweep.close()
    assert open_descriptors() == before


def test_with_no_descriptor_left_it_says_so_and_recovers(
    machine: MakeMachine, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, web = machine("v1"), key("web")
    host.write(f"docker/{web.id}", pid=41)
    sweep = Sweep(host.cgroup, host.proc)

    def emfile(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr("backends.cgroups.files.os.open", emfile)
        assert sweep.sweep([web])[web].memory_bytes == Missing("too many open files")
    clock(1.0)
    assert sweep.sweep([web])[web].memory_bytes == 4_000_000
    sweep.close()


@pytest.fixture
def low_limit() -> Iterator[int]:
    """A soft limit on descriptors that a sweep of a few containers passes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(soft, 300)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    yield low
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_raises_the_soft_limit_where_it_must(low_limit: int) -> None:
    budget = Budget()
    for _ in range(low_limit):
        assert budget.take()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > low_limit


def test_finds_a_hierarchy_where_the_engine_sits_deeper(machine: MakeMachine) -> None:
    """An engine inside a container: one controller's path has a prefix that the others do not have."""
    host, web = machine("v1"), key("web")
    host.write(f"docker/{web.id}", pid=41)
    (host.cgroup / "memory" / "process_api" / "x").mkdir(parents=True)
    (host.cgroup / "memory" / "docker").rename(host.cgroup / "memory" / "process_api" / "x" / "docker")
    sweep = Sweep(host.cgroup, host.proc)
    reading = sweep.sweep([web])[web]
    assert reading.memory_bytes == 4_000_000
    assert reading.processes == 3
    sweep.close()


def test_what_is_not_there_is_missing_with_its_reason(machine: MakeMachine) -> None:
    host, web = machine("v1"), key("web")
    host.write(f"docker/{web.id}", pid=41)
    for controller in ("blkio", "memory"):
        host.remove(f"{controller}/docker")
    (host.proc / "41" / "net" / "dev").unlink()
    sweep = Sweep(host.cgroup, host.proc)
    reading = sweep.sweep([web])[web]
    assert reading.processes == 3
    assert reading.memory_bytes == Missing("no memory cgroup")
    assert reading.memory_limit_bytes == Missing("no memory cgroup")
    assert reading.block_read_bytes_per_s == Missing("no blkio cgroup")
    assert reading.net_tx_bytes_per_s == Missing("/proc/41/net/dev: No such file or directory")
    sweep.close()


def test_the_machine_s_own_network_is_not_counted_as_the_container_s(machine: MakeMachine) -> None:
    host, shared, own = machine("v2"), key("shared"), key("own")
    host.write(f"docker/{shared.id}", pid=41)
    host.write(f"docker/{own.id}", pid=42)
    for process in ("self", "42"):
        (host.proc / process / "ns").mkdir(parents=True)
        (host.proc / process / "ns" / "net").write_text(process)
    (host.proc / "41" / "ns").mkdir()
    (host.proc / "41" / "ns" / "net").hardlink_to(host.proc / "self" / "ns" / "net")
    sweep = Sweep(host.cgroup, host.proc)
    for _ in range(2):
        readings = sweep.sweep([shared, own])
        assert readings[shared].net_rx_bytes_per_s == Missing("uses the machine's own network")
    assert not isinstance(readings[own].net_rx_bytes_per_s, Missing)
    sweep.close()


def test_looked_at_before_its_network_was_made(machine: MakeMachine, clock: Callable[[float], None]) -> None:
    """A runtime joins the cgroup first: for a moment the first process is still in the machine's namespace."""
    host, web = machine("v2"), key("web")
    host.write(f"docker/{web.id}", pid=41, rx=100)
    for process in ("self", "41"):
        (host.proc / process / "ns").mkdir(parents=True)
    (host.proc / "self" / "ns" / "net").write_text("")
    (host.proc / "41" / "ns" / "net").hardlink_to(host.proc / "self" / "ns" / "net")
    sweep = Sweep(host.cgroup, host.proc)
    assert sweep.sweep([web])[web].net_rx_bytes_per_s == Missing("uses the machine's own network")
    (host.proc / "41" / "ns" / "net").unlink()
    (host.proc / "41" / "ns" / "net").write_text("its own")
    clock(1.0)
    assert sweep.sweep([web])[web].net_rx_bytes_per_s == FIRST
    host.write(f"docker/{web.id}", pid=41, rx=150)
    clock(1.0)
    assert sweep.sweep([web])[web].net_rx_bytes_per_s == 50.0
    sweep.close()


def test_processes_in_nested_cgroups_lead_to_the_network(machine: MakeMachine) -> None:
    """systemd inside, or Podman's split mode: v2 keeps processes in leaves only."""
    host, web = machine("v2"), key("web")
    path = f"machine.slice/libpod-{web.id}.scope"
    host.write(path, pid=41)
    (host.cgroup / path / "cgroup.procs").write_text("")
    (host.cgroup / path / "container").mkdir()
    (host.cgroup / path / "container" / "cgroup.procs").write_text("41\n")
    sweep = Sweep(host.cgroup, host.proc)
    assert sweep.sweep([web])[web].net_rx_bytes_per_s == FIRST
    sweep.close()


def test_the_conmon_cgroup_is_not_the_container(machine: MakeMachine) -> None:
    host, web = machine("hybrid"), key("web")
    host.write(f"libpod_parent/libpod-conmon-{web.id}", pid=7)
    sweep = Sweep(host.cgroup, host.proc)
    sweep.sweep([web])
    assert sweep.unfound == {web}


def test_no_cgroup_tree_at_all(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path / "none", tmp_path / "none")
    assert sweep.sweep([key("web")])[key("web")].cpu_percent == Missing("no cgroup found on this machine")
