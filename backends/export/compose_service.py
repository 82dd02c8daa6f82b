"""One container as a service of a Compose file, with the files beside it. Pure; used by `compose`.

Source: the Compose Specification (compose-spec/spec.md and schema/compose-spec.json).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from backends.export.compose_mounts import Key, gpus, joined, mounts, networks, ports
from backends.export.compose_parts import Body, health, kept, limits, process, rights
from backends.export.exported import PRIVATE_MODE, ExportFile, Member
from backends.export.unsaid import Ledger, Never
from backends.model.ids import EngineKind
from backends.model.secret import is_secret
from backends.model.workload import WorkloadSpec

COMPOSE_LABELS = ("com.docker.compose.", "io.podman.compose.")
"""Labels that a Compose program gives by itself."""

_CONDITIONS = frozenset({"service_started", "service_healthy", "service_completed_successfully"})
_DEPENDS, _SERVICE = "com.docker.compose.depends_on", "com.docker.compose.service"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

NEVER = (
    Never("process.stdin_once", "that stdin is closed after the first who writes to it"),
    Never("process.unset_env", "that variables of the image are not set"),
    Never("process.auto_remove", "that the container is removed when it ends", "Run it by `docker compose run --rm`."),
    Never("process.http_proxy", "whether the host's proxy variables are passed, which is Podman's own"),
    Never("process.systemd", "the systemd mode, which is Podman's own"),
    Never("process.timezone", "the time zone, which is Podman's own", "Set TZ in the environment."),
    Never("process.umask", "the umask, which is Podman's own"),
    Never("network.publish_all", "that all exposed ports are published", "List them under ports."),
    Never("network.base_hosts", "whose /etc/hosts is the base, which is Podman's own"),
    Never("network.no_hosts", "that /etc/hosts is left alone, which is Podman's own"),
    Never("network.no_resolv", "that /etc/resolv.conf is left alone, which is Podman's own"),
    Never("security.read_write_tmpfs", "whether /run and /tmp are writable, which is Podman's own"),
    Never("resources.cpuset_mems", "the memory nodes"),
    Never("health.on_failure", "what is done when the health check fails, which is Podman's own"),
    Never("health.startup", "the startup check, which is Podman's own"),
)
"""What no key of a service says."""


def service_name(member: Member) -> str:
    """The one that Compose gave it, else the container's."""
    return member.spec.labels.get(_SERVICE, "") or member.spec.name


def service(
    member: Member, name: str, volume_key: Key, network_key: Key, service_of: Key, ledger: Ledger
) -> tuple[Body, list[ExportFile]]:
    """The service's mapping, and its files: secrets, a seccomp profile. name: its key. service_of: see `networks`."""
    spec, files = member.spec, list[ExportFile]()
    ledger.never(name, spec, NEVER)
    podman = member.kind is EngineKind.PODMAN
    body: Body = {"image": spec.image} | kept({"container_name": spec.name})
    body |= process(spec, name, ledger)
    body |= _environment(spec, name, files, ledger)
    body |= ports(spec.ports)
    body |= networks(spec.network, name, network_key, service_of, ledger)
    body |= mounts(spec, name, volume_key, ledger)
    body |= limits(spec)
    body |= _spaces(spec, name, service_of, ledger)
    profile = f"{name}.seccomp.json"
    body |= rights(spec.security, name, profile, ledger)
    if spec.security.seccomp not in {"", "unconfined"}:
        files.append(ExportFile(profile, spec.security.seccomp.rstrip("\n") + "\n"))
    body |= gpus(spec.gpu, name, podman, ledger)
    nodes = [f"{one.host_path}:{one.container_path}:{one.permissions}" for one in spec.security.devices]
    if nodes:
        body["devices"] = [*body.get("devices", ()), *nodes]
    body |= health(spec.health)
    if spec.log is not None:
        body["logging"] = kept({"driver": spec.log.driver, "options": dict(spec.log.options)})
    labels = {key: value for key, value in spec.labels.items() if not key.startswith(COMPOSE_LABELS)}
    return body | kept({"labels": labels}), files


def _spaces(spec: WorkloadSpec, name: str, service_of: Key, ledger: Ledger) -> Body:
    spaces = spec.namespaces
    body: Body = {"cgroup": spaces.cgroup} if spaces.cgroup in {"host", "private"} else {}
    if spaces.cgroup and not body:
        ledger.cannot(name, "namespaces.cgroup", f"the cgroup namespace {spaces.cgroup}")
    return body | kept(
        {
            "ipc": joined(spaces.ipc, service_of),
            "pid": joined(spaces.pid, service_of),
            "uts": spaces.uts,
            "userns_mode": spaces.user,
        }
    )


def _environment(spec: WorkloadSpec, name: str, files: list[ExportFile], ledger: Ledger) -> Body:
    """Variables; those that look like secrets in a file that only its owner reads."""
    hidden = {key: value for key, value in spec.env.items() if is_secret(key) and _NAME.fullmatch(key)}
    for key in spec.env:
        if is_secret(key) and key not in hidden:
            ledger.differs(name, "", f"the variable {key} looks secret and stands in the file", warn=True)
    body = kept({"environment": {key: value for key, value in spec.env.items() if key not in hidden}})
    if not hidden:
        return body
    own = f"{name}.env"
    files.append(ExportFile(own, "".join(f"{key}={_quoted(value)}\n" for key, value in hidden.items()), PRIVATE_MODE))
    shown = ", ".join(hidden)
    ledger.differs(name, "", f"what looks secret ({shown}) is in {own}, which only its owner reads")
    return {"env_file": [f"./{own}"]} | body


def _quoted(value: str) -> str:
    """A value as Compose's reader of env files takes it: nothing is expanded.

    Source: compose-go, dotenv/parser.go: within ' all stands for itself, within " a backslash escapes \\ " $.
    """
    if not set(value) & set("'\\\r"):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\r", "\\r")
    return '"' + escaped + '"'


def depends_on(labels: Mapping[str, str], known: Mapping[str, str]) -> Body:
    """The order that Compose wrote into its label ("db:service_healthy:false,…"). known: from services to keys."""
    asked: Body = {}
    for entry in labels.get(_DEPENDS, "").split(","):
        partner, _, rest = entry.partition(":")
        condition = rest.partition(":")[0]
        if partner in known:
            asked[known[partner]] = {"condition": condition if condition in _CONDITIONS else "service_started"}
    return {"depends_on": asked} if asked else {}


__all__ = ["COMPOSE_LABELS", "NEVER", "depends_on", "service", "service_name"]
