"""The choices of a migration turned by keys, and the ports that are typed. Pure: plans nothing, draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from backends.model import typed
from backends.model.plan import Choices, PortChoice

_Kind = TypeVar("_Kind", bound=StrEnum)

TURNS: Mapping[str, Callable[[Choices], Choices]] = {
    "migrate.layer": lambda now: replace(now, layer=_after(now.layer)),
    "migrate.volumes": lambda now: replace(now, volume=_after(now.volume), volumes={}),
    "migrate.defaults": lambda now: replace(now, native_defaults=not now.native_defaults),
    "migrate.way": lambda now: replace(now, image_way=_after(now.image_way)),
    "migrate.source": lambda now: replace(now, stop_source=not now.stop_source),
    "migrate.live": lambda now: replace(now, live_copy=not now.live_copy),
}
"""By action id: the choices with that one turned on; after the last value comes the first."""


def _after(value: _Kind) -> _Kind:
    """The next member of an enumeration, the first after the last."""
    members = list(type(value))
    return members[(members.index(value) + 1) % len(members)]


def with_ports(choices: Choices, port: PortChoice, port_map: Mapping[int, int] | None = None) -> Choices:
    """The choices with other ports; port_map: for REMAP."""
    return replace(choices, port=port, port_map=port_map or {})


def read_ports(text: str) -> dict[int, int]:
    """ "8080:8081, 80:81" as host ports of the source and of the copy. Raises ValueError where it is not that."""
    return typed.read_ports(text.replace(",", " ").split())


def wrong_ports(text: str) -> str:
    """What is wrong with such a text, "" where nothing is."""
    try:
        return "" if read_ports(text) else "no port is named"
    except ValueError as error:
        return str(error)
