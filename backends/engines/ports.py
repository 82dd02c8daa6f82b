"""Ports as both engines write them, and the order in which they are told. Pure."""

from __future__ import annotations

from backends.model.container import Port


def port_key(text: str) -> tuple[int, str] | None:
    """ "80/tcp" → (80, "tcp"); None for what is no port."""
    number, _, protocol = text.partition("/")
    known = number.isdecimal() and len(number) <= 5 and 0 < int(number) < 65536
    return (int(number), protocol or "tcp") if known else None


def port_order(port: Port) -> tuple[int, str, str, int]:
    """A key to sort by: one that is exposed only stands before its published ones."""
    return port.container_port, port.protocol, port.host_ip, -1 if port.host_port is None else port.host_port


__all__ = ["port_key", "port_order"]
