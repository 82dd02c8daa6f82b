"""The demo's networks: those that an engine has by itself, and the address ranges of new ones. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import replace

from backends.engines.demo_names import container_id
from backends.model.errors import Conflict
from backends.model.ids import EngineId, EngineKind
from backends.model.network import Network, NetworkSpec, Subnet

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def own_networks(engine: EngineId, like: EngineKind) -> dict[str, Network]:
    """Those that a Docker or a Podman has from the start, by name."""
    if like is EngineKind.PODMAN:
        specs = [NetworkSpec("podman", subnets=(Subnet("10.88.0.0/16", "10.88.0.1"),), dns=False)]
    else:
        specs = [
            NetworkSpec("bridge", subnets=(Subnet("172.17.0.0/16", "172.17.0.1"),), dns=False),
            NetworkSpec("host", driver="host"),
            NetworkSpec("none", driver="null"),
        ]
    return {spec.name: Network(container_id(engine.name, f"network {spec.name}", 0), spec, True) for spec in specs}


def ranges(networks: Iterable[Network]) -> list[IpNetwork]:
    """Their address ranges."""
    return [ipaddress.ip_network(subnet.subnet) for network in networks for subnet in network.spec.subnets]


def with_subnets(spec: NetworkSpec, taken: list[IpNetwork], like: EngineKind, engine: EngineId) -> NetworkSpec:
    """The spec with what the engine chooses. Conflict where a range is taken, or is none."""
    subnets = [_checked(subnet, taken, engine) for subnet in spec.subnets]
    versions = {ipaddress.ip_network(subnet.subnet).version for subnet in subnets}
    if spec.driver == "bridge" and 4 not in versions:
        subnets.append(_free(_pools(like), taken))
    if spec.driver == "bridge" and spec.ipv6 and 6 not in versions:
        subnets.append(_free((ipaddress.ip_network(f"fd42:{number:x}::/64") for number in range(1, 1 << 16)), taken))
    return replace(spec, subnets=tuple(subnets))


def _checked(subnet: Subnet, taken: list[IpNetwork], engine: EngineId) -> Subnet:
    try:
        wanted = ipaddress.ip_network(subnet.subnet)
    except ValueError as bad:
        raise Conflict(f"{subnet.subnet} is no address range", detail=str(bad), engine=engine) from bad
    for other in taken:
        if other.version == wanted.version and other.overlaps(wanted):
            raise Conflict(f"the address range {wanted} is taken", detail=f"by {other}", engine=engine)
    return subnet if subnet.gateway else replace(subnet, gateway=str(next(wanted.hosts())))


def _pools(like: EngineKind) -> Iterator[IpNetwork]:
    """What the engines choose from. Sources: moby libnetwork/ipamutils; containers.conf(5), default_subnet_pools."""
    if like is EngineKind.PODMAN:
        return (ipaddress.ip_network(f"10.89.{number}.0/24") for number in range(256))
    return (ipaddress.ip_network(f"172.{number}.0.0/16") for number in range(18, 32))


def _free(pool: Iterator[IpNetwork], taken: list[IpNetwork]) -> Subnet:
    chosen = next(
        one for one in pool if not any(one.version == other.version and one.overlaps(other) for other in taken)
    )
    return Subnet(str(chosen), str(next(chosen.hosts())))
