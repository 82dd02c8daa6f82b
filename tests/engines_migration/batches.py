"""Lays options of `create` together into few containers: those that an engine takes together. Knows no engine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.real import address_range

ENGINES = {"docker": "*d", "podman": "*pP", "podman-rootless": "*pR"}

_FAMILIES = {
    "net": r"--(add-host|dns|dns-option|dns-search|expose|ip|mac-address|link|hosts-file|no-hosts)"
    r"|--(network|network-alias)|-p|-P",
    "name": r"--(hostname|domainname|no-hostname|uts)",
    "ipc": r"--(ipc|shm-size|shm-size-systemd)",
    "pid": r"--(pid|init|init-path|systemd)",
    "user": r"--(userns|uidmap|user|hostuser|passwd-entry|group-add|group-entry)",
    "rights": r"--(privileged|cap-add|cap-drop|security-opt|device|gpus|device-cgroup-rule)",
    "health": r"--health-.*|--no-healthcheck",
    "life": r"--(restart|rm)",
    "cpu": r"--(cpus|cpu-quota|cpu-period)",
    "memory": r"--(memory|memory-swap|memory-reservation|oom-kill-disable)",
    "root": r"--(read-only|read-only-tmpfs|tmpfs|mount|image-volume|volumes-from)|-v",
    "log": r"--(log-driver|log-opt)",
    "process": r"--(entrypoint|env-host|unsetenv-all|unsetenv)",
}
"""What has to do with each other. Those of one family go together, unless one of them is in _ALONE."""

_ALONE = {
    r"--network (none|host|slirp4netns|pasta.*|bridge|container:.*|[^ ]*-net.*)": ("net", "name"),
    r"--(ip|mac-address|no-hosts|link) ?.*": ("net",),
    r"--(uts host|no-hostname)": ("name",),
    r"--ipc (host|none|container:.*)": ("ipc",),
    r"--pid .*|--systemd .*|--init-path .*": ("pid",),
    r"--(userns|uidmap|hostuser) .*": ("user", "net", "rights", "pid", "ipc"),
    r"--privileged|--cap-add ALL|--gpus .*": ("rights",),
    r"--no-healthcheck": ("health",),
    r"--rm": ("life",),
    r"--log-driver none": ("log",),
    r"--cpus .*": ("cpu",),
    r"--memory.*|--oom-kill-disable": ("memory",),
    r"--read-only.*|--volumes-from .*|--image-volume .*|--volume-driver .*": ("root",),
    r"--env-host|--unsetenv-all": ("process",),
    r"--pod .*": ("net", "name", "ipc", "pid", "user", "rights"),
    r"--chrootdirs .*": ("root",),
}
"""Options that stand for themselves in these families."""


@dataclass(frozen=True)
class Option:
    """One line of flags.txt. argv: the options. said: what the plan must say of it."""

    argv: tuple[str, ...]
    said: str

    @property
    def names(self) -> frozenset[str]:
        """The options' names, and where it mounts something."""
        places = re.findall(r"(?<![\w-])/[ef]\b", " ".join(self.argv))
        return frozenset(word for word in self.argv if re.match(r"--?[a-zA-Z]", word)) | frozenset(places)

    def families(self) -> frozenset[str]:
        """Those that it belongs to."""
        return frozenset(
            family for family, words in _FAMILIES.items() if any(re.fullmatch(words, word) for word in self.argv)
        )

    def alone(self) -> frozenset[str]:
        """Families of which nothing else goes with it."""
        text = " ".join(self.argv)
        return frozenset(family for words, owned in _ALONE.items() if re.match(words, text) for family in owned)


@dataclass
class Batch:
    """Options of one container."""

    options: list[Option] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    owned: set[str] = field(default_factory=set)

    def takes(self, option: Option) -> bool:
        """Take it in, where it goes together with what is there."""
        families, alone = option.families(), option.alone()
        if self.names & option.names or self.owned & (families | alone) or alone & (self.families | self.owned):
            return False
        self.options.append(option)
        self.names |= option.names
        self.families |= families
        self.owned |= alone
        return True

    def argv(self) -> list[str]:
        """All of them."""
        return [word for option in self.options for word in option.argv]


@cache
def subnet_of(run: str) -> str:
    """The first three numbers of a test's own addresses. run: the test's own name."""
    del run  # what the answer is kept by
    return address_range()


def options(engine: str, run: str) -> list[Option]:
    """Those of flags.txt for that engine. run: the test's name."""
    found = []
    for line in (Path(__file__).parent / "flags.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, flags, said = (
                part.strip().format(run=run, net=subnet_of(run)).replace("\\n", "\n") for part in line.split(" | ")
            )
            if kind in ENGINES[engine]:
                found.append(Option(tuple(text.replace("~", " ") for text in flags.split(" ")), said))
    return found


def batches(wanted: Iterable[Option]) -> list[Batch]:
    """Few containers that have all of them."""
    made: list[Batch] = []
    for option in wanted:
        if not any(batch.takes(option) for batch in made):
            made.append(Batch())
            made[-1].takes(option)
    return made


__all__ = ["ENGINES", "Batch", "Option", "batches", "options", "subnet_of"]
