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
from backends.model.secrets import is_secret_name
from backends.model.workload import WorkloadSpec

COMPOSE_LABELS = ("com.docker.compose.", "io.podman.compose.", "PODMAN_SYSTEMD_UNIT")
"""Labels that a Compose program gives by itself, by their beginnings."""

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

UNREAD = {
    "domainname": ("process.domainname",),
    "stop_grace_period": ("process.stop_timeout_s",),
    "cpu_quota": ("resources.cpu_quota_us",),
    "cpu_period": ("resources.cpu_period_us",),
    "cpu_rt_runtime": ("resources.cpu_realtime_runtime_us",),
    "cpu_rt_period": ("resources.cpu_realtime_period_us",),
    "memswap_limit": ("resources.memory_swap_bytes",),
    "mem_swappiness": ("resources.memory_swappiness",),
    "oom_kill_disable": ("resources.oom_kill_disable",),
    "oom_score_adj": ("resources.oom_score_adj",),
    "cgroup_parent": ("resources.cgroup_parent",),
    "storage_opt": ("resources.storage",),
    "blkio_config": ("resources.blkio_weight", "resources.throttles"),
    "external_links": ("network.links",),
    "ipc": ("namespaces.ipc", "namespaces.shm_bytes"),
    "uts": ("namespaces.uts",),
    "cgroup": ("namespaces.cgroup",),
}
"""Keys of the specification that podman-compose does not read, and whose they are. Source: podman_compose.py 1.6."""


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
    body |= _environment(spec, name, podman, files, ledger)
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
    for key in body.keys() & UNREAD.keys() if podman else ():
        for path in UNREAD[key]:
            ledger.differs(
                name, path, f"podman-compose does not read {key}", "Use `podman compose` instead.", warn=True
            )
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


def _environment(spec: WorkloadSpec, name: str, podman: bool, files: list[ExportFile], ledger: Ledger) -> Body:
    """Variables; those that look like secrets in a file that only its owner reads.

    podman-compose puts variables into all that its env files say, whatever the quotes, and takes a carriage return for
    a line break: neither "${" nor that can stand there.
    """
    wrong = ("${", "\r") if podman else ()
    fit = {
        key: text for key, text in spec.env.items() if _NAME.fullmatch(key) and not any(one in text for one in wrong)
    }
    hidden = {key: value for key, value in fit.items() if is_secret_name(key)}
    for key in spec.env:
        if is_secret_name(key) and key not in hidden:
            ledger.differs(name, "", f"the variable {key} looks secret and stands in the file", warn=True)
    body = kept({"environment": {key: value for key, value in spec.env.items() if key not in hidden}})
    if not hidden:
        return body
    own = f"{name}.env"
    lines = [f"{key}={_quoted(value, podman)}\n" for key, value in hidden.items()]
    files.append(ExportFile(own, "".join(lines), PRIVATE_MODE))
    shown = ", ".join(hidden)
    ledger.differs(name, "", f"what looks secret ({shown}) is in {own}, which only its owner reads")
    return {"env_file": [f"./{own}"]} | body


def _quoted(value: str, podman: bool) -> str:
    """A value as Compose's reader of env files takes it, or podman-compose's: nothing is expanded.

    Source: compose-go, dotenv/parser.go: within ' all stands for itself, within " a backslash escapes \\ " $.
    python-dotenv, parser.py: within ' a backslash escapes \\ and '.
    """
    if podman:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
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
