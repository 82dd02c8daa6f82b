"""A user-defined network as observed, and how to create one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from backends.model.container import NO_LABELS


@dataclass(frozen=True, slots=True)
class Subnet:
    """One address range. subnet: CIDR ("10.5.0.0/24"); gateway, ip_range: "" = the engine chooses."""

    subnet: str
    gateway: str = ""
    ip_range: str = ""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network to create.

    subnets: () = the engine chooses. options: of the driver ("com.docker.network.driver.mtu", Podman: "mtu").
    dns: containers find each other by name (Docker: always on user-defined networks).
    """

    name: str
    driver: str = "bridge"
    subnets: tuple[Subnet, ...] = ()
    internal: bool = False
    ipv6: bool = False
    dns: bool = True
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class Network:
    """A network as it is. spec: what would make it again, with the subnets that the engine chose.

    default: the engine's own. created_at: None where not told. why: as an image's.
    """

    id: str
    spec: NetworkSpec
    default: bool = False
    created_at: datetime | None = field(default=None, compare=False)
    why: str = ""
