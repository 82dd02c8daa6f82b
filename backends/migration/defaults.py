"""What each kind of engine gives to a container that asks for nothing, and how a move makes it equal. Pure.

Sources: moby oci/caps/defaults.go, daemon/config; podman vendor containers.conf default.go and specgen/generate;
values marked "live" were read from Docker 26.1 and Podman 5.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from backends.migration.rows import BY_PATH
from backends.migration.rules import no_controller
from backends.migration.table import Case, Side
from backends.model.container import MountKind
from backends.model.ids import EngineKind
from backends.model.plan import FieldPlan, Verdict
from backends.model.rights import capabilities, own_capabilities
from backends.model.settings import UNLIMITED, HealthSpec
from backends.model.workload import MountSpec, WorkloadSpec

PODMAN_PIDS = 2048
DOCKER_SHM, PODMAN_SHM = 64 * 2**20, 64_000 * 1024  # live: 67108864 and 65536000
READ_WRITE_FOLDERS = ("/run", "/tmp", "/var/tmp")  # of the container; live
LOG_DRIVER = "json-file"
STOP_S, STOP_SIGNAL = 10, "SIGTERM"
CHECK_NS, CHECK_RETRIES, CHECK_START_NS = 30 * 10**9, 3, 5 * 10**9


@dataclass(frozen=True, slots=True)
class Default:
    """One setting whose own value differs between engines. path: its row. docker, podman: the value there.

    applies: whether it means anything for this recipe. said: for the document.
    """

    path: str
    docker: Any
    podman: Any
    applies: Callable[[WorkloadSpec], bool]
    said: str

    def of(self, kind: EngineKind) -> Any:
        """That engine's own."""
        return self.docker if kind is EngineKind.DOCKER else self.podman


def _own_hosts(spec: WorkloadSpec) -> bool:
    return not spec.network.no_hosts and not spec.network.mode.startswith(("host", "container:"))


def _own_ipc(spec: WorkloadSpec) -> bool:
    return spec.namespaces.ipc in {"", "private", "shareable"}


DEFAULTS = (
    Default("resources.pids_limit", UNLIMITED, PODMAN_PIDS, lambda _spec: True,
            "Podman's own limit ends programs with many threads"),
    Default("namespaces.ipc", "private", "shareable", lambda _spec: True, "whether others may join the IPC namespace"),
    Default("namespaces.shm_bytes", DOCKER_SHM, PODMAN_SHM, _own_ipc, "size of /dev/shm"),
    Default("process.http_proxy", False, True, lambda _spec: True, "whether the host's proxy variables are passed"),
    Default("network.base_hosts", "none", "/etc/hosts", _own_hosts, "whose /etc/hosts is the base"),
    Default("security.read_write_tmpfs", False, True, lambda spec: spec.security.read_only_rootfs,
            "whether /run, /tmp and /var/tmp can be written with a read-only root"),
)  # fmt: skip
"""Settings with one value. Capabilities and tmpfs mounts are made equal below; ulimits are the caller's or daemon's."""


def _own(default: Default, side: Side) -> Any:
    """The side's own value; rootless Podman on cgroup v1 limits nothing."""
    if (
        default.path == "resources.pids_limit"
        and side.podman
        and side.info.rootless
        and side.info.cgroup_version == "1"
    ):
        return UNLIMITED
    return default.of(side.engine.kind)


def _tmpfs(mount: MountSpec, kind: EngineKind) -> MountSpec:
    """A tmpfs with what the engine adds written out: Docker's begins empty and runs no programs (live)."""
    if mount.kind is not MountKind.TMPFS:
        return mount
    docker = kind is EngineKind.DOCKER
    options = set(mount.options) - {"rw", "nosuid", "nodev", "exec", "rprivate", "tmpcopyup", "notmpcopyup"}
    if docker and "exec" not in mount.options:
        options.add("noexec")
    no_copy = docker if mount.no_copy is None else mount.no_copy
    return replace(
        mount, options=tuple(sorted(options)), no_copy=no_copy, mode=0o1777 if mount.mode is None else mount.mode
    )


def _health(check: HealthSpec | None) -> HealthSpec | None:
    if check is None or check.test == ("NONE",):
        return None if check is None else HealthSpec(check.test)
    return replace(
        check,
        interval_ns=check.interval_ns or CHECK_NS,
        timeout_ns=check.timeout_ns or CHECK_NS,
        start_interval_ns=check.start_interval_ns or CHECK_START_NS,
        retries=check.retries or CHECK_RETRIES,
        on_failure="" if check.on_failure == "none" else check.on_failure,
    )


def effective(spec: WorkloadSpec, side: Side) -> WorkloadSpec:
    """The recipe with the engine's own values written out, for comparing two recipes of one engine."""
    kind = side.engine.kind
    full = spec
    for default in DEFAULTS:
        row = BY_PATH[default.path]
        if default.applies(spec) and not row.configured(spec):
            full = row.put(full, _own(default, side))
        elif not default.applies(spec) and default.path != "security.read_write_tmpfs":
            full = row.put(full, row.default)
    resources = full.resources
    if spec.memory_bytes and not resources.memory_swap_bytes:
        resources = replace(resources, memory_swap_bytes=2 * spec.memory_bytes)
    if resources.memory_swappiness == -1:
        resources = replace(resources, memory_swappiness=None)
    if not spec.security.read_only_rootfs:
        full = replace(full, security=replace(full.security, read_write_tmpfs=None))
    user = full.namespaces
    private: dict[str, Any] = {name: "" for name in ("pid", "uts") if getattr(user, name) == "private"}
    own_cgroup = "host" if side.info.cgroup_version == "1" else "private"
    no_command = spec.entrypoint is not None and not spec.command  # an entrypoint drops the image's command
    return replace(
        full,
        command=() if no_command else full.command,
        mounts=tuple(_tmpfs(mount, kind) for mount in full.mounts),
        process=replace(
            full.process,
            stop_signal=full.process.stop_signal or STOP_SIGNAL,
            stop_timeout_s=STOP_S if full.process.stop_timeout_s is None else full.process.stop_timeout_s,
        ),
        network=replace(full.network, mode="" if full.network.mode in {"default", "bridge"} else full.network.mode),
        namespaces=replace(user, cgroup="" if user.cgroup == own_cgroup else user.cgroup, **private),
        security=replace(
            full.security, cap_add=tuple(sorted(capabilities(spec.security, own_capabilities(kind)))), cap_drop=(),
        ),
        resources=resources,
        health=_health(full.health),
    )  # fmt: skip


def _why(path: str, value: Any, side: Side) -> str:
    return f"{side.called}'s own is {BY_PATH[path].show(path, value)}"


def _caps(case: Case, spec: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan]]:
    """Capabilities that only one engine gives by itself."""
    source = own_capabilities(case.source.engine.kind)
    target = own_capabilities(case.target.engine.kind)
    asked = case.spec.security
    if asked.privileged or "ALL" in asked.cap_add or "ALL" in asked.cap_drop:
        return spec, []
    lacking = sorted((source - target) - set(asked.cap_drop) - set(asked.cap_add))
    surplus = sorted((target - source) - set(asked.cap_drop) - set(asked.cap_add))
    security = spec.security
    security = replace(
        security,
        cap_add=tuple(dict.fromkeys((*security.cap_add, *lacking))),
        cap_drop=tuple(dict.fromkeys((*security.cap_drop, *surplus))),
    )
    plans = []
    for path, names, does in (("cap_add", lacking, "does not give"), ("cap_drop", surplus, "gives")):
        if names:
            text = ", ".join(names)
            had = f"{case.source.called}'s own" + ("" if path == "cap_add" else " has none of them")
            reason = f"{case.target.called} {does} them by itself"
            plans.append(FieldPlan(f"security.{path}", Verdict.CONVERTED, f"{text} ({had})", text, reason))
    return replace(spec, security=security), plans


def _mounts(case: Case, spec: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan], list[str]]:
    """tmpfs mounts: Docker's begin empty and run no programs, Podman's are filled from the image and do."""
    plans, notes, mounts = [], [], []
    for mount in spec.mounts:
        changed = mount
        said, reasons = [], []
        if mount.kind is MountKind.TMPFS:
            if case.target.podman and mount.no_copy is None:
                changed, said = replace(changed, no_copy=True), ["begins empty"]
                reasons.append("Podman copies the image's files into it by itself")
            elif case.target.docker and not mount.no_copy:
                changed = replace(changed, no_copy=None)
                notes.append(f"{mount.destination}: Docker does not copy the image's files into a tmpfs")
            if not {"exec", "noexec"} & set(mount.options):
                option = "noexec" if case.target.podman else "exec"
                changed = replace(changed, options=tuple(sorted((*mount.options, option))))
                said.append(option)
                reasons.append(f"{case.target.called}'s own is {'exec' if case.target.podman else 'noexec'}")
        if said:
            path = f"mounts.{mount.destination}.options"
            own = f"{case.source.called}'s own"
            plans.append(FieldPlan(path, Verdict.CONVERTED, own, ", ".join(said), "; ".join(reasons)))
        mounts.append(changed)
    return replace(spec, mounts=tuple(mounts)), plans, notes


def _read_only_root(case: Case, spec: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan]]:
    """Podman's writable folders of a read-only root, as mounts of their own on Docker."""
    there = {mount.destination for mount in spec.mounts}
    wanted = [path for path in READ_WRITE_FOLDERS if path not in there]
    made = tuple(MountSpec(MountKind.TMPFS, "", path, options=("exec",)) for path in wanted)
    plans = [
        FieldPlan(f"mounts.{path}", Verdict.CONVERTED, f"{case.source.called}'s own", f"tmpfs {path}",
                  "Docker makes no folder of a read-only root writable by itself")
        for path in wanted
    ]  # fmt: skip
    return replace(spec, mounts=(*spec.mounts, *made)), plans


def _log(case: Case, spec: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan]]:
    """Docker takes options of a log with the driver only, and tells the driver then."""
    if case.target.podman or spec.log is None or spec.log.driver or not spec.log.options:
        return spec, []
    own = f"{case.source.called}'s own"
    reason = "Docker takes options with the driver only"
    plan = FieldPlan("log.driver", Verdict.CONVERTED, own, LOG_DRIVER, reason)
    return replace(spec, log=replace(spec.log, driver=LOG_DRIVER)), [plan]


def _cannot(default: Default, case: Case) -> str:
    """Why the target cannot be told that value, "" where it can."""
    if default.path == "resources.pids_limit":
        return no_controller("pids", case)
    if case.target.docker and default.path == "process.http_proxy":
        return "Docker does not pass its host's proxy variables"
    if case.target.docker and default.path == "network.base_hosts":
        return "Docker does not take over its host's /etc/hosts"
    return ""


def differing(case: Case) -> Iterator[tuple[Default, Any, Any]]:
    """(setting, source's own, target's own) of what the source left to its engine and the target does otherwise."""
    for default in DEFAULTS:
        ours, theirs = _own(default, case.source), _own(default, case.target)
        if ours != theirs and default.applies(case.spec) and not BY_PATH[default.path].configured(case.spec):
            yield default, ours, theirs


def equalize(case: Case, spec: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan], list[str]]:
    """The target's recipe with the source engine's own values written out, what the plan says of them, and what of
    them cannot be said to the target.

    spec: the target's recipe so far. With native_defaults nothing is written, and all differences are told.
    """
    plans: list[FieldPlan] = []
    notes: list[str] = []
    native = case.decided.choices.native_defaults
    for default, ours, theirs in differing(case):
        row = BY_PATH[default.path]
        path, show = default.path, row.show(default.path, ours)
        why = _cannot(default, case)
        if native or why:
            notes.append(
                f"{path}: {show} ({case.source.called}), here {row.show(path, theirs)}" + (f": {why}" if why else "")
            )
        elif path == "security.read_write_tmpfs" and case.target.docker:
            spec, more = _read_only_root(case, spec)
            plans += more
        else:
            spec = row.put(spec, ours)
            own = f"{show} ({case.source.called}'s own)"
            plans.append(FieldPlan(path, Verdict.CONVERTED, own, show, _why(path, theirs, case.target)))
    asked = case.spec.security.read_only_rootfs and case.spec.security.read_write_tmpfs
    if case.crossing and asked and case.target.docker:
        spec, more = _read_only_root(case, spec)
        plans += more
    spec, more = _log(case, spec)
    plans += more
    if case.crossing and native:
        notes += _native_notes(case)
    elif case.crossing:
        spec, more = _caps(case, spec)
        spec, also, lost = _mounts(case, spec)
        plans += [*more, *also]
        notes += lost
    return spec, plans, notes


def _native_notes(case: Case) -> list[str]:
    probe, caps = _caps(case, case.spec)
    _, tmpfs, lost = _mounts(case, probe)
    return [*(f"{plan.field}: {plan.target}: {plan.reason}" for plan in (*caps, *tmpfs)), *lost]


OTHER: Mapping[str, tuple[str, str, str]] = {
    "security.cap_add, cap_drop": ("14 capabilities", "11: no MKNOD, NET_RAW, AUDIT_WRITE", "added or dropped by name"),
    "tmpfs: content": ("empty", "the image's files are copied in", "notmpcopyup on Podman; on Docker a note"),
    "tmpfs: programs": ("noexec", "exec", "said in the mount's options"),
    "resources.ulimits": ("the daemon's", "1,048,576 files and processes, or its caller's limits", "a note"),
    "network.mode": ("bridge", "bridge; rootless: pasta, without a way between containers", "a note"),
}
"""Differences that are no single value, for the document: (Docker, Podman, what the move does)."""
