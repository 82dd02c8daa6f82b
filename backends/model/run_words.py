"""The short texts of `docker run`, `podman run` and Compose for sizes, cores and ports. Pure.

Sources: docs.docker.com, `docker container run`; docs.podman.io, podman-run(1); the Compose specification.
"""

from __future__ import annotations

from backends.model.container import Port

_UNITS = ((1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k"))
"""Podman and Compose know none that is larger."""


def size_text(count: int) -> str:
    """Bytes in the largest unit that is exact: "8g"; 0 and less as the number that it is."""
    for unit, letter in _UNITS:
        if count > 0 and count % unit == 0:
            return f"{count // unit}{letter}"
    return f"{count}b" if count > 0 else str(count)


def cpus_text(nano: int) -> str:
    """Billionths of a core as cores: "1.5"."""
    return f"{nano / 10**9:.9f}".rstrip("0").rstrip(".")


def port_text(port: Port) -> str:
    """A published port: "127.0.0.1:8080:80/udp"."""
    ip = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    host = f"{port.host_port or ''}"
    outside = f"{ip}:{host}:" if ip else f"{host}:" if host else ""
    return f"{outside}{port.container_port}" + ("" if port.protocol == "tcp" else f"/{port.protocol}")


__all__ = ["cpus_text", "port_text", "size_text"]
