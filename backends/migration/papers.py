"""The plan and the report of a move, beside its journal, each 0600. The report that is kept holds no secret values."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from backends.migration.fields import MASK, shown
from backends.migration.journal import folder_of, write
from backends.migration.unbroken import unbroken
from backends.model import codec
from backends.model.errors import Denied
from backends.model.plan import MigrationReport, Plan
from backends.model.secrets import masked_words

ORPHAN_AGE_S = 3600.0
"""A plan without a journal is of a process that died between the two; in this time the journal may still come."""


def plan_path(state_dir: Path, journal: str) -> Path:
    """Where the plan of a move lies while it can still be resumed or undone. It may hold secrets of the environment."""
    return folder_of(state_dir) / f"{journal}.plan.json"


def report_path(state_dir: Path, journal: str) -> Path:
    """Where the report of a finished move lies."""
    return folder_of(state_dir) / f"{journal}.report.json"


def without_secrets(report: MigrationReport) -> MigrationReport:
    """The report as it is kept: values in the environment, labels and commands that look like secrets are masked."""
    spec = report.plan.spec
    clean = replace(
        spec,
        env=_masked(spec.env),
        labels=_masked(spec.labels),
        command=_words(spec.command),
        entrypoint=_words(spec.entrypoint),
        unmapped=(),
    )
    return replace(report, plan=replace(report.plan, spec=clean))


def _masked(values: Mapping[str, str]) -> dict[str, str]:
    """Hidden whole, also where only a part looks like a secret: what is compared again is known by MASK."""
    return {key: MASK if shown(key, value) != value else value for key, value in values.items()}


def _words(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if command is None else tuple(masked_words(command))


async def save_plan(state_dir: Path, journal: str, plan: Plan) -> None:
    """Keep the plan, so that the move can be resumed. Raises Denied where it cannot be written."""
    await _save(plan_path(state_dir, journal), plan)


async def save_report(state_dir: Path, journal: str, report: MigrationReport) -> None:
    """Keep the report. Raises Denied where it cannot be written."""
    await _save(report_path(state_dir, journal), without_secrets(report))


async def _save(path: Path, value: object) -> None:
    def work() -> None:
        write(path, codec.to_json(value))

    try:
        await unbroken(asyncio.to_thread(work))
    except OSError as error:
        hint = f"make room in {path.parent}"
        raise Denied(f"{path.name} of the move cannot be written", detail=str(error), hint=hint) from error


async def load_plan(state_dir: Path, journal: str) -> Plan | None:
    """The plan, None where it is not kept. Raises Protocol where it cannot be read."""
    text = await asyncio.to_thread(_text, plan_path(state_dir, journal))
    return None if text is None else await asyncio.to_thread(codec.from_json, Plan, text)


async def load_report(state_dir: Path, journal: str) -> MigrationReport | None:
    """The report as it is kept, None where there is none. Raises Protocol where it cannot be read."""
    text = await asyncio.to_thread(_text, report_path(state_dir, journal))
    return None if text is None else await asyncio.to_thread(codec.from_json, MigrationReport, text)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


async def discard(state_dir: Path, journal: str, *, report: bool) -> None:
    """Remove the plan, and the report too where it is of a move that was taken back. Raises Denied."""
    paths = [plan_path(state_dir, journal), *([report_path(state_dir, journal)] if report else [])]

    def work() -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    try:
        await unbroken(asyncio.to_thread(work))
    except OSError as error:
        raise Denied("the plan of the move cannot be removed", detail=str(error), hint=f"remove {paths[0]}") from error


async def discard_orphans(state_dir: Path) -> None:
    """Remove plans whose journal was never written. Raises Denied."""

    def work() -> None:
        folder = folder_of(state_dir)
        for path in folder.glob("*.plan.json") if folder.is_dir() else ():
            journal = folder / f"{path.name.removesuffix('.plan.json')}.json"
            if not journal.exists() and path.stat().st_mtime < time.time() - ORPHAN_AGE_S:
                path.unlink(missing_ok=True)

    try:
        await asyncio.to_thread(work)
    except OSError as error:
        raise Denied(
            "old plans cannot be removed", detail=str(error), hint=f"look at {folder_of(state_dir)}"
        ) from error
