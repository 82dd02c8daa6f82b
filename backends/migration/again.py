"""Compares a copy with its source once more, as far as both are still what they were. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backends.engine import Engine
from backends.migration.fields import MASK
from backends.migration.journal import Effect, Record, Status, load
from backends.migration.manifest import Manifest
from backends.migration.papers import load_plan, load_report
from backends.migration.rollback import engines_of
from backends.migration.tools import tool_image
from backends.migration.transfer import volume_manifest
from backends.migration.verify import compare_volumes, verify
from backends.model.container import Container, ContainerState
from backends.model.errors import NotFound, Refused
from backends.model.plan import Check, Plan, VolumeChoice
from backends.model.workload import WorkloadSpec


class _Masking:
    """An engine whose recipes are masked where a plan is whose secrets are not kept any more."""

    def __init__(self, inner: Engine, names: Sequence[str]) -> None:
        self._inner, self._names = inner, names

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def workload_spec(self, container: str) -> WorkloadSpec:
        spec = await self._inner.workload_spec(container)
        return replace(spec, env=self._masked(spec.env), labels=self._masked(spec.labels))

    def _masked(self, values: Mapping[str, str]) -> dict[str, str]:
        return {key: MASK if value and key in self._names else value for key, value in values.items()}


async def verify_again(state_dir: Path, journal: str, engines: Mapping[str, Engine]) -> tuple[Check, ...]:
    """Repeat the comparisons of a finished move: image, recipe, state, and the volumes where the copy has not run.

    engines: by name. What cannot be compared any more is among the checks, with the reason in `skipped`. Raises Refused
    where the move is not finished or its plan and report are gone, NotFound where the copy or an engine is;
    FileNotFoundError where there is no such journal.
    """
    record = (await load(state_dir, journal)).record
    if record.status not in {Status.DONE, Status.CONFIRMED}:
        raise Refused(f"move {journal} is not finished: it is {record.status}")
    source, target = engines_of(record, engines, lenient=True)
    plan, secrets = await _plan(state_dir, journal)
    container = record.find(Effect.CONTAINER)
    if container is None or not container.id:
        raise Refused(f"move {journal} has made no container")
    copy = await target.inspect_container(container.id)
    landed = await target.image_facts(copy.image_id)
    seen_by: Engine = target if not secrets else _Masking(target, secrets)  # type: ignore[assignment]  # passes all else on
    checks = await verify(plan, seen_by, copy.key.id, landed, 0.0)
    hidden = Check(
        "secrets", True, f"{len(secrets)} values", "-", "their values are not kept after a move is confirmed"
    )
    volumes = await _volumes(record, plan, source, target, copy)
    return (*checks, *([hidden] if secrets else []), *volumes)


async def _plan(state_dir: Path, journal: str) -> tuple[Plan, list[str]]:
    """The plan, and the names of the values in it that are masked."""
    plan = await load_plan(state_dir, journal)
    if plan is not None:
        return plan, []
    report = await load_report(state_dir, journal)
    if report is None:
        raise Refused(f"the report of move {journal} is gone", hint=f"it lay in {state_dir / 'migrations'}")
    spec = report.plan.spec
    return report.plan, [key for key, value in (*spec.env.items(), *spec.labels.items()) if value == MASK]


async def _volumes(record: Record, plan: Plan, source: Engine, target: Engine, copy: Container) -> list[Check]:
    copied = [move for move in plan.volumes if move.choice is VolumeChoice.COPY]
    why = ""
    if copy.state is not ContainerState.CREATED:
        why = "the copy has run: its volumes are its own now; they were equal before it started"
    elif copied:
        why = await _source_changed(record, source)
    if why:
        return [Check(f"volume {m.source_name}", True, "equal at the move", "not compared", why) for m in copied]
    checks = []
    for move in copied:
        one = await _manifest(source, move.source_name, record.image_id)
        other = await _manifest(target, move.create.name, copy.image_id)
        checks.append(await asyncio.to_thread(compare_volumes, move.source_name, one, other))
    return checks


async def _source_changed(record: Record, source: Engine) -> str:
    """Why the source's volumes are not what was moved any more, "" where they are."""
    try:
        seen = await source.inspect_container(record.container_id)
    except NotFound:
        return "the source is gone"
    return f"the source is {seen.state}" if seen.state.alive else ""


async def _manifest(engine: Engine, volume: str, own_image: str) -> Manifest:
    tool = await tool_image(engine, volume, own_image)
    return await volume_manifest(engine, volume, tool, 0, lambda _flow: None)
