"""The joint plan of a project's containers, its run and its reports as lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey
from backends.model.plan import Finding, MigrationReport, Plan, StepKind
from widgets.engine_badge import badge_tone
from widgets.format import bytes_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.plan_lines import RUNNING, body_lines, checks_lines, ending_lines, findings_lines, moving_lines
from widgets.text import cut_end, cut_middle, inert, line_width, pad, paragraph, width_of

_NAME_CELLS = 28
_ORDER = (
    "First the images travel and, while the sources run, the volumes. Then the sources stop, the last of these first;"
    " then the copies start, the first of these first. If one fails, all are as before."
)


def _headline(plans: Sequence[Plan], project: str, width: int) -> Line:
    source, target = inert(plans[0].source.engine.name), inert(plans[0].target.name)
    many = f"  {len(plans)} containers" if len(plans) > 1 else "  1 container"
    room = width - width_of(f"    {source} → {target}{many}")
    return line(
        ("  ", Tone.PLAIN),
        (cut_middle(inert(project), max(12, room)), Tone.STRONG),
        (many, Tone.DIM),
        (f"  {source}", badge_tone(plans[0].source.engine)),
        (" → ", Tone.DIM),
        (target, badge_tone(plans[0].target)),
    )


def _findings(plans: Sequence[Plan]) -> list[Finding]:
    """What was found of all, each thing once, with the containers that it is about."""
    about: dict[Finding, list[str]] = {}
    for plan in plans:
        for finding in plan.findings:
            about.setdefault(finding, []).append(plan.source_name)
    return [
        finding if len(names) == len(plans) > 1 else replace(finding, title=f"{', '.join(names)}: {finding.title}")
        for finding, names in about.items()
    ]


def _heading(name: str, width: int) -> Line:
    """Where one container's part begins."""
    said = cut_middle(inert(name), width - 8)
    return line(("  ── ", Tone.FAINT), (said, Tone.STRONG), (f" {'─' * (width - width_of(said) - 6)}", Tone.FAINT))


def joint_plan_lines(plans: Sequence[Plan], project: str, width: int) -> list[Line]:
    """Findings of all by severity, the order in which they go, then each one's plan."""
    lines = [_headline(plans, project, width), BLANK, *findings_lines(_findings(plans), width)]
    lines += [line(("  ORDER", Tone.HEADING)), *paragraph(_ORDER, Tone.DIM, width)]
    cells = _cells(plans)
    for number, plan in enumerate(plans, 1):
        head = line((f"  {number} ", Tone.DIM), f"{_name(plan, cells)}  ")
        lines.append((*head, Span(cut_end(_load(plan), max(0, width - line_width(head))), Tone.DIM)))
    for plan in plans:
        lines += [BLANK, _heading(plan.source_name, width), BLANK, *body_lines(plan, width)]
    return lines


def _cells(plans: Sequence[Plan]) -> int:
    return min(_NAME_CELLS, max(width_of(inert(plan.source_name)) for plan in plans))


def _name(plan: Plan, cells: int) -> str:
    return pad(cut_middle(inert(plan.source_name), cells), cells)


def _load(plan: Plan) -> str:
    """What travels for this one, in short."""
    image = next((step for step in plan.steps if step.kind is StepKind.IMAGE), None)
    parts = []
    if image is not None and image.total_bytes is not None and not image.skip:
        parts.append(f"image {bytes_text(image.total_bytes)}")
    elif image is not None:
        parts.append("image there")
    if plan.volumes:
        parts.append(f"{len(plan.volumes)} volume{'s' if len(plan.volumes) > 1 else ''}")
    if not plan.source_running:
        parts.append("does not run")
    return ", ".join(parts)


def joint_progress_lines(
    plans: Sequence[Plan],
    project: str,
    updates: Mapping[ContainerKey, OperationUpdate],
    at_work: ContainerKey | None,
    width: int,
) -> list[Line]:
    """One line for each container, and of the one that is at work how far its step is, or how it ended.

    updates: of those that have begun, by source. step_index counts the plan's steps from 0.
    """
    lines = [_headline(plans, project, width), BLANK]
    cells, last = _cells(plans), None
    for plan in plans:
        update = updates.get(plan.source)
        if update is None:
            lines.append(line(("  ○ ", Tone.DIM), (_name(plan, cells), Tone.DIM)))
            continue
        done = update.phase is Phase.DONE
        ended = update.phase in {Phase.FAILED, Phase.CANCELLED}
        works = plan.source == at_work and not done
        sign = ("  ✕ ", Tone.BAD) if ended and works else ("  ✓ ", Tone.OK) if done else ("  · ", Tone.INFO)
        if works and not ended:
            sign = (RUNNING, Tone.INFO)
        number = min(update.step_index, len(plan.steps) - 1)
        said = f"{len(plan.steps) if done else update.step_index} of {len(plan.steps)} steps"
        title = "" if done else f"  {inert(plan.steps[number].title)}" if works else "  waits for the others"
        head = line(sign, f"{_name(plan, cells)}  ", (said, Tone.DIM))
        lines.append((*head, Span(cut_end(title, max(0, width - line_width(head))), Tone.PLAIN)))
        if works and not ended:
            lines += moving_lines(update, width)
        last = update if works else last
    return [*lines, BLANK, *(ending_lines(last, width) if last is not None else ())]


def joint_report_lines(reports: Sequence[MigrationReport], project: str, width: int) -> list[Line]:
    """How it went with all, then each one's comparisons."""
    plans = [report.plan for report in reports]
    made = sum(not check.skipped for report in reports for check in report.checks)
    differing = [report.plan.source_name for report in reports if not report.equal]
    verdict = (
        line(("  ✕ Copies differ from their sources: ", Tone.BAD), (inert(", ".join(differing)), Tone.BAD))
        if differing
        else line((f"  ✓ All {len(reports)} copies equal their sources", Tone.OK), (f" in all {made} checks", Tone.DIM))
    )
    down = [report.downtime_s for report in reports if report.downtime_s is not None]
    downtime = f"down {max(down):.1f} s at most" if down else "not running before"
    moved = bytes_text(sum(report.moved_bytes for report in reports))
    took = max(report.duration_s for report in reports)
    facts = line((f"  {moved} moved in {took:.1f} s · {downtime}", Tone.DIM))
    lines = [_headline(plans, project, width), BLANK, verdict, facts]
    for report in reports:
        lines += [BLANK, _heading(report.plan.source_name, width), *checks_lines(report.checks, width)]
    return lines
