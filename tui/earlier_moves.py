"""Moves of earlier sessions and of other processes, from their journals: what a person may still do about them.

Reads only; begins nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from backends.migration import unfinished
from backends.migration.journal import Record, Status, list_journals
from backends.migration.papers import load_plan, load_report
from backends.model.container import Container, ContainerState
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import MigrationReport, Plan
from backends.model.workload import WorkloadSpec
from tui.move import Move, State
from tui.screens.fleet_moves import targets_of

_log = logging.getLogger(__name__)
_OPEN = frozenset({Status.RUNNING, Status.PARTLY_UNDONE, Status.DONE})


async def earlier(
    state_dir: Path, view: FleetView, own: Sequence[Move], also: Collection[tuple[str, ...]] = ()
) -> list[Move]:
    """The moves that are not over, oldest first, without those that this session knows (own).

    also: journals of moves to be told of although they are over. A move that none of the fleet's engines had a part in
    is left out. Raises Protocol where a journal cannot be read.
    """
    known = {journal for move in own for journal in move.journals}
    busy = {(key.engine.name, key.id) for move in own if not move.over for key in move.keys}
    wanted = {journal for journals in also for journal in journals}
    groups: dict[str, list[Record]] = {}
    for record in await list_journals(state_dir):
        told = record.status in _OPEN or record.id in wanted
        if told and record.id not in known and (record.source, record.container_id) not in busy:
            groups.setdefault(record.group or record.id, []).append(record)
    names = {engine.name: engine for engine in view.engines}
    moves = []
    for records in groups.values():
        if {records[0].source, records[0].target} & names.keys() and not _forgotten(records[0], names):
            moves.append(await _move(state_dir, records, view, names))
    return moves


def _forgotten(record: Record, names: Mapping[str, EngineId]) -> bool:
    """It was of demo engines, which forgot all when their process ended."""
    engine = names.get(record.source) or names.get(record.target)
    return engine is not None and engine.kind is EngineKind.DEMO and record.pid != os.getpid()


async def _move(state_dir: Path, records: Sequence[Record], view: FleetView, names: Mapping[str, EngineId]) -> Move:
    papers = [await _papers(state_dir, record, names) for record in records]
    plans = tuple(plan for plan, _, _ in papers)
    reports = tuple(report for _, report, _ in papers if report is not None)
    state = await asyncio.to_thread(_state, records)
    first = plans[0]
    return Move(
        plans,
        view.containers.get(first.source) or _container(records[0], first),
        targets_of(view, first.source.engine) or (first.target,),
        state=state,
        project=records[0].project,
        journals=tuple(record.id for record in records),
        reports=reports if len(reports) == len(records) and state is not State.CUT_OFF else (),
        told=_told(records, state),
        resumable=all(whole for _, _, whole in papers) and records[0].source != records[0].target,
    )


def _state(records: Sequence[Record]) -> State:
    """Where the move stands; of several containers, as the one that wants most. Asks for processes: blocks."""
    running = [record for record in records if record.status is Status.RUNNING]
    if running:
        return State.ELSEWHERE if any(map(unfinished.is_at_work, running)) else State.CUT_OFF
    statuses = {record.status for record in records}
    for status, state in (
        (Status.PARTLY_UNDONE, State.PARTLY_UNDONE),
        (Status.DONE, State.WAITING),
        (Status.CONFIRMED, State.ACCEPTED),
    ):
        if status in statuses:
            return state
    return State.UNDONE


def _told(records: Sequence[Record], state: State) -> str:
    """What happened, for people."""
    if state is State.ELSEWHERE:
        first, names = records[0], ", ".join(record.container_name for record in records)
        since = datetime.fromisoformat(first.resumed_at or first.started_at).astimezone()
        return f"Process {first.pid} moves {names} since {since:%H:%M:%S on %Y-%m-%d}."
    return ". ".join(
        unfinished.sentence(record)
        if record.status in _OPEN
        else f"the move of {record.container_name} is {record.status.value}"
        for record in records
    )


async def _papers(
    state_dir: Path, record: Record, names: Mapping[str, EngineId]
) -> tuple[Plan, MigrationReport | None, bool]:
    """Its plan and report, and whether the plan is as it was made: else it is what the journal itself tells."""
    try:
        plan, report = await load_plan(state_dir, record.id), await load_report(state_dir, record.id)
    except BackendError as error:  # of another version, or damaged: the journal alone says what can be undone
        _log.warning("the papers of the move %s cannot be read: %s", record.id, error)
        plan, report = None, None
    if plan is not None:
        return plan, report, True
    if report is not None:
        return report.plan, report, False
    return _from_journal(record, names), None, False


def _engine(name: str, names: Mapping[str, EngineId]) -> EngineId:
    """An engine that is not in the fleet is told by its name; its kind then matters to nobody."""
    return names.get(name, EngineId(EngineKind.DOCKER, name))


def _from_journal(record: Record, names: Mapping[str, EngineId]) -> Plan:
    """As much of the plan as the journal tells: enough to name it and to take it back."""
    return Plan(
        source=ContainerKey(_engine(record.source, names), record.container_id),
        source_name=record.container_name,
        source_running=record.was_running,
        source_paused=record.was_paused,
        target=_engine(record.target, names),
        spec=WorkloadSpec(record.copy_name, f"sha256:{record.image_id}"),
        volumes=(),
        fields=(),
        findings=(),
        steps=(),
    )


def _container(record: Record, plan: Plan) -> Container:
    """The source where its engine does not show it (any more)."""
    made = datetime.fromisoformat(record.started_at)
    return Container(plan.source, record.container_name, plan.spec.image, record.image_id, ContainerState.UNKNOWN, made)
