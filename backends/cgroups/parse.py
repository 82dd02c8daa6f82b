"""Texts of cgroup and /proc files to numbers. Pure: may not open anything.

Every function returns None where the text does not hold what is asked for: the caller says why.
"""

from __future__ import annotations

from dataclasses import dataclass

# v1 writes "no limit" as the largest multiple of the page size in a signed 64-bit number (0x7FFFFFFFFFFFF000 with
# 4 KiB pages, less with larger ones); no machine has 2**62 bytes. Source: kernel, PAGE_COUNTER_MAX.
_NO_LIMIT_BYTES = 1 << 62
# The kernel's counters are 64-bit: 20 digits. More is no counter.
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Transfer:
    """Two running totals in bytes: read and written, or received and sent."""

    incoming: int
    outgoing: int


def number(text: bytes) -> int | None:
    """One unsigned whole number ("123\\n")."""
    digits = text.strip()
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def keyed(text: bytes, key: bytes) -> int | None:
    """The value of the line "KEY VALUE" of a flat keyed file (memory.stat, cpu.stat)."""
    at = 0 if text.startswith(key + b" ") else text.find(b"\n" + key + b" ") + 1
    if at == 0 and not text.startswith(key + b" "):
        return None
    return number(text[at + len(key) :].split(b"\n", 1)[0])


def limit_bytes(text: bytes) -> int | None:
    """memory.max or memory.limit_in_bytes; -1 stands for "no limit" ("max", or v1's huge number)."""
    if text.strip() == b"max":
        return -1
    value = number(text)
    return -1 if value is not None and value >= _NO_LIMIT_BYTES else value


def working_set_bytes(usage: int, memory_stat: bytes) -> int | None:
    """Memory use less inactive file cache, as the Docker command line counts it.

    Source: calculateMemUsageUnixNoCache in docker/cli, cli/command/container/stats_helpers.go:
    usage - total_inactive_file (v1), usage - inactive_file (v2), and usage itself where that is not smaller.
    """
    inactive = keyed(memory_stat, b"total_inactive_file")
    if inactive is None:
        inactive = keyed(memory_stat, b"inactive_file")
    if inactive is None:
        return None
    return usage - inactive if inactive < usage else usage


def io_stat(text: bytes) -> Transfer:
    """v2 io.stat: lines "MAJ:MIN rbytes=1 wbytes=2 rios=…", summed over devices; empty where nothing was done."""
    pairs = [pair.partition(b"=") for line in text.splitlines() for pair in line.split()[1:]]
    read = sum(number(value) or 0 for key, _, value in pairs if key == b"rbytes")
    written = sum(number(value) or 0 for key, _, value in pairs if key == b"wbytes")
    return Transfer(read, written)


def blkio_bytes(text: bytes) -> Transfer:
    """v1 blkio.throttle.io_service_bytes: lines "MAJ:MIN Read 4096", summed over devices, totals left out."""
    rows = [parts for line in text.splitlines() if len(parts := line.split()) == 3]
    read = sum(number(value) or 0 for _, kind, value in rows if kind == b"Read")
    written = sum(number(value) or 0 for _, kind, value in rows if kind == b"Write")
    return Transfer(read, written)


def net_dev(text: bytes) -> Transfer | None:
    """/proc/PID/net/dev: bytes received (1st column) and sent (9th), summed over all interfaces but lo."""
    received = sent = 0
    seen = False
    for line in text.splitlines():
        name, _, rest = line.partition(b":")
        columns = rest.split()
        if len(columns) < 9:
            continue
        incoming, outgoing = number(columns[0]), number(columns[8])
        if incoming is None or outgoing is None:
            continue
        seen = True
        if name.strip() != b"lo":
            received += incoming
            sent += outgoing
    return Transfer(received, sent) if seen else None


def first_pid(text: bytes) -> int | None:
    """The first pid of cgroup.procs; 0 (a process of another pid namespace, unseen from here) is passed over."""
    return next((pid for word in text.split() if (pid := number(word))), None)


def mem_total_bytes(meminfo: bytes) -> int | None:
    """MemTotal of /proc/meminfo, in bytes (the file counts KiB)."""
    for line in meminfo.splitlines():
        if line.startswith(b"MemTotal:"):
            kib = number(line.removeprefix(b"MemTotal:").removesuffix(b"kB"))
            return None if kib is None else kib * 1024
    return None
