"""Plan, progress and report of a migration as lines: what is lost comes first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.events import OperationUpdate, Phase
from backends.model.plan import Check, FieldPlan, Finding, MigrationReport, Plan, Severity, Step, Verdict
from widgets.charts import bar
from widgets.engine_badge import badge_tone
from widgets.format import bytes_text, clock_text, percent_text, rate_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.text import cut_middle, inert, line_width, pad, paragraph, width_of, wrap

_SEVERITY = {
    Severity.BLOCK: ("✕", Tone.BAD),
    Severity.WARN: ("▲", Tone.WARN),
    Severity.NOTE: ("·", Tone.INFO),
}
_TITLE = {Severity.BLOCK: Tone.BAD, Severity.WARN: Tone.STRONG, Severity.NOTE: Tone.PLAIN}
_VERDICT = {
    Verdict.DROPPED: ("✕", Tone.BAD, "NOT CARRIED"),
    Verdict.CONVERTED: ("≈", Tone.WARN, "CONVERTED"),
    Verdict.SAME: ("=", Tone.OK, "THE SAME"),
}
# How a check writes what neither side has: such checks are counted, and named in one line.
_UNSET = frozenset({"", "-", "0", "False", "None", "()", "0 equal", "no"})
RUNNING = "  ▶ "
"""What the line of the step that runs begins with."""
FIELD_CELLS = 22
"""Most cells of a field's name, on a narrow screen; a wide one has a third of itself for it."""


def field_cells(width: int) -> int:
    """Most cells of a field's name at this width."""
    return max(FIELD_CELLS, width // 3)


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """Findings by severity, then what is dropped, converted, the same, then the steps."""
    return [_headline(plan, width), BLANK, *findings_lines(plan.findings, width), *body_lines(plan, width)]


def body_lines(plan: Plan, width: int) -> list[Line]:
    """What is dropped, converted, the same, then the steps."""
    lines: list[Line] = []
    cells = min(field_cells(width), max((width_of(inert(field.field)) for field in plan.fields), default=0))
    for verdict in (Verdict.DROPPED, Verdict.CONVERTED, Verdict.SAME):
        lines.extend(fields_lines([field for field in plan.fields if field.verdict is verdict], verdict, cells, width))
    lines.append(line(("  STEPS", Tone.HEADING)))
    for order, step in enumerate(plan.steps):
        lines.extend(step_lines(order, step, width))
    return lines


def _headline(plan: Plan, width: int) -> Line:
    source, target = inert(plan.source.engine.name), inert(plan.target.name)
    name, new = inert(plan.source_name), inert(plan.spec.name)
    # The engines are told whole; the names share what is left.
    room = width - width_of(f"    {source} → {target}") - (4 if new != name else 0)
    cells = max(12, room // 2 if new != name else room)
    renamed = line((" as ", Tone.DIM), (cut_middle(new, cells), Tone.STRONG)) if new != name else BLANK
    return line(
        ("  ", Tone.PLAIN),
        (cut_middle(name, cells), Tone.STRONG),
        (f"  {source}", badge_tone(plan.source.engine)),
        (" → ", Tone.DIM),
        (target, badge_tone(plan.target)),
        *renamed,
    )


def findings_lines(findings: Sequence[Finding], width: int) -> list[Line]:
    """Whether it can run, and what was found, what blocks first."""
    blocks = sum(finding.severity is Severity.BLOCK for finding in findings)
    if blocks:
        verdict = line((f"  ✕ Cannot run: {blocks} finding{'s' if blocks > 1 else ''} in the way", Tone.BAD))
    elif any(finding.severity is Severity.WARN for finding in findings):
        verdict = line(("  ▲ Can run; read the warnings first", Tone.WARN))
    else:
        verdict = line(("  ✓ Nothing stands in the way", Tone.OK))
    lines: list[Line] = [verdict, BLANK]
    order = list(_SEVERITY)
    for finding in sorted(findings, key=lambda f: order.index(f.severity)):
        sign, tone = _SEVERITY[finding.severity]
        title = paragraph(finding.title, Tone.PLAIN, width, indent="    ")
        said = _TITLE[finding.severity]
        lines.append(line((f"  {sign} ", tone), (title[0][0].text.strip(), said)))
        lines.extend(line((more[0].text, said)) for more in title[1:])
        if finding.detail:
            lines.extend(paragraph(finding.detail, Tone.DIM, width, indent="    "))
        if finding.remedy:
            lines.extend(paragraph(f"→ {finding.remedy}", Tone.PLAIN, width, indent="    "))
    return [*lines, BLANK] if findings else lines


def fields_lines(fields: Sequence[FieldPlan], verdict: Verdict, cells: int, width: int) -> list[Line]:
    """Fields of one verdict, below its heading."""
    if not fields:
        return []
    sign, tone, title = _VERDICT[verdict]
    lines: list[Line] = [line((f"  {title} ", Tone.HEADING), (str(len(fields)), tone))]
    indent = " " * (cells + 6)
    room = width - cells - 6
    for field in fields:
        name, was, now = _name(field.field, cells), inert(field.source), inert(field.target)
        head = line((f"  {sign} ", tone), f"{name}  ")
        if verdict is not Verdict.CONVERTED:
            lines.append((*head, Span(cut_middle(was, room), Tone.DIM if verdict is Verdict.SAME else Tone.PLAIN)))
        else:
            lines.extend(_change(head, was, now, room, Tone.PLAIN))
        if field.reason:
            lines.extend(paragraph(field.reason, Tone.DIM, width + len(indent) - 2, indent=indent))
    return [*lines, BLANK]


def _name(text: str, cells: int) -> str:
    """A field's name in exactly so many cells; long ones are paths, told by their two ends."""
    return pad(cut_middle(inert(text), cells), cells)


def _change(head: Line, was: str, now: str, room: int, tone: Tone) -> list[Line]:
    """What it was and what it is: in one line where that fits, else one below the other, each to its two ends."""
    if width_of(was) + width_of(now) + 3 <= room:
        return [(*head, *line(was, (" → ", Tone.DIM), (now, tone)))]
    below = line((" " * line_width(head), Tone.PLAIN), ("→ ", Tone.DIM), (cut_middle(now, room - 2), tone))
    return [(*head, *line(cut_middle(was, room))), below]


def step_lines(order: int, step: Step, width: int, sign: tuple[str, Tone] = ("○", Tone.DIM)) -> list[Line]:
    """One step, by its number from 0."""
    if step.skip:
        head = line((f"  ↷ {order + 1} ", Tone.DIM), (cut_middle(inert(step.title), max(8, width - 8)), Tone.DIM))
        why = inert(step.skip)
        if line_width(head) + width_of(why) + 2 <= width:
            return [(*head, Span(f"  {why}", Tone.DIM))]
        return [head, *paragraph(why, Tone.DIM, width, indent="      ")]
    size = bytes_text(step.total_bytes) if step.total_bytes is not None else ""
    title = cut_middle(inert(step.title), max(8, width - 18))
    tone = Tone.DIM if sign[0] == "○" else Tone.PLAIN
    head = line((f"  {sign[0]} ", sign[1]), (f"{order + 1} ", Tone.DIM), (title, tone), (f"  {size}", Tone.DIM))
    return [head, *(paragraph(step.how, Tone.DIM, width, indent="      ") if step.how else ())]


def progress_lines(plan: Plan, update: OperationUpdate, width: int) -> list[Line]:
    """The steps with what is done, the one that runs with its bar, rate and time left, and how it ended."""
    lines = [_headline(plan, width), BLANK]
    current = update.step_index
    ended = update.phase in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}
    for order, step in enumerate(plan.steps):
        if order < current or update.phase is Phase.DONE:
            lines.extend(step_lines(order, step, width, ("✓", Tone.OK)))
        elif order > current:
            lines.extend(step_lines(order, step, width))
        else:
            bad = update.phase in {Phase.FAILED, Phase.CANCELLED}
            lines.extend(step_lines(order, step, width, ("✕", Tone.BAD) if bad else (RUNNING.strip(), Tone.INFO)))
            if not ended:
                lines.extend(moving_lines(update, width))
    lines.append(BLANK)
    lines.extend(ending_lines(update, width))
    return lines


def moving_lines(update: OperationUpdate, width: int) -> list[Line]:
    """The running step's own lines: what it does now, and how far it is where that is counted."""
    lines: list[Line] = []
    if update.step:
        lines.append(line((f"      {inert(update.step)}", Tone.DIM)))
    if update.done_bytes is None:
        return lines
    done, rate = bytes_text(update.done_bytes), rate_text(update.bytes_per_s)
    if not update.total_bytes:
        return [*lines, line(f"      {done}", (f"  {rate}", Tone.DIM))]
    share = update.done_bytes / update.total_bytes
    figures = f"  {done} of {bytes_text(update.total_bytes)}  {rate}  {clock_text(update.eta_s)} left"
    room = width - 14 - len(figures)
    cells = max(8, min(48, room))
    drawn = line("      ", *bar(share, cells, tone=Tone.INFO), f" {pad(percent_text(share * 100), 5, 'right')}")
    if room >= 8:
        return [*lines, line(*drawn, (figures, Tone.DIM))]
    return [*lines, drawn, line((f"    {figures}", Tone.DIM))]


def ending_lines(update: OperationUpdate, width: int) -> list[Line]:
    """How it ended; nothing while it runs."""
    if update.phase is Phase.DONE:
        return [*paragraph(f"✓ {update.result or 'Done'}", Tone.OK, width)]
    if update.phase is Phase.CANCELLED:
        return [*paragraph("✕ Cancelled; what was made on the target is removed again", Tone.WARN, width)]
    if update.phase is not Phase.FAILED or update.error is None:
        return []
    lines = paragraph(f"✕ {update.error.title}", Tone.BAD, width)
    for text, tone in ((update.error.detail, Tone.DIM), (update.error.hint, Tone.PLAIN)):
        if text:
            lines.extend(paragraph(text, tone, width, indent="    "))
    return lines


def report_lines(report: MigrationReport, width: int) -> list[Line]:
    """How it went, and each comparison of the copy with its source; what differs comes first."""
    made = sum(not check.skipped for check in report.checks)
    verdict = (
        line(("  ✓ The copy equals its source", Tone.OK), (f" in all {made} checks", Tone.DIM))
        if report.equal
        else line(("  ✕ The copy differs from its source", Tone.BAD))
    )
    downtime = "not running before" if report.downtime_s is None else f"down {report.downtime_s:.1f} s"
    healthy = f", healthy after {report.healthy_s:.1f} s" if report.healthy_s is not None else ""
    facts = f"  {bytes_text(report.moved_bytes)} moved in {report.duration_s:.1f} s · {downtime}{healthy}"
    head = [_headline(report.plan, width), BLANK, verdict, line((facts, Tone.DIM)), BLANK]
    return [*head, line(("  CHECKS", Tone.HEADING)), *checks_lines(report.checks, width)]


def checks_lines(checks: Sequence[Check], width: int) -> list[Line]:
    """What differs, then what could not be compared, then what is equal; what neither side has is only named."""
    lines: list[Line] = []
    unset = [inert(check.subject) for check in checks if _idle(check)]
    told = [check for check in checks if not _idle(check)]
    cells = min(field_cells(width), max((width_of(inert(check.subject)) for check in told), default=0))
    room = width - cells - 6
    for check in sorted(told, key=lambda check: (check.equal, not check.skipped)):
        name, was, now = _name(check.subject, cells), inert(check.source), inert(check.target)
        if check.skipped:
            lines.append(line(("  ? ", Tone.WARN), f"{name}  ", (cut_middle(was, room), Tone.DIM)))
            why = paragraph(f"not compared: {check.skipped}", Tone.WARN, width - cells - 4, indent="  ")
            lines.extend(line(" " * (cells + 4), *part) for part in why)
        elif check.equal:
            lines.append(line(("  = ", Tone.OK), f"{name}  ", (cut_middle(was, room), Tone.DIM)))
        else:
            lines.extend(_change(line(("  ≠ ", Tone.BAD), f"{name}  "), was, now, room, Tone.BAD))
    if unset:
        said = f"{len(unset)} more, not set on either side: {', '.join(unset)}"
        first, *rest = wrap(said, max(8, width - 6))
        lines += [line(("  = ", Tone.OK), (first, Tone.DIM)), *(line(("    " + more, Tone.DIM)) for more in rest)]
    return lines


def _idle(check: Check) -> bool:
    return check.equal and not check.skipped and check.source in _UNSET
