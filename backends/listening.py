"""Ports on which something listens, from the kernel's tables of one network namespace. Blocks on small files.

Source: Linux, Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"
"""TCP_LISTEN. Source: Linux, include/net/tcp_states.h."""


def listening_ports(root: Path = Path("/proc/net")) -> frozenset[int]:
    """TCP ports, of any address; empty where the tables cannot be read. root: of another process, or for tests."""
    return listened(root) or frozenset()


def listened(root: Path) -> frozenset[int] | None:
    """The same, None where no table can be read."""
    tables = [table for name in ("tcp", "tcp6") if (table := _lines(root / name)) is not None]
    return frozenset(port for table in tables for port in _ports(table)) if tables else None


def _lines(table: Path) -> list[str] | None:
    try:
        return table.read_text("ascii", "replace").splitlines()[1:]
    except OSError:  # no IPv6, no such process, or not Linux
        return None


def _ports(lines: list[str]) -> Iterator[int]:
    for words in (line.split() for line in lines):
        if len(words) > 3 and words[3] == _LISTEN:
            port = words[1].rpartition(":")[2]
            if len(port) == 4:
                yield int(port, 16)


__all__ = ["listened", "listening_ports"]
