"""Texts of cgroup and proc files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.cgroups.parse import (
    Transfer,
    blkio_bytes,
    first_pid,
    io_stat,
    keyed,
    limit_bytes,
    mem_total_bytes,
    net_dev,
    number,
    working_set_bytes,
)

NET = b"""Inter-|   Receive                                        |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo:     500    5    0    0    0     0          0         0    500       5    0    0    0     0       0          0
  eth0:1234567890  9    0    0    0     0          0         0   4321      12    0    0    0     0       0          0
  eth1:       1    9    0    0    0     0          0         0      2      12    0    0    0     0       0          0
"""


@pytest.mark.parametrize(("text", "value"), [(b"12\n", 12), (b"0", 0), (b"max\n", None), (b"-1", None), (b"", None)])
def test_number(text: bytes, value: int | None) -> None:
    assert number(text) == value


def test_keyed_takes_whole_keys_only() -> None:
    text = b"inactive_file 1\ntotal_inactive_file 22\nlast 3"
    assert keyed(text, b"inactive_file") == 1
    assert keyed(text, b"total_inactive_file") == 22
    assert keyed(text, b"last") == 3
    assert keyed(text, b"active_file") is None
    assert keyed(b"", b"x") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"67108864\n", 67108864),
        (b"max\n", -1),
        (b"9223372036854771712\n", -1),
        (b"9223372036854710272", -1),
        (b"?", None),
    ],
)
def test_limit(text: bytes, value: int | None) -> None:
    assert limit_bytes(text) == value


def test_working_set_is_what_docker_s_command_line_shows() -> None:
    assert working_set_bytes(100, b"inactive_file 7\ntotal_inactive_file 30\n") == 70  # v1
    assert working_set_bytes(100, b"inactive_file 7\n") == 93  # v2
    assert working_set_bytes(100, b"inactive_file 100\n") == 100  # not smaller than the usage: left as it is
    assert working_set_bytes(100, b"anon 1\n") is None


def test_block_io_is_summed_over_devices() -> None:
    v2 = b"8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n253:1 rbytes=5 wbytes=6\n7:0 \n"
    v1 = b"8:0 Read 10\n8:0 Write 20\n8:0 Sync 9\n8:0 Total 30\n253:1 Read 5\n253:1 Write 6\nTotal 41\n"
    assert io_stat(v2) == blkio_bytes(v1) == Transfer(15, 26)
    assert io_stat(b"") == blkio_bytes(b"") == Transfer(0, 0)


def test_network_is_summed_without_loopback() -> None:
    assert net_dev(NET) == Transfer(1234567891, 4323)
    assert net_dev(b"Inter-|\n face |bytes\n    lo: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n") == Transfer(0, 0)
    assert net_dev(b"") is None


def test_first_pid_passes_over_processes_of_other_namespaces() -> None:
    assert first_pid(b"0\n0\n812\n900\n") == 812
    assert first_pid(b"") is None


def test_mem_total() -> None:
    assert mem_total_bytes(b"MemTotal:       24684092 kB\nMemFree: 1 kB\n") == 24684092 * 1024
    assert mem_total_bytes(b"MemFree: 1 kB\n") is None


@given(st.binary())
def test_any_bytes_are_read_without_an_error(text: bytes) -> None:
    assert io_stat(text).incoming >= 0
    assert blkio_bytes(text).outgoing >= 0
    for value in (number(text), keyed(text, b"a"), first_pid(text), mem_total_bytes(text)):
        assert value is None or value >= 0
    totals = net_dev(text)
    assert totals is None or totals.incoming >= 0
    limit = limit_bytes(text)
    assert limit is None or limit >= -1


amounts = st.integers(0, 2**63)


@given(st.dictionaries(st.from_regex(r"\A[a-z]{1,6}[0-9]\Z"), st.tuples(amounts, amounts), min_size=1))
def test_network_text_of_any_interfaces_sums_up(interfaces: dict[str, tuple[int, int]]) -> None:
    text = "\n".join(f"  {name}:{rx} 0 0 0 0 0 0 0 {tx} 0 0 0 0 0 0 0" for name, (rx, tx) in interfaces.items())
    expected = Transfer(sum(rx for rx, _ in interfaces.values()), sum(tx for _, tx in interfaces.values()))
    assert net_dev(text.encode()) == expected


@given(st.dictionaries(st.from_regex(r"\A[a-z_]{1,12}\Z"), amounts))
def test_keyed_finds_what_was_written(values: dict[str, int]) -> None:
    text = "".join(f"{key} {value}\n" for key, value in values.items()).encode()
    assert {key: keyed(text, key.encode()) for key in values} == values
