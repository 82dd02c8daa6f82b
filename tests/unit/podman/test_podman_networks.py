"""Networks in libpod's JSON and back, with ranges of addresses that both engines understand."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.podman_networks import ip_range, network_body, network_of
from backends.model.network import Network, NetworkSpec, Subnet

_PLAIN: dict[str, Any] = {
    "name": "podman",
    "id": "2f" * 32,
    "driver": "bridge",
    "network_interface": "podman0",
    "created": "2026-11-27T18:45:52.549544043Z",
    "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}],
    "ipv6_enabled": False,
    "internal": False,
    "dns_enabled": False,
    "ipam_options": {"driver": "host-local"},
}


def test_the_engines_own_network() -> None:
    spec = NetworkSpec("podman", subnets=(Subnet("10.88.0.0/16", "10.88.0.1"),), dns=False)
    assert network_of(_PLAIN) == Network("2f" * 32, spec, True)
    assert not network_of(_PLAIN | {"name": "mine"}).default


def test_a_network_without_addresses_has_none() -> None:
    seen = network_of({"name": "x", "id": "i", "driver": "macvlan", "subnets": None, "labels": None})
    assert seen.spec == NetworkSpec("x", driver="macvlan", dns=False)


@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec("a"),
        NetworkSpec("a", dns=False, internal=True, labels={"l": "v"}, options={"mtu": "1400"}),
        NetworkSpec("a", subnets=(Subnet("198.18.7.0/24", "198.18.7.1", "198.18.7.128/25"),)),
        NetworkSpec("a", ipv6=True, subnets=(Subnet("198.18.7.0/24"), Subnet("fd00:1::/64", "fd00:1::1"))),
    ],
)
def test_what_is_asked_for_is_what_is_read(spec: NetworkSpec) -> None:
    assert network_of(network_body(spec) | {"id": "1"}).spec == spec


@pytest.mark.parametrize("subnet", [Subnet("198.18.7.1/24"), Subnet("x"), Subnet("10.0.0.0/8", "me")])
def test_what_is_no_range_is_refused(subnet: Subnet) -> None:
    with pytest.raises(ValueError, match=subnet.gateway or subnet.subnet):
        network_body(NetworkSpec("a", subnets=(subnet,)))


@pytest.mark.parametrize(
    ("first", "last", "block"),
    [
        ("", "", ""),
        ("10.5.0.0", "10.5.0.255", ""),
        ("10.5.0.1", "10.5.0.254", ""),  # as `podman network create --ip-range` writes all of it
        ("10.5.0.128", "10.5.0.255", "10.5.0.128/25"),
        ("10.5.0.129", "10.5.0.254", "10.5.0.128/25"),
        ("10.5.0.10", "10.5.0.10", "10.5.0.10/32"),
        ("10.5.0.129", "", "10.5.0.128/25"),
        ("", "10.5.0.15", "10.5.0.0/28"),
    ],
)
def test_ranges_as_blocks(first: str, last: str, block: str) -> None:
    assert ip_range(ipaddress.ip_network("10.5.0.0/24"), first, last) == block


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_block_has_all_of_its_range(one: int, other: int) -> None:
    subnet = ipaddress.IPv4Network("10.5.0.0/24")
    low, high = subnet[min(one, other)], subnet[max(one, other)]
    block = ip_range(subnet, str(low), str(high))
    found = ipaddress.IPv4Network(block) if block else subnet
    assert low in found
    assert high in found
    if found.prefixlen < 32:
        assert not any({low, high} <= set(half) for half in found.subnets()), "a smaller block would do"
