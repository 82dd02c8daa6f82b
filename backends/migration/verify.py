"""Proves that the copy equals its source: what the target says of it, field by field. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends.engine import Engine
from backends.migration.defaults import effective
from backends.migration.health import with_check
from backends.migration.manifest import Manifest, differences
from backends.migration.proofs import gpu_nodes, joined_networks
from backends.migration.rows import TABLE
from backends.migration.rows_network import ports_key
from backends.migration.rows_process import OURS
from backends.migration.show import shown
from backends.migration.table import PAIRS, Row, Side
from backends.model.container import Container, ContainerState, Port
from backends.model.image import ImageFacts
from backends.model.plan import Check, Plan
from backends.model.workload import WorkloadSpec

POLL_S = 0.1
SHOWN_DIFFERENCES = 5


def _mapping(subject: str, wanted: Mapping[str, str], seen: Mapping[str, str]) -> list[Check]:
    """One check where all is equal, else one for each key that differs; secrets masked."""
    if wanted == seen:
        return [Check(subject, True, f"{len(wanted)} equal", f"{len(seen)} equal")]
    return [
        Check(
            f"{subject}.{key}",
            False,
            shown(key, wanted[key]) if key in wanted else "(not set)",
            shown(key, seen[key]) if key in seen else "(not set)",
        )
        for key in sorted(wanted.keys() | seen.keys())
        if wanted.get(key) != seen.get(key)
    ]


def same_ports(wanted: Sequence[Port], seen: Sequence[Port]) -> bool:
    """Whether they are the same; for "any free port" (0) an engine may tell the port that it chose (Podman does)."""
    left = list(ports_key(seen))
    for port in sorted(
        ports_key(wanted), key=lambda port: not port.host_port
    ):  # those with a number of their own first
        found = next((other for other in left if other == port), None)
        if found is None and port.host_port == 0:
            found = next((other for other in left if other.host_port and replace(other, host_port=0) == port), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _text(row: Row, value: Any) -> str:
    """A field's value for people, whole."""
    if value == row.default:
        return "-"
    if row.parts is None:
        return row.show("", value)
    return "; ".join(
        f"{name}={row.show(name, item)}" if row.parts is PAIRS else row.show(name, item)
        for name, item in row.parts.split(value)
    )


def _row(row: Row, wanted: WorkloadSpec, seen: WorkloadSpec) -> list[Check]:
    """The comparison of one field; none where neither has it."""
    if row.key is None:
        return []
    ours, theirs = row.get(wanted), row.get(seen)
    if not row.configured(wanted) and not row.configured(seen):
        return []
    if row.parts is PAIRS:
        return _mapping(row.path, ours, theirs)
    equal = same_ports(ours, theirs) if row.path == "ports" else row.key(ours) == row.key(theirs)
    return [Check(row.path, equal, _text(row, ours), _text(row, theirs))]


def _without_marks(spec: WorkloadSpec) -> WorkloadSpec:
    return replace(spec, labels={key: value for key, value in spec.labels.items() if not key.startswith(OURS)})


def compare_specs(wanted: WorkloadSpec, seen: WorkloadSpec, side: Side | None = None) -> list[Check]:
    """The recipe that was asked for against the one that the target reads back, over all rows of the field table.

    side: the target, whose own values are filled in on both (an engine does not tell what equals its own), None = as
    they are. Not compared: the image (by its facts instead), labels of Tranship's own, whether a volume is anonymous.
    """
    recipes = [_without_marks(spec) for spec in (wanted, seen)]
    if side is not None:
        recipes = [effective(spec, side) for spec in recipes]
    return [check for row in TABLE for check in _row(row, *recipes)]


def compare_images(source: ImageFacts, target: ImageFacts, *, made: bool = False) -> list[Check]:
    """Layers, platform and, where both engines tell it, configuration.

    made: the target's was made of a container of the source's image, so it has a layer of its own on top.
    """
    below = target.diff_ids[: len(source.diff_ids)] if made else target.diff_ids
    checks = [
        Check("image layers", source.diff_ids == below, _layers(source), _layers(target)),
        Check(
            "image platform",
            (source.os, source.architecture) == (target.os, target.architecture),
            *(f"{facts.os}/{facts.architecture}" for facts in (source, target)),
        ),
    ]
    if source.config_digest and target.config_digest and not made:
        same = source.config_digest == target.config_digest
        checks.append(Check("image configuration", same, source.config_digest, target.config_digest))
    return checks


def _layers(facts: ImageFacts) -> str:
    return f"{len(facts.diff_ids)} layers, top {facts.diff_ids[-1][:19] if facts.diff_ids else '-'}"


def compare_volumes(name: str, source: Manifest, target: Manifest) -> Check:
    """The content of a volume and of its copy; where they differ, the first differences."""
    if source.files == target.files:
        return Check(f"volume {name}", True, str(source), str(target))
    found = differences(source, target)
    more = f"; and {len(found) - SHOWN_DIFFERENCES} more" if len(found) > SHOWN_DIFFERENCES else ""
    return Check(f"volume {name}", False, str(source), "; ".join(found[:SHOWN_DIFFERENCES]) + more)


async def _keeps_running(target: Engine, container: str, watch_s: float, clock: Callable[[], float]) -> Container:
    """Look at it until it has run for watch_s, or has stopped."""
    until = clock() + watch_s
    while True:
        seen = await target.inspect_container(container)
        if not seen.state.alive or clock() >= until:
            return seen
        await asyncio.sleep(min(POLL_S, max(0.0, until - clock())))


async def verify(plan: Plan, target: Engine, container: str, landed: ImageFacts, watch_s: float) -> tuple[Check, ...]:
    """Every comparison of the copy with what was planned, besides the volumes' content.

    container: the copy's id. landed: the image that the target had after the image step.
    watch_s: for how long the copy must keep running, where the source ran.
    """
    spec = await target.workload_spec(container)
    loop = asyncio.get_running_loop()
    if plan.source_running:
        seen = await _keeps_running(target, container, watch_s, loop.time)
        running = seen.state.alive and seen.state is not ContainerState.RESTARTING
    else:
        seen = await target.inspect_container(container)
        running = seen.state.alive
    state = str(seen.state) + (
        f" with exit code {seen.exit_code}" if seen.exit_code is not None and not running else ""
    )
    images = compare_images(plan.image.facts, landed, made=bool(plan.image.commit)) if plan.image is not None else []
    side = Side(target.id, await target.connect())
    asked = plan.image.facts.health if plan.image is not None else None
    of_the_image = Check("image of the copy", seen.image_id == landed.key.id, landed.key.short, seen.image_id[:12])
    return (
        *images,
        of_the_image,
        *compare_specs(with_check(plan.spec, asked, landed.health), with_check(spec, landed.health), side),
        *joined_networks(plan.spec, seen),
        *await gpu_nodes(target, container, plan.spec, seen.state.alive, plan.choices.gpus),
        Check("state", running == plan.source_running, "running" if plan.source_running else "not running", state),
    )
