"""A migration's plan and report as plain lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from humanize import precisedelta

from backends.model.errors import BackendError
from backends.model.plan import Check, FieldPlan, Finding, MigrationFailed, MigrationReport, Plan, Severity, Verdict
from tui.cli.table import Column, table
from widgets.format import bytes_text
from widgets.text import inert

_FIELDS = (
    Column("FIELD"),
    Column("BECOMES"),
    Column("SOURCE", give=3, cut="middle"),
    Column("TARGET", give=2, cut="middle"),
    Column("WHY", give=1),
)
_MARKS = {Severity.BLOCK: "✕ blocks", Severity.WARN: "! warning", Severity.NOTE: "· note"}
_ORDER = (Verdict.DROPPED, Verdict.CONVERTED, Verdict.SAME)
"""What a person should read first comes first."""


def plan_lines(plan: Plan, width: int | None) -> Iterator[str]:
    """The whole plan. width: cells of the terminal, None = as wide as it takes."""
    yield inert(f"Move {plan.source_name} from {plan.source.engine} to {plan.target} as {plan.spec.name}")
    yield inert(f"Image {plan.spec.image}; the source {_afterwards(plan)} and is never removed unless you say so.")
    yield ""
    fields = sorted(plan.fields, key=lambda field: _ORDER.index(field.verdict))
    yield from table(_FIELDS, [_field(field) for field in fields], width)
    yield ""
    for number, step in enumerate(plan.steps, start=1):
        size = f" ({bytes_text(step.total_bytes)})" if step.total_bytes else ""
        skipped = f" — skipped: {step.skip}" if step.skip else ""
        yield inert(f"{number:2}. {step.title}{size}{skipped}")
        if step.how:
            yield inert(f"    {step.how}")
    for finding in plan.findings:
        yield from _finding(finding)
    if plan.blocked:
        yield ""
        yield "This plan cannot run: see what blocks it above."


def report_lines(report: MigrationReport) -> Iterator[str]:
    """What was done and proved."""
    plan = report.plan
    yield inert(
        f"{plan.source_name} runs on {plan.target} as {plan.spec.name}" if plan.source_running else _at_rest(plan)
    )
    downtime = "" if report.downtime_s is None else f", {_time(report.downtime_s)} without service"
    yield f"{bytes_text(report.moved_bytes)} moved in {_time(report.duration_s)}{downtime}"
    if report.healthy_s is not None:
        yield f"healthy {_time(report.healthy_s)} after the stop"
    yield from check_lines(report.checks)
    for note in report.notes:
        yield inert(f"  {note}")


def undone_lines(error: BackendError) -> Iterator[str]:
    """What was taken back after a failed move; nothing for other errors."""
    if not isinstance(error, MigrationFailed):
        return
    yield from (inert(f"  undone: {thing}") for thing in error.undone.done)
    yield from (inert(f"  left: {thing}") for thing in error.undone.left)
    if not error.undone.left:
        yield "  nothing was lost: the source is as it was before"


def check_lines(checks: Sequence[Check], *, each: bool = False) -> Iterator[str]:
    """How many comparisons held, and those that did not or could not be made. each: those that held too."""
    made = [check for check in checks if not check.skipped]
    yield f"{sum(check.equal for check in made)} of {len(made)} comparisons equal"
    for check in checks:
        if check.skipped:
            yield inert(f"  not compared: {check.subject}: {check.skipped}")
        elif not check.equal:
            yield inert(f"  differs: {check.subject}: {check.source} / {check.target}")
        elif each:
            yield inert(f"  = {check.subject}: {check.source}")


def _time(seconds: float) -> str:
    """ "0.4 seconds", "12 minutes and 3.2 seconds"."""
    return precisedelta(seconds, format="%.1f")


def _at_rest(plan: Plan) -> str:
    return f"{plan.source_name} is on {plan.target} as {plan.spec.name}, not started, as its source was not"


def _afterwards(plan: Plan) -> str:
    if plan.source_running and not plan.choices.stop_source:
        return "is left running"
    return "is stopped afterwards" if plan.source_running else "stays as it is"


def _field(field: FieldPlan) -> tuple[str, ...]:
    return field.field, field.verdict.value, field.source, field.target, field.reason


def _finding(finding: Finding) -> Iterator[str]:
    yield inert(f"{_MARKS[finding.severity]}: {finding.title}")
    for more in (finding.detail, f"→ {finding.remedy}" if finding.remedy else ""):
        if more:
            yield inert(f"    {more}")
