"""Ports of this machine on which something listens, from the kernel's tables. Blocks on small files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"
"""TCP_LISTEN. Source: Linux, include/net/tcp_states.h; the tables, Documentation/networking/proc_net_tcp.rst."""


def listening_ports(root: Path = Path("/proc/net")) -> frozenset[int]:
    """TCP ports, of any address; empty where the tables cannot be read. root: for tests."""
    return frozenset(port for name in ("tcp", "tcp6") for port in _of(root / name))


def _of(table: Path) -> Iterator[int]:
    try:
        lines = table.read_text("ascii", "replace").splitlines()[1:]
    except OSError:  # no IPv6, or not Linux
        return
    for words in (line.split() for line in lines):
        if len(words) > 3 and words[3] == _LISTEN:
            port = words[1].rpartition(":")[2]
            if len(port) == 4:
                yield int(port, 16)


__all__ = ["listening_ports"]
