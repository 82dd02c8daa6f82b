"""What is well on this machine, what is not, and what to do: sentences for `doctor`. Changes and asks no engine.

Here: engines, cgroups and what rootless engines need. GPUs are in gpu_doctor.py, memory and room in machine.py.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from backends.model.capabilities import Capability, EngineInfo
from backends.model.errors import Refused
from backends.model.events import Link
from backends.model.fleet import EngineView
from backends.model.ids import EngineKind

ENOUGH_IDS = 65536
"""Subordinate ids that images in general need. Source: podman, rootless.md ("65536 by default")."""

_COMMAND = re.compile(r"`([^`]+)`|(?:^|: )((?:sudo|tranship) .+?)(?=;|, | accepts | finishes | where |$)")
LIMITING = frozenset({"cpu", "memory", "pids"})
"""Controllers behind --cpus, --memory and --pids-limit."""

_DELEGATE = (
    "sudo mkdir -p /etc/systemd/system/user@.service.d && "
    "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
    "sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload"
)


class Level(StrEnum):
    """How things are: NOTE is worth knowing, PROBLEM keeps something from working."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at. sentence: how it is. hint: the next step, "" where none is needed."""

    topic: str
    level: Level
    sentence: str
    hint: str = ""

    @property
    def command(self) -> str:
        """The first command of the hint, ready to be pasted; "" where it has none. Quoted, or beginning as one."""
        found = _COMMAND.search(self.hint)
        return (found[1] or found[2]) if found else ""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What was read of this machine and its user.

    cgroup_version: "1", "2", "hybrid", or "" where none is mounted. subuids, subgids: how many ids the user has.
    linger: the user's services outlive his login, None where there is no systemd. runtime_dir: XDG_RUNTIME_DIR where
    it is a folder, else "". delegated: cgroup v2 controllers that systemd gives to the user's own services, None where
    it runs none for the user.
    """

    user: str
    uid: int
    cgroup_version: str
    subuids: int
    subgids: int
    idmap_tools: bool
    linger: bool | None
    runtime_dir: str
    delegated: frozenset[str] | None = None


def read_host(environ: Mapping[str, str], root: Path = Path("/")) -> HostFacts:
    """Read this machine's facts; blocks on small files. root: for tests, another tree with the same layout."""
    user, uid = _user()
    runtime_dir = environ.get("XDG_RUNTIME_DIR", "")
    systemd = (root / "run/systemd/system").is_dir()
    return HostFacts(
        user=user,
        uid=uid,
        cgroup_version=_cgroup_version(root / "sys/fs/cgroup"),
        subuids=count_ids(_text(root / "etc/subuid"), user, uid),
        subgids=count_ids(_text(root / "etc/subgid"), user, uid),
        idmap_tools=all(shutil.which(tool, path=environ.get("PATH")) for tool in ("newuidmap", "newgidmap")),
        linger=(root / "var/lib/systemd/linger" / user).exists() if systemd else None,
        runtime_dir=runtime_dir if runtime_dir and Path(runtime_dir).is_dir() else "",
        delegated=_delegated(root / "sys/fs/cgroup", uid),
    )


def count_ids(text: str, user: str, uid: int) -> int:
    """Ids that /etc/subuid or /etc/subgid gives a user, by name or number; lines that are none count as nothing.

    Source of the format: subuid(5), "login name or UID:first:count".
    """
    total = 0
    for line in text.splitlines():
        owner, _, rest = line.partition(":")
        count = rest.partition(":")[2]
        if owner in {user, str(uid)} and count.isascii() and count.isdigit():
            total += int(count)
    return total


def examine_engines(engines: Iterable[EngineView]) -> list[Diagnosis]:
    """Each engine, by name."""
    return [_engine(engine) for engine in sorted(engines, key=lambda engine: engine.id.name)]


def examine_host(host: HostFacts) -> list[Diagnosis]:
    """What engines need of the machine, in the order in which a person would look."""
    return [_cgroups(host), *_rootless(host)]


def mode_word(kind: EngineKind, info: EngineInfo) -> str:
    """How an engine is run: "rootless", "rootful", "cluster"."""
    if kind is EngineKind.KUBERNETES:
        return "cluster"
    return "rootless" if info.rootless else "rootful"


def lacking_words(kind: EngineKind, info: EngineInfo) -> str:
    """What an engine of this kind could do, and this one cannot, with the reasons: "no pause: …"; "" where nothing."""
    lacking = info.capabilities.lacking
    told = [Capability.STATS_API] if kind is EngineKind.KUBERNETES else list(lacking)  # no cluster can do the others
    return "; ".join(f"no {what.value}: {lacking[what]}" for what in told if what in lacking)


def _engine(engine: EngineView) -> Diagnosis:
    topic, state, info = f"engine {engine.id}", engine.connection, engine.info
    if state.link is Link.CONNECTED and info is not None:
        lacking = lacking_words(engine.id.kind, info)
        sentence = f"{info.version}, {mode_word(engine.id.kind, info)}, at {engine.endpoint}"
        sentence += f" ({lacking})" if lacking else ""
        return Diagnosis(topic, Level.OK, sentence)
    if state.error is None:
        return Diagnosis(topic, Level.PROBLEM, f"does not answer at {engine.endpoint}", "look whether it runs")
    level = Level.NOTE if state.link is Link.ABSENT and not isinstance(state.error, Refused) else Level.PROBLEM
    detail = f" ({state.error.detail})" if state.error.detail else ""
    where = f" at {engine.endpoint}" if engine.endpoint else ""
    return Diagnosis(topic, level, f"{state.error.title}{detail}{where}", state.error.hint)


def _cgroups(host: HostFacts) -> Diagnosis:
    if host.cgroup_version == "2":
        return Diagnosis("cgroups", Level.OK, "version 2")
    if not host.cgroup_version:
        return Diagnosis("cgroups", Level.PROBLEM, "none at /sys/fs/cgroup: usage of containers cannot be read")
    words = (
        "version 1" if host.cgroup_version == "1" else "hybrid: version 1 controllers beside an empty version 2 tree"
    )
    return Diagnosis("cgroups", Level.NOTE, f"{words}; rootless containers have no stats, no pause and no limits on it")


def _rootless(host: HostFacts) -> Iterator[Diagnosis]:
    if host.uid == 0:
        yield Diagnosis("rootless", Level.NOTE, "you are root; rootless engines belong to ordinary users")
        return
    for file, count in (("/etc/subuid", host.subuids), ("/etc/subgid", host.subgids)):
        if count >= ENOUGH_IDS:
            yield Diagnosis("rootless", Level.OK, f"{file} gives {host.user} {count} ids")
        else:
            gives = f"{file} gives {host.user} {count} ids" if count else f"{file} has no line for {host.user}"
            flag = "--add-subuids" if file.endswith("uid") else "--add-subgids"
            hint = f"`sudo usermod {flag} 100000-165535 {host.user}`, then `podman system migrate`"
            yield Diagnosis("rootless", Level.PROBLEM, f"{gives}: most images cannot be unpacked", hint)
    if not host.idmap_tools:
        hint = "`sudo apt-get install uidmap` (Debian), or shadow-utils (Fedora)"
        yield Diagnosis("rootless", Level.PROBLEM, "newuidmap and newgidmap are not installed", hint)
    if not host.runtime_dir:
        hint = "log in by a real session (ssh or a console, not su), or set XDG_RUNTIME_DIR"
        yield Diagnosis("rootless", Level.NOTE, "XDG_RUNTIME_DIR names no folder: rootless sockets are not found", hint)
    if host.linger is False:
        sentence = f"{host.user}'s containers end when {host.user} logs out"
        yield Diagnosis("rootless", Level.NOTE, sentence, f"`loginctl enable-linger {host.user}`")
    lacking = sorted(LIMITING - host.delegated) if host.delegated is not None and host.cgroup_version == "2" else []
    if lacking:
        sentence = f"systemd does not delegate {', '.join(lacking)}: rootless containers cannot be limited by it"
        yield Diagnosis("rootless", Level.NOTE, sentence, f"`{_DELEGATE}`, then log in anew")


def _user() -> tuple[str, int]:
    import pwd

    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name, uid
    except KeyError:  # a user without an entry, as in some containers
        return str(uid), uid


def _cgroup_version(mount: Path) -> str:
    if (mount / "cgroup.controllers").exists():
        return "2"
    if (mount / "unified" / "cgroup.controllers").exists():
        return "hybrid"
    return "1" if (mount / "memory").is_dir() or (mount / "cpu").is_dir() else ""


def _delegated(mount: Path, uid: int) -> frozenset[str] | None:
    """Source of the place: rootlesscontaine.rs, "Enabling CPU, CPUSET, and I/O delegation"."""
    controllers = mount / "user.slice" / f"user-{uid}.slice" / f"user@{uid}.service" / "cgroup.controllers"
    return frozenset(_text(controllers).split()) if controllers.exists() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # absent or not for us: then it gives nothing that we could use
        return ""
