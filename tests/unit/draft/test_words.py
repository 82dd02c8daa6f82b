"""The short texts of options: what is read is what is written, and what is wrong is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.draft import words
from backends.model.container import MountKind, Port
from backends.model.run_words import port_text, size_text
from backends.model.settings import UNLIMITED, Ulimit
from backends.model.workload import MountSpec, RestartName, RestartPolicy


@given(st.integers(1, 1 << 50))
def test_sizes_come_back(count: int) -> None:
    assert words.read_size(size_text(count)) == count


@given(
    st.builds(
        Port,
        st.integers(1, 65535),
        st.sampled_from(["tcp", "udp", "sctp"]),
        st.sampled_from(["", "127.0.0.1", "::1", "0.0.0.0"]),
        st.integers(0, 65535),
    )
)
def test_ports_come_back(port: Port) -> None:
    assert words.read_ports(port_text(port)) == (port,)


@given(
    st.sampled_from(["/host/path", "volume-1", "tmpfs", ""]),
    st.booleans(),
    st.sampled_from(["", "z", "Z"]),
    st.sampled_from([(), ("noexec",), ("nodev", "nosuid")]),
)
def test_mounts_come_back(source: str, read_only: bool, relabel: str, options: tuple[str, ...]) -> None:
    kind = MountKind.TMPFS if source == "tmpfs" else MountKind.BIND if source[:1] == "/" else MountKind.VOLUME
    mount = MountSpec(
        kind, "" if source == "tmpfs" else source, "/inside", read_only, anonymous=not source,
        relabel="" if source == "tmpfs" else relabel, options=options, size_bytes=1 << 20 if source == "tmpfs" else 0,
    )  # fmt: skip
    assert words.read_mount(words.mount_text(mount)) == mount


@given(st.sampled_from(sorted(words.ULIMITS)), st.integers(0, 10**9), st.integers(0, 10**9), st.booleans())
def test_limits_come_back(name: str, low: int, more: int, unlimited: bool) -> None:
    limit = Ulimit(name, low, UNLIMITED if unlimited else low + more)
    assert words.read_ulimit(words.ulimit_text(limit)) == limit


@given(st.integers(1, 10**9), st.sampled_from([10**6, 10**9, 60 * 10**9]))
def test_times_come_back(count: int, unit: int) -> None:
    assert words.read_duration(words.duration_text(count % 10**5 * unit + unit)) == count % 10**5 * unit + unit


@pytest.mark.parametrize("text", ["8g", "8G", "8gb", "8GiB", "8192m", "8388608k"])
def test_a_size_may_be_written_so(text: str) -> None:
    assert words.read_size(text) == 8 << 30


def test_a_span_of_ports() -> None:
    assert words.read_ports("8000-8002:9000-9002") == tuple(Port(9000 + n, "tcp", "", 8000 + n) for n in range(3))
    assert words.read_ports("80") == (Port(80, "tcp", "", 0),)


def test_restart_policies() -> None:
    assert words.read_restart("on-failure:3") == RestartPolicy(RestartName.ON_FAILURE, 3)
    assert words.read_restart("always") == RestartPolicy(RestartName.ALWAYS)


def test_variables_of_a_file() -> None:
    text = "# comment\n\nA=1\n  B=x y=z\nC\nD=\n"
    assert words.read_variables(text) == [("A", "1"), ("B", "x y=z"), ("C", None), ("D", "")]
    assert words.read_variables("A=1\x0c\u2028\r\nB=2\r\n") == [("A", "1\x0c\u2028"), ("B", "2")]


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (words.read_size, "8 apples", "no size"),
        (words.read_size, "", "no size"),
        (words.read_memory, "1k", "less than the 6m"),
        (words.read_cpus, "0", "above 0"),
        (words.read_cpus, "-1", "no number of CPUs"),
        (words.read_ports, "http:80", "no port"),
        (words.read_ports, "70000:80", "from 1 to 65535"),
        (words.read_ports, "1-9:1-8", "9 ports on the host for 8"),
        (words.read_ports, "1-9999:1-9999", "more than 256 ports"),
        (words.read_mount, "data:inside", "no mount"),
        (words.read_mount, "my folder:/inside", "neither a volume's name nor a path"),
        (words.read_mount, "a:/b:ro:x", "no mount"),
        (words.read_ulimit, "memlok=-1", "no limit"),
        (words.read_ulimit, "nofile=9:3", "above the hard one"),
        (words.read_ulimit, "nofile=-1:3", "above the hard one"),
        (words.read_ulimit, "nofile=x", "-1 for none"),
        (words.read_restart, "sometimes", "on-failure"),
        (words.read_restart, "always:3", "only on-failure"),
        (words.read_name, "x", "two or more"),
        (words.read_name, "-web", "beginning with"),
        (words.read_variable, "=x", "no variable"),
        (words.read_variable, "A B=x", "no variable"),
        (words.read_duration, "2 weeks", "no time"),
        (words.read_pids, "0", "above 0"),
        (words.read_variables, "A=1\n B C=2", "line 2"),
    ],
)
def test_what_is_wrong_is_said(read: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(text)
