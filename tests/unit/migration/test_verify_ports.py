"""Ports of the copy against those that were asked for. Pure."""

from __future__ import annotations

import pytest

from backends.migration.verify import compare_specs
from backends.model.container import Port
from backends.model.workload import WorkloadSpec


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ([Port(80, host_port=0)], [Port(80, host_port=41234)], True),
        ([Port(80, host_port=0)], [Port(80, host_port=0)], True),
        ([Port(80, host_port=0)], [Port(80)], False),
        ([Port(80, host_port=8080)], [Port(80, host_port=41234)], False),
        ([Port(80, host_port=0), Port(80, host_port=8080)], [Port(80, host_port=8080), Port(80, host_port=9)], True),
        ([Port(80, host_port=0)], [Port(80, host_port=1), Port(81, host_port=2)], False),
    ],
)
def test_any_free_port_is_the_one_that_the_engine_chose(wanted: list[Port], seen: list[Port], same: bool) -> None:
    ours, theirs = (WorkloadSpec("a", "b", ports=tuple(ports)) for ports in (wanted, seen))
    check = next(check for check in compare_specs(ours, theirs) if check.subject == "ports")
    assert check.equal is same
