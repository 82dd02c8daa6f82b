"""Parts of the host that a container sees and should not: engine sockets, system folders, keys. Pure; opens no file.

Sources: CIS Docker Benchmark 1.6, 5.5 and 5.31; the tools' own manuals for where they keep credentials.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from backends.model.container import MountKind
from backends.model.workload import MountSpec
from backends.security.facts import ContainerFacts
from backends.security.finding import SecurityFinding, Severity

_SOCKETS = r"(?:docker|podman|containerd|cri-dockerd|crio|buildkitd)\.sock"
_HOME = r"(?:/root|/home/[^/]+|/var/home/[^/]+|/Users/[^/]+)"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where on the host. read_only: the severity where it can only be read, None = then it is nothing.

    A socket is used whether or not its mount is read-only.
    """

    id: str
    pattern: re.Pattern[str]
    severity: Severity
    read_only: Severity | None
    title: str
    why: str
    remedy: str


def _place(
    id: str, pattern: str, severity: Severity, read_only: Severity | None, title: str, why: str, remedy: str
) -> _Place:
    return _Place(id, re.compile(pattern, re.DOTALL), severity, read_only, title, why, remedy)


_BY_NAME = "Mount only the folder or file that the program needs."
_SECRET = "Give it the one token that it needs, as a secret (podman secret; Docker: a file of its own)."
_PLACES = (
    _place("mount-engine-socket", rf"(?:.*/)?{_SOCKETS}", Severity.CRITICAL, Severity.CRITICAL,
           "has an engine's socket",
           "Through it a container is made that owns the host; read-only does not help.",
           "Take it away; a proxy that lets only looking through is what monitors need."),
    _place("mount-root", r"/", Severity.CRITICAL, Severity.HIGH, "has the host's whole file system",
           "Every secret of the host is read, and written where it is not read-only.", _BY_NAME),
    _place("mount-engine-socket", r"/(?:var/)?run(?:/docker|/podman|/containerd|/user/\d+(?:/podman)?)?",
           Severity.CRITICAL, Severity.CRITICAL, "has a folder in which engines keep their sockets",
           "Through such a socket a container is made that owns the host.", "Mount the one file that it needs."),
    _place("mount-engine-storage", rf"/var/lib/(?:docker|containers|containerd|kubelet)(?:/.*)?|"
           rf"{_HOME}/\.local/share/(?:docker|containers)(?:/storage)?", Severity.HIGH, Severity.HIGH,
           "has the folder in which an engine keeps containers",
           "Files and secrets of every other container are read there.", "Mount the volume by its name instead."),
    _place("mount-ssh-keys", r"(?:.*/)?\.ssh(?:/.*)?|/etc/ssh(?:/.*)?|.*/ssh-[^/]+/agent\.\d+",
           Severity.HIGH, Severity.HIGH, "has SSH keys, or an agent that has them",
           "Whoever is inside logs in elsewhere as their owner.",
           "Give it a deploy key of its own."),
    _place("mount-kube-credentials", r"(?:.*/)?\.kube(?:/.*)?|/etc/kubernetes(?:/.*)?|/var/lib/kubelet/pki(?:/.*)?",
           Severity.HIGH, Severity.HIGH, "has credentials of Kubernetes",
           "Whoever is inside acts on the cluster as their owner.", "Give it a service account's token of its own."),
    _place("mount-cloud-credentials",
           r"(?:.*/)?(?:\.aws|\.azure|\.oci|\.gnupg|\.config/gcloud|\.config/gh|\.docker)(?:/.*)?|"
           r"(?:.*/)?(?:\.netrc|\.git-credentials|\.pypirc|\.vault-token|\.npmrc|auth\.json|\.huggingface/token"
           r"|\.cache/huggingface/token|\.kaggle(?:/.*)?|application_default_credentials\.json)",
           Severity.HIGH, Severity.HIGH, "has credentials of a cloud or a registry",
           "Whoever is inside acts there as their owner.", _SECRET),
    _place("mount-kernel", r"/proc(?:/.*)?|/sys(?:/.*)?", Severity.HIGH, Severity.MEDIUM, "has the host's kernel files",
           "Through /proc/sys and /sys the kernel is set; /proc shows processes of the host.", _BY_NAME),
    _place("mount-devices", r"/dev", Severity.HIGH, Severity.HIGH, "has all device files of the host",
           "With the right capability its disks are read and written.", "Name the devices (--device)."),
    _place("mount-system", r"/(?:etc|boot|usr|bin|sbin|lib|lib32|lib64|root|var|var/lib|var/log|opt|srv|home)(?:/)?|"
           r"/(?:usr|boot|lib|lib64)/.*|/etc/(?:shadow|gshadow|passwd|group|sudoers(?:\.d)?|pam\.d|systemd(?:/.*)?|cron.*"
           r"|docker(?:/.*)?|containers(?:/.*)?|ld\.so\..*|profile(?:\.d)?)", Severity.HIGH, Severity.MEDIUM,
           "has system files of the host", "Where it can write, it decides what the host runs; where it can read, it "
           "knows the host's accounts and settings.", _BY_NAME),
    _place("mount-system", r"/etc/.*", Severity.MEDIUM, None, "may write to the host's settings",
           "It changes how the host behaves.", "Mount it read-only."),
    _place("mount-home", rf"{_HOME}", Severity.MEDIUM, Severity.MEDIUM, "has a whole home folder",
           "Keys and tokens lie there (.ssh, .aws, .cache/huggingface/token).", _BY_NAME),
)  # fmt: skip
"""The first that fits a source counts."""


def mounts(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """One finding for each bind of a place that gives something away."""
    for mount in facts.spec.mounts:
        if mount.kind is MountKind.BIND and (found := _finding(mount, facts)) is not None:
            yield found


def _finding(mount: MountSpec, facts: ContainerFacts) -> SecurityFinding | None:
    source = posixpath.normpath(mount.source).replace("//", "/") if mount.source else ""
    place = next((one for one in _PLACES if one.pattern.fullmatch(source)), None)
    severity = None if place is None else place.read_only if mount.read_only else place.severity
    if place is None or severity is None:
        return None
    can_be_read_only = not mount.read_only and place.read_only is not place.severity
    bind = f"--volume {quote(f'{mount.source}:{mount.destination}:ro')}" if can_be_read_only else ""
    remedy = place.remedy + (" Or mount it read-only." if can_be_read_only and "read-only" not in place.remedy else "")
    return SecurityFinding(
        place.id, severity.lowered() if facts.info.rootless else severity, f"{place.title}: {source}",
        "HostConfig.Binds, Mounts",
        f"{mount.source} at {mount.destination}, {'read-only' if mount.read_only else 'writable'}",
        place.why, remedy, bind,
    )  # fmt: skip


__all__ = ["mounts"]
