"""What becomes of each configured field of the source: same, converted or dropped. Pure; drops nothing silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from backends.migration.defaults import equalize
from backends.migration.gpus import chosen_fields, with_chosen
from backends.migration.rows import TABLE
from backends.migration.rows_process import OURS
from backends.migration.show import MASK, describe_port, shown
from backends.migration.table import PLAIN, Case, Choice, Decisions, Edit, Fate, Row
from backends.model.plan import FieldPlan, Verdict
from backends.model.workload import UnmappedField, WorkloadSpec

__all__ = [
    "MASK", "OURS", "Choice", "Decisions", "carry", "describe_port", "shown",
]  # fmt: skip


def _field(row: Row, name: str) -> str:
    return f"{row.path}.{name}" if name else row.path


def _plan(row: Row, name: str, value: object, fate: Fate) -> FieldPlan:
    source = row.show(name, value)
    if fate.dropped:
        return FieldPlan(_field(row, name), Verdict.DROPPED, source, "", fate.reason)
    target = fate.text if fate.text is not None else row.show(name, fate.value)
    verdict = Verdict.CONVERTED if fate.reason else Verdict.SAME
    return FieldPlan(_field(row, name), verdict, source, target, fate.reason)


def _fate(row: Row, name: str, value: object, case: Case) -> Fate:
    if name and (why := row.unwanted(name, case)):
        return Fate(reason=why, dropped=True)
    return row.rule(value, case)


def _row(row: Row, case: Case, target: WorkloadSpec) -> tuple[WorkloadSpec, list[FieldPlan], list[Edit]]:
    """One field of the source into the target's recipe."""
    value = row.get(case.spec)
    entries = row.parts.split(value) if row.parts else [("", value)]
    plans, kept, edits = [], [], []
    for name, item in entries:
        fate = _fate(row, name, item, case)
        plans.append(_plan(row, name, item, fate))
        if not fate.dropped and fate.value is not None:
            kept.append((name, fate.value))
        if fate.edit is not None:
            edits.append(fate.edit)
    if row.parts:
        target = row.put(target, row.parts.join(kept))
    elif kept:
        target = row.put(target, kept[0][1])
    return target, plans, edits


def _unmapped(entries: Iterable[UnmappedField]) -> list[FieldPlan]:
    return [
        FieldPlan(entry.path, Verdict.DROPPED, shown(entry.path.rpartition(".")[2], entry.value), "", entry.reason)
        for entry in entries
    ]


def _followed(plans: list[FieldPlan], before: WorkloadSpec, after: WorkloadSpec) -> list[FieldPlan]:
    """What the plans say, once another field has changed a single value that was to stay the same."""
    changed = {row.path: row for row in TABLE if row.parts is None and row.get(before) != row.get(after)}
    return [
        replace(
            plan,
            verdict=Verdict.CONVERTED,
            target=changed[plan.field].show("", changed[plan.field].get(after)),
            reason="another setting, which the target has not, is said by it",
        )
        if plan.field in changed and plan.verdict is Verdict.SAME
        else plan
        for plan in plans
    ]


def carry(case: Case) -> tuple[WorkloadSpec, tuple[FieldPlan, ...], tuple[str, ...]]:
    """The recipe for the target; for each configured field of the source what becomes of it; and the settings left to
    the engines that differ on the target.

    Begins with an empty recipe, so that only what a row says gets into it. Values of fields whose names look like
    secrets are masked in the returned FieldPlans, never in the recipe.
    """
    target = PLAIN
    plans: list[FieldPlan] = []
    edits: list[Edit] = []
    for row in TABLE:
        if row.path in {"image_id", "unmapped"} or not row.configured(case.spec):
            continue
        target, said, more = _row(row, case, target)
        plans += said
        edits += more
    edited = target
    for edit in edits:
        edited = edit(edited)
    plans = _followed(plans, target, edited)
    target = edited
    target = with_chosen(target, case.decided.gpu)
    plans += chosen_fields(case.spec, case.decided.gpu)
    target, own, notes = equalize(case, replace(target, image_id=case.spec.image_id))
    return target, (*plans, *own, *_unmapped(case.spec.unmapped)), tuple(notes)
