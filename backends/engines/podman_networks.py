"""Podman's networks: libpod's JSON to the model and back, and the calls. Knows nothing of containers."""

from __future__ import annotations

import ipaddress
from typing import Any

from backends.engines.ending import to_its_end
from backends.engines.podman_api import segment
from backends.engines.podman_base import PodmanBase
from backends.engines.podman_translate import Json, labels_of, moment
from backends.engines.row_by_row import rows_of
from backends.model.errors import Conflict, Refused
from backends.model.network import Network, NetworkSpec, Subnet

_OWN = "podman"
"""The network that an engine has from the start. Source: containers.conf(5), default_network."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PodmanNetworks(PodmanBase):
    """The networks of one Podman service."""

    async def list_networks(self) -> list[Network]:
        """GET /networks/json."""
        entries = await self._api.get("/networks/json")
        with self._understood():
            return rows_of(entries, network_of, "id", "name")

    async def inspect_network(self, name: str) -> Network:
        """GET /networks/{name}/json."""
        entry = await self._api.get(f"/networks/{segment(name)}/json")
        with self._understood():
            return network_of(entry)

    async def create_network(self, spec: NetworkSpec) -> None:
        """POST /networks/create; libpod itself answers a conflict where name or range is taken."""
        try:
            body = network_body(spec)
        except ValueError as error:
            raise Refused("No valid address range", detail=str(error), engine=self._id) from error
        await to_its_end(self._api.change("POST", "/networks/create", body=body))

    async def remove_network(self, name: str) -> None:
        """DELETE /networks/{name}; not where a container is on it."""
        answer = await self._api.change("DELETE", f"/networks/{segment(name)}")
        failed = [str(one["Err"]) for one in answer or () if isinstance(one, dict) and one.get("Err")]
        if failed:
            raise Conflict(f"The network {name} could not be removed", detail="; ".join(failed), engine=self._id)


def network_of(entry: Json) -> Network:
    """One network of the list or of inspect."""
    name = str(entry["name"])
    spec = NetworkSpec(
        name,
        str(entry.get("driver") or "bridge"),
        tuple(_subnet_of(one) for one in entry.get("subnets") or ()),
        bool(entry.get("internal")),
        bool(entry.get("ipv6_enabled")),
        bool(entry.get("dns_enabled")),
        labels_of(entry.get("labels")),
        labels_of(entry.get("options")),
    )
    own = name == _OWN  # made anew in memory for each answer, with the time of that
    return Network(str(entry["id"]), spec, own, None if own else moment(entry.get("created")))


def _subnet_of(entry: Json) -> Subnet:
    leased = entry.get("lease_range") or {}
    subnet = ipaddress.ip_network(str(entry["subnet"]), strict=False)
    first, last = (leased.get(key) for key in ("start_ip", "end_ip"))
    return Subnet(str(subnet), str(entry.get("gateway") or ""), ip_range(subnet, first, last))


def ip_range(subnet: ipaddress.IPv4Network | ipaddress.IPv6Network, first: object, last: object) -> str:
    """The smallest block that has all addresses from first to last; "" where that is the whole subnet.

    libpod keeps a lease range as two addresses, each "" = the subnet's end.
    """
    lowest: Address = ipaddress.ip_address(str(first)) if first else subnet.network_address
    highest: Address = ipaddress.ip_address(str(last)) if last else subnet.broadcast_address
    differ = int(lowest) ^ int(highest)
    block = ipaddress.ip_network((int(lowest), subnet.max_prefixlen - differ.bit_length()), strict=False)
    return "" if block.prefixlen <= subnet.prefixlen else str(block)


def network_body(spec: NetworkSpec) -> dict[str, Any]:
    """The body of POST /libpod/networks/create. Raises ValueError for what is no address range."""
    body: dict[str, Any] = {
        "name": spec.name,
        "driver": spec.driver,
        "internal": spec.internal,
        "ipv6_enabled": spec.ipv6,
        "dns_enabled": spec.dns,
        "labels": dict(spec.labels),
        "options": dict(spec.options),
    }
    if spec.subnets:
        body["subnets"] = [_subnet_body(subnet) for subnet in spec.subnets]
    return body


def _subnet_body(subnet: Subnet) -> dict[str, Any]:
    found: dict[str, Any] = {"subnet": str(ipaddress.ip_network(subnet.subnet))}
    if subnet.gateway:
        found["gateway"] = str(ipaddress.ip_address(subnet.gateway))
    if subnet.ip_range:
        block = ipaddress.ip_network(subnet.ip_range)
        found["lease_range"] = {"start_ip": str(block[0]), "end_ip": str(block[-1])}
    return found


__all__ = ["PodmanNetworks", "ip_range", "network_body", "network_of"]
