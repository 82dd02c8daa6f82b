"""Which process of this machine made something, by its number and when it began, and whether it lives. Ends none.

A number alone may belong to another process by now. Both are of this pid namespace and, the start, of this boot.
"""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def started_ticks(pid: str = "self", proc: Path = PROC) -> str:
    """When a process began, in clock ticks since boot; "" where there is none of that number."""
    try:
        # Field 22, counted after the name, which may hold any bytes. Source: proc_pid_stat(5).
        return (proc / pid / "stat").read_bytes().rpartition(b")")[2].split()[19].decode("ascii", "replace")
    except (OSError, IndexError):
        return ""


def is_gone(pid: str, ticks: str = "", proc: Path = PROC) -> bool:
    """Whether the process is no more; False for what is no number. ticks: when it began; "" = by its number alone."""
    if not pid.isdecimal():
        return False
    if not ticks:
        return not (proc / pid).exists()
    now = started_ticks(pid, proc)
    return now != ticks if now else not (proc / pid).exists()


__all__ = ["is_gone", "started_ticks"]
