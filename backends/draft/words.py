"""The short texts in which people write sizes, ports, mounts and limits, read and written. Pure.

They are those of `docker run` and `podman run`. Every reader raises ValueError with a sentence that says what is wrong.
Sources: docs.docker.com, `docker container run`; docs.podman.io, podman-run(1); docker/go-units, size.go (RAMInBytes).
"""

from __future__ import annotations

import re

from backends.model.container import MountKind, Port
from backends.model.run_words import size_text
from backends.model.settings import UNLIMITED, Ulimit
from backends.model.workload import MountSpec, RestartName, RestartPolicy

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,6})?)\s*(?:([kmgtp])(?:i?b)?|b)?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_PORT = re.compile(r"(?:(\[[0-9a-fA-F:.]+\]|\d+(?:\.\d+){3}):)?(?:([0-9-]*):)?([0-9-]+)(?:/(tcp|udp|sctp))?", re.ASCII)
_SPAN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+", re.ASCII)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|)", re.ASCII)
_NS = {"ms": 10**6, "s": 10**9, "": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PROPAGATION = frozenset({"shared", "slave", "private", "rshared", "rslave", "rprivate"})
_MOST_PORT = 65535
_MOST_SPAN = 256
SHORTEST_MEMORY = 6 << 20
"""Docker refuses less. Source: moby daemon/daemon_unix.go (linuxMinMemory)."""
ULIMITS = frozenset(
    {
        *("as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss"),
        *("rtprio", "rttime", "sigpending", "stack"),
    }
)
"""Source: docker/go-units, ulimit.go."""


# -- numbers -------------------------------------------------------------------------------------
def read_size(text: str) -> int:
    """ "8g" → bytes, in powers of 1024."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no size; say a number with k, m, g or t, as in 8g")
    unit = _UNITS[(found[2] or "").lower()]
    return int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit


def read_memory(text: str) -> int:
    """A memory limit in bytes."""
    count = read_size(text)
    if count < SHORTEST_MEMORY:
        raise ValueError(f"{text} is less than the {SHORTEST_MEMORY >> 20}m that an engine needs for a container")
    return count


def read_cpus(text: str) -> int:
    """ "1.5" → billionths of a core."""
    if not re.fullmatch(r"\d{1,4}(\.\d{1,9})?", text.strip(), re.ASCII) or float(text) == 0:
        raise ValueError(f"{text!r} is no number of CPUs; say one above 0, as in 1.5")
    return round(float(text) * 10**9)


def read_pids(text: str) -> int:
    """How many processes, -1 without end."""
    if not re.fullmatch(r"-1|[1-9]\d{0,6}", text.strip(), re.ASCII):
        raise ValueError(f"{text!r} is no number of processes; say one above 0, or -1 for no limit")
    return int(text)


def read_duration(text: str) -> int:
    """ "90s", "2m" → nanoseconds."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time; say it as in 90s or 2m")
    return int(float(found[1]) * _NS[found[2]])


def duration_text(count_ns: int) -> str:
    """Nanoseconds as such a text."""
    for unit in ("h", "m", "s"):
        if count_ns and count_ns % _NS[unit] == 0:
            return f"{count_ns // _NS[unit]}{unit}"
    return f"{count_ns / 10**6:g}ms"


# -- ports ---------------------------------------------------------------------------------------
def read_ports(text: str) -> tuple[Port, ...]:
    """ "127.0.0.1:8080:80/udp", "8080:80", "80" (any free port), "8000-8002:8000-8002"."""
    found = _PORT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no port; say HOST:CONTAINER, as in 8888:8888 or 127.0.0.1:8888:8888")
    address, host, inside, protocol = found.groups()
    inner = _span(inside)
    outer = _span(host) if host else [0] * len(inner)
    if len(outer) != len(inner):
        raise ValueError(f"{text!r} has {len(outer)} ports on the host for {len(inner)} of the container")
    ip = (address or "").strip("[]")
    return tuple(Port(own, protocol or "tcp", ip, taken) for own, taken in zip(inner, outer, strict=True))


def _span(text: str) -> list[int]:
    found = _SPAN.fullmatch(text)
    first = int(found[1]) if found else 0
    last = int(found[2] or first) if found else 0
    if not 0 < first <= last <= _MOST_PORT:
        raise ValueError(f"{text!r} is no port; ports go from 1 to {_MOST_PORT}")
    if last - first >= _MOST_SPAN:
        raise ValueError(f"{text} is more than {_MOST_SPAN} ports; publish fewer, or use --network host")
    return [*range(first, last + 1)]


# -- mounts --------------------------------------------------------------------------------------
def read_mount(text: str) -> MountSpec:
    """ "/host:/inside:ro", "volume:/inside", "/inside" (a volume without a name), "tmpfs:/inside".

    A host path is absolute here: the caller has written out "~" and "." before.
    """
    parts = text.strip().split(":")
    if len(parts) == 1 or (len(parts) == 2 and parts[0].startswith("/") and not parts[1].startswith("/")):
        parts = ["", *parts]
    source, inside, *rest = parts
    if len(rest) > 1 or not inside.startswith("/"):
        raise ValueError(f"{text!r} is no mount; say SOURCE:/PATH/INSIDE, with :ro behind it for reading only")
    words = [word for word in rest[0].split(",") if word] if rest else []
    read_only, words = "ro" in words, [word for word in words if word not in {"ro", "rw"}]
    if source == "tmpfs":
        return _tmpfs(inside, words, read_only)
    relabel = next((word for word in words if word in {"z", "Z"}), "")
    spread = next((word for word in words if word in _PROPAGATION), "")
    no_copy = True if "nocopy" in words else None
    left = tuple(sorted(word for word in words if word not in {relabel, spread, "nocopy"}))
    if source.startswith("/"):
        return MountSpec(MountKind.BIND, source, inside, read_only, propagation=spread, relabel=relabel, options=left)
    if source and not _VOLUME.fullmatch(source):
        raise ValueError(f"{source!r} is neither a volume's name nor a path; a path begins with / or ~")
    return MountSpec(
        MountKind.VOLUME, source, inside, read_only, anonymous=not source, no_copy=no_copy, relabel=relabel,
        propagation=spread, options=left,
    )  # fmt: skip


def _tmpfs(inside: str, words: list[str], read_only: bool) -> MountSpec:
    sizes = [read_size(word.removeprefix("size=")) for word in words if word.startswith("size=")]
    options = tuple(sorted(word for word in words if not word.startswith("size=")))
    return MountSpec(MountKind.TMPFS, "", inside, read_only, size_bytes=sizes[0] if sizes else 0, options=options)


def mount_text(mount: MountSpec) -> str:
    """A mount as such a text. What it cannot say (subpaths, modes …) is left out: the caller keeps the mount itself."""
    words = ["ro"] if mount.read_only else []
    words += [word for word in (mount.relabel, mount.propagation) if word]
    words += ["nocopy"] if mount.no_copy and mount.kind is MountKind.VOLUME else []
    words += [f"size={size_text(mount.size_bytes)}"] if mount.size_bytes else []
    source = "tmpfs" if mount.kind is MountKind.TMPFS else mount.source
    text = f"{source}:{mount.destination}" if source else mount.destination
    return ":".join([text, ",".join([*words, *mount.options])]) if words or mount.options else text


# -- the rest ------------------------------------------------------------------------------------
def read_ulimit(text: str) -> Ulimit:
    """ "memlock=-1", "nofile=1024:65536"."""
    name, equals, numbers = text.strip().partition("=")
    soft, colon, hard = numbers.partition(":")
    if name not in ULIMITS or not equals:
        raise ValueError(f"{text!r} is no limit; say NAME=SOFT:HARD, as in memlock=-1 or nofile=1024:65536")
    low = _limit(soft)
    high = _limit(hard) if colon else low
    if high != UNLIMITED and (low == UNLIMITED or low > high):
        raise ValueError(f"{text}: the soft limit is above the hard one")
    return Ulimit(name, low, high)


def _limit(text: str) -> int:
    if text in {"-1", "unlimited"}:
        return UNLIMITED
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise ValueError(f"{text!r} is no limit; say a number, or -1 for none")
    return int(text)


def ulimit_text(limit: Ulimit) -> str:
    """A limit as such a text."""
    return f"{limit.name}={limit.soft}" + ("" if limit.hard == limit.soft else f":{limit.hard}")


def read_restart(text: str) -> RestartPolicy:
    """ "no", "always", "unless-stopped", "on-failure", "on-failure:3"."""
    name, colon, tries = text.strip().partition(":")
    if name not in list(RestartName):
        raise ValueError(f"{text!r} is no restart policy; say {', '.join(RestartName)}")
    if colon and (name != RestartName.ON_FAILURE or not re.fullmatch(r"\d{1,6}", tries, re.ASCII)):
        raise ValueError(f"{text!r}: only on-failure takes a number of tries, as in on-failure:3")
    return RestartPolicy(RestartName(name), int(tries) if colon else 0)


def read_name(text: str) -> str:
    """A container's name. Source: moby, daemon/names/names.go; Podman takes the same."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is no name: two or more letters, digits, _ . or -, beginning with a letter or digit"
        )
    return text


def read_variable(text: str) -> tuple[str, str | None]:
    """ "NAME=value"; None where it is to be taken from the environment of the person who runs it."""
    name, equals, value = text.partition("=")
    if not name or any(one.isspace() or one == "\0" for one in name):
        raise ValueError(f"{text[:40]!r} is no variable; say NAME=value, or NAME alone for your own value")
    return name, value if equals else None


def read_variables(lines: str) -> list[tuple[str, str | None]]:
    """The variables of an env file, as both engines read it: no quotes, "#" begins a comment line."""
    found = []
    for number, line in enumerate(lines.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(read_variable(line.lstrip().removesuffix("\r")))
            except ValueError:
                raise ValueError(f"line {number} is not NAME=value") from None
    return found


__all__ = [
    "duration_text", "mount_text", "read_cpus", "read_duration", "read_memory", "read_mount",
    "read_name", "read_pids", "read_ports", "read_restart", "read_size", "read_ulimit", "read_variable",
    "read_variables", "ulimit_text",
]  # fmt: skip
