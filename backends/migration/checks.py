"""What stands in the way of a move, or should be known before it: source, names, image, GPUs. Pure: facts in,
findings out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from backends.giving import INSTALL_RUNTIME, nvidia_runtime
from backends.migration.facts import SourceFacts, TargetFacts, same_image
from backends.migration.gpus import AMD_NODES, GpuMove, RawNodes
from backends.migration.rows_process import OURS
from backends.model.container import ContainerState
from backends.model.ids import EngineKind
from backends.model.plan import Choices, FieldPlan, Finding, ImageAction, ImageMove, Severity, Verdict
from backends.model.secrets import is_secret_name

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""Names of containers that both engines accept. Source: moby daemon/names, podman libpod/define (same pattern)."""

OLDEST: Mapping[EngineKind, tuple[int, int]] = {EngineKind.DOCKER: (20, 10), EngineKind.PODMAN: (4, 0)}
"""The oldest versions whose API has what a move needs. Source: Docker's API 1.41, and podman 4.0, whose create has
`Networks`."""

_ARCHES: Mapping[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}
_VERSION = re.compile(r"(\d+)\.(\d+)")


def block(title: str, detail: str = "", remedy: str = "") -> Finding:
    """Stops the run before it starts."""
    return Finding(Severity.BLOCK, title, detail, remedy)


def warn(title: str, detail: str = "", remedy: str = "") -> Finding:
    """Should be known before."""
    return Finding(Severity.WARN, title, detail, remedy)


def note(title: str, detail: str = "", remedy: str = "") -> Finding:
    """May be good to know."""
    return Finding(Severity.NOTE, title, detail, remedy)


def source_state(source: SourceFacts, target: TargetFacts, choices: Choices) -> Iterator[Finding]:
    """Whether the source can be moved at all."""
    state = source.container.state
    if source.engine == target.engine:
        yield block("source and target are the same engine", str(target.engine), "choose another target engine")
    if state in {ContainerState.REMOVING, ContainerState.STOPPING, ContainerState.DEAD, ContainerState.UNKNOWN}:
        yield block(f"the source is {state}", "", "wait until it runs or has stopped, then plan again")
    if state is ContainerState.PAUSED and choices.stop_source:
        yield note("the source is paused", "It is thawed in order to be stopped; the copy runs and is not paused.")
    unmapped = any(entry.path.endswith("AutoRemove") and entry.value == "true" for entry in source.spec.unmapped)
    if (source.spec.process.auto_remove or unmapped) and state.alive and choices.stop_source:
        yield block(
            "the source was made with --rm: stopping it would delete it",
            "A move stops the source and keeps it, so that nothing is lost if a step fails.",
            "make the source again without --rm, or leave it running (its volumes are then copied while it writes)",
        )
    if state.alive and not choices.stop_source:
        yield warn(
            "the source keeps running beside its copy",
            "What it writes while volumes are copied may be missing or half in the copy.",
            "let the source be stopped where its data matters",
        )


def versions(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """Engines that are older than what was ever tried."""
    for engine, info in ((source.engine, source.info), (target.engine, target.info)):
        found = _VERSION.match(info.version)
        oldest = OLDEST.get(engine.kind)
        if found and oldest and (int(found[1]), int(found[2])) < oldest:
            yield warn(
                f"{engine} is old: version {info.version}",
                f"What a move needs is there from {oldest[0]}.{oldest[1]} on; the run may fail and is then undone.",
                "update the engine",
            )


def names(name: str, target: TargetFacts) -> Iterator[Finding]:
    """Whether the copy's name is good and free."""
    if not NAME.fullmatch(name):
        yield block(f"the name {name!r} is not one that engines accept", "", "choose another with --name")
    taken = next((other for other in target.containers if other.name == name), None)
    if taken is not None:
        yield block(
            f"{target.engine} already has a container named {name}",
            f"id {taken.key.short}, {taken.state}",
            "choose another name with --name, or rename or remove that container",
        )


def image(source: SourceFacts, target: TargetFacts, move: ImageMove) -> Iterator[Finding]:
    """What to know about the image."""
    facts, reference = source.image, source.spec.image
    here, there = _ARCHES.get(facts.architecture, facts.architecture), _ARCHES.get(target.info.arch, target.info.arch)
    if here and there and here != there:
        yield block(
            f"the image is for {here}, the target runs {there}", reference, f"move an image built for {there} instead"
        )
    if source.tag_id and source.tag_id != facts.key.id and (move.tag or move.commit):
        yield warn(
            f"{reference} names another image by now",
            f"What the source runs ({facts.key.short}) is moved, not what the name stands for ({source.tag_id[:12]}).",
        )
    if move.commit:
        return
    if not move.tag and target.by_tag is not None and not same_image(facts, target.by_tag):
        yield warn(
            f"{target.engine} has another image named {reference}",
            f"It ({target.by_tag.key.short}) stays; the copy is created from the image's id {facts.key.short}.",
        )
    present = target.by_id if move.action is ImageAction.TAG else target.by_tag
    if move.action is not ImageAction.SHIP and present and not (facts.config_digest and present.config_digest):
        yield warn(
            "the image on the target is taken for the same by its layers alone",
            "One of the engines does not tell the digest of the image's configuration.",
        )
    if source.digests and move.action is ImageAction.SHIP:
        yield note(
            "the registry's digest is not kept by an image archive",
            f"The source's image is {', '.join(source.digests)}; the copy is compared by its layers and configuration.",
        )


def gpu(move: GpuMove | None, raw: RawNodes, target: TargetFacts) -> Iterator[Finding]:
    """Whether the target can give the GPUs."""
    nvidia = [path for path in raw.left if not AMD_NODES.fullmatch(path)]
    if nvidia:
        yield warn(
            f"{', '.join(nvidia)} are carried as plain device nodes",
            f"They bring none of the driver's libraries; by CDI name they would ({raw.why}).",
            "write the target's CDI specification (nvidia-ctk cdi generate) and plan again",
        )
    if len(nvidia) < len(raw.left) and target.info.rootless:
        yield warn(
            "AMD's device nodes need the rights of their groups",
            "A rootless engine gives only what its user may use: the groups video and render.",
            "put the user into these groups; on Podman with crun add the group keep-groups",
        )
    if move is None:
        return
    if move.refused is not None:
        title = f"{target.engine} cannot give the GPUs that were chosen"
        yield block(title, move.refused.reason, move.refused.remedy)
    elif move.request is None and not move.chosen:
        yield warn("the copy gets no GPU", move.reason)
    elif move.missing:
        yield block(
            f"{target.engine} does not know {', '.join(move.missing)}",
            f"It knows {', '.join(target.info.cdi_devices)}.",
            "write its CDI specification anew (nvidia-ctk cdi generate)",
        )
    elif move.unknown and move.request is not None and move.request.cdi_devices:
        yield warn(
            f"{target.engine} does not tell which CDI devices it has",
            f"Where {', '.join(move.request.cdi_devices)} is missing, the start fails and everything is put back.",
            "`nvidia-ctk cdi list` (AMD: `amd-ctk cdi list`) on its machine names those that it has",
        )


def gpu_driver(move: GpuMove | None, target: TargetFacts) -> Iterator[Finding]:
    """Whether a Docker that is asked by its nvidia driver seems to have one."""
    request = move.request if move is not None else None
    if request is None or request.cdi_devices or request.driver not in {"", "nvidia"} or not target.info.runtimes:
        return
    if not nvidia_runtime(target.info):
        yield warn(
            f"{target.engine} has no nvidia runtime registered",
            "It is asked for GPUs by its nvidia driver; without NVIDIA's toolkit the start fails, and all is put back.",
            INSTALL_RUNTIME,
        )


def recipe(source: SourceFacts, fields: Iterable[FieldPlan], notes: tuple[str, ...]) -> Iterator[Finding]:
    """What to know about the rest of the recipe. notes: settings left to the engines that differ."""
    spec = source.spec
    dropped = [
        entry.field for entry in fields if entry.verdict is Verdict.DROPPED and f"labels.{OURS}" not in entry.field
    ]
    if dropped:
        said = "1 setting is" if len(dropped) == 1 else f"{len(dropped)} settings are"
        yield warn(f"{said} not carried", ", ".join(dropped))
    if notes:
        yield note("the target's own defaults differ", "; ".join(notes))
    secrets = sorted(key for key in spec.env if is_secret_name(key))
    if secrets:
        yield note("secrets in the environment are carried in clear text", ", ".join(secrets))
    if any(key.startswith("com.docker.compose.") for key in spec.labels):
        yield note(
            "the source belongs to a Compose project",
            "Its labels are carried, so Compose will take the copy for its own.",
        )
