"""Compares a copy with its source once more, as far as both are still what they were. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

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
from backends.model.secrets import MASK as WORD_MASK
from backends.model.workload import WorkloadSpec

Words: TypeAlias = tuple[str, ...] | None


class _Masking:
    """An engine whose recipes are masked where a plan is whose secrets are not kept any more."""

    def __init__(self, inner: Engine, kept: WorkloadSpec) -> None:
        self._inner, self._kept = inner, kept

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def workload_spec(self, container: str) -> WorkloadSpec:
        spec = await self._inner.workload_spec(container)
        kept = self._kept
        return replace(
            spec,
            env=_as_kept(spec.env, kept.env),
            labels=_as_kept(spec.labels, kept.labels),
            command=_words_as_kept(spec.command, kept.command),
            entrypoint=_words_as_kept(spec.entrypoint, kept.entrypoint),
        )


def _as_kept(values: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    return {key: MASK if value and kept.get(key) == MASK else value for key, value in values.items()}


def _words_as_kept(words: Words, kept: Words) -> Words:
    """A word of which a part is hidden is taken to be the one that was hidden, where the others are in their places."""
    if words is None or kept is None or len(words) != len(kept):
        return words
    return tuple(old if WORD_MASK in old else new for new, old in zip(words, kept, strict=True))


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
    seen_by: Engine = target if not secrets else _Masking(target, plan.spec)  # type: ignore[assignment]  # passes all else on
    checks = await verify(plan, seen_by, copy.key.id, landed, 0.0)
    hidden = Check("secrets", True, f"{secrets} values", "-", "their values are not kept after a move is confirmed")
    volumes = await _volumes(record, plan, source, target, copy)
    return (*checks, *([hidden] if secrets else []), *volumes)


async def _plan(state_dir: Path, journal: str) -> tuple[Plan, int]:
    """The plan, and how many values in it are masked."""
    plan = await load_plan(state_dir, journal)
    if plan is not None:
        return plan, 0
    report = await load_report(state_dir, journal)
    if report is None:
        raise Refused(f"the report of move {journal} is gone", hint=f"it lay in {state_dir / 'migrations'}")
    spec = report.plan.spec
    values = [value == MASK for value in (*spec.env.values(), *spec.labels.values())]
    words = [WORD_MASK in word for word in (*(spec.command or ()), *(spec.entrypoint or ()))]
    return report.plan, sum(values) + sum(words)


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
