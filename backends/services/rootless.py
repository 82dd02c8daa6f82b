"""What a move to rootless Podman would change for a container: the migration's own plan, made and thrown away.

Changes nothing, makes no helper container, and judges by the fleet's own rootless Podman where it has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from backends.engine import Engine
from backends.inspected import user_of
from backends.migration.facts import SourceFacts, TargetFacts
from backends.migration.plan import make_plan
from backends.model.capabilities import Capabilities, Capability, EngineInfo, EnginePolicy
from backends.model.container import MountKind
from backends.model.fleet import EngineView
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, Plan, Severity, Verdict
from backends.model.rights import PODMAN_CAPS
from backends.security.finding import RootlessChange, RootlessReport
from backends.services.doctor import ENOUGH_IDS, HostFacts, read_host

IMAGINED = EngineId(EngineKind.PODMAN, "rootless Podman")
_ORDER = ("block", "warn", "dropped", "converted", "note")
_NO_LIMITS = "rootless Podman on cgroup v1 ignores memory and CPU limits"
_SEVERITIES = {Severity.BLOCK: "block", Severity.WARN: "warn", Severity.NOTE: "note"}
_OF_THE_MOVE = frozenset({"name", "image"})
"""Fields that say how a copy is made, not what it may do."""


async def rootless_report(
    engine: Engine, container: str, engines: Iterable[EngineView], environ: Mapping[str, str]
) -> RootlessReport:
    """What would change. engines: the fleet's; the first rootless Podman that answers is the target.

    Raises NotFound where the container or its image is gone, and the engine's own errors.
    """
    info = await engine.connect()
    seen = await engine.inspect_container(container)
    real = next(
        (one for one in engines if _rootless_podman(one) and one.info is not None and one.id != engine.id), None
    )
    if engine.id.kind is EngineKind.PODMAN and info.rootless:
        return RootlessReport(seen.key, seen.name, str(engine.id), imagined=False, basis="", already=True)
    if real is not None and real.info is not None:
        target, there, basis = real.id, real.info, "what it says of itself"
    else:
        host = await asyncio.to_thread(read_host, environ) if info.local else None
        target, there, basis = IMAGINED, imagined(info, host), _basis(host)
    plan = await bare_plan(engine, info, container, TargetFacts(target, there))
    return RootlessReport(seen.key, seen.name, str(target), real is None, basis, changes=changes(plan))


def _rootless_podman(view: EngineView) -> bool:
    return not view.stale and view.id.kind is EngineKind.PODMAN and view.info is not None and view.info.rootless


def imagined(source: EngineInfo, host: HostFacts | None) -> EngineInfo:
    """A rootless Podman on the source's host, as far as that one's files tell. host: None where it is another machine.

    Without the host's files only that is judged which is so for every rootless Podman.
    """
    version = source.cgroup_version
    if host is not None and host.cgroup_version in {"1", "2"}:
        version = host.cgroup_version
    delegated = host.delegated if host is not None and version == "2" else None
    ordinary = host is not None and host.uid != 0
    ids = ((0, 1), (1, host.subuids)) if ordinary and host is not None and host.subuids else ()
    lacking = {Capability.RESOURCE_LIMITS: _NO_LIMITS} if version == "1" else {}
    return EngineInfo(
        version=source.version,
        api_version="",
        rootless=True,
        local=source.local,
        os=source.os,
        arch=source.arch,
        kernel=source.kernel,
        cgroup_version=version,
        cdi_devices=source.cdi_devices,
        cgroup_controllers=tuple(sorted(delegated)) if delegated else (),
        seccomp=source.seccomp,
        apparmor=source.apparmor,
        selinux=source.selinux,
        id_ranges=ids,
        host=source.host,
        policy=EnginePolicy(default_caps=tuple(sorted(PODMAN_CAPS))),
        capabilities=Capabilities(lacking),
    )


def _basis(host: HostFacts | None) -> str:
    if host is None:
        return "what is so for every rootless Podman: its machine's files are not here"
    if host.uid == 0:
        return f"cgroup version {host.cgroup_version or 'none'}; you are root, so that no user's ids are judged"
    short = "" if host.subuids >= ENOUGH_IDS else f" (images in general need {ENOUGH_IDS})"
    return f"cgroup version {host.cgroup_version or 'none'}; /etc/subuid gives {host.user} {host.subuids} ids{short}"


async def bare_plan(engine: Engine, info: EngineInfo, container: str, target: TargetFacts) -> Plan:
    """The plan of a move, as if the target had the image and nothing else: how things travel is not asked here.

    info: of the source, as it said when it was connected to. What the engines do by themselves stays the target's own.
    """
    seen, spec = await asyncio.gather(engine.inspect_container(container), engine.workload_spec(container))
    raw, image, networks = await asyncio.gather(
        engine.inspect_raw(container), engine.image_facts(spec.image_id or seen.image_id), engine.list_networks()
    )
    names = [mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME]
    volumes = await asyncio.gather(*map(engine.inspect_volume, dict.fromkeys(names)))
    source = SourceFacts(
        engine=engine.id,
        info=info,
        container=seen,
        spec=spec,
        image=image,
        tag_id=image.key.id,
        volumes={volume.name: volume for volume in volumes},
        networks={network.spec.name: network for network in networks},
        user=user_of(raw),
    )
    has_it = TargetFacts(target.engine, target.info, by_id=image, by_tag=image)
    return await asyncio.to_thread(make_plan, source, has_it, Choices(native_defaults=True))


def changes(plan: Plan) -> tuple[RootlessChange, ...]:
    """Of a plan what it changes, the gravest first."""
    found = [RootlessChange(_SEVERITIES[one.severity], one.title, one.detail, one.remedy) for one in plan.findings]
    found += [
        RootlessChange(one.verdict.value, f"{one.field}: {one.source}", _became(one.target, one.reason))
        for one in plan.fields
        if one.verdict is not Verdict.SAME and one.field not in _OF_THE_MOVE
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: _ORDER.index(one.verdict)))


def _became(target: str, reason: str) -> str:
    return f"{target}: {reason}" if target else reason


__all__ = ["IMAGINED", "bare_plan", "changes", "imagined", "rootless_report"]
