"""Plan, progress and report of a migration as lines: what is lost comes first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.events import OperationUpdate, Phase
from backends.model.plan import FieldPlan, Finding, MigrationReport, Plan, Severity, Step, Verdict
from widgets.charts import bar
from widgets.engine_badge import badge_tone
from widgets.format import bytes_text, clock_text, percent_text, rate_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.text import cut_end, inert, pad, paragraph, width_of, wrap

_SEVERITY = {
    Severity.BLOCK: ("✕", Tone.BAD),
    Severity.WARN: ("▲", Tone.WARN),
    Severity.NOTE: ("·", Tone.INFO),
}
_VERDICT = {
    Verdict.DROPPED: ("✕", Tone.BAD, "NOT CARRIED"),
    Verdict.CONVERTED: ("≈", Tone.WARN, "CONVERTED"),
    Verdict.SAME: ("=", Tone.OK, "THE SAME"),
}
# How a check writes what neither side has: such checks are counted, and named in one line.
_UNSET = frozenset({"", "-", "0", "False", "None", "()", "0 equal", "no"})
_FIELD_CELLS = 22  # most cells of a field's name


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """Findings by severity, then what is dropped, converted, the same, then the steps."""
    lines = [_headline(plan), BLANK, *_findings(plan.findings, width)]
    cells = min(_FIELD_CELLS, max((width_of(inert(field.field)) for field in plan.fields), default=0))
    for verdict in (Verdict.DROPPED, Verdict.CONVERTED, Verdict.SAME):
        lines.extend(_fields([field for field in plan.fields if field.verdict is verdict], verdict, cells, width))
    lines.append(line(("  STEPS", Tone.HEADING)))
    lines.extend(_step(order, step, width) for order, step in enumerate(plan.steps))
    return lines


def _headline(plan: Plan) -> Line:
    name, new = inert(plan.source_name), inert(plan.spec.name)
    renamed = line((" as ", Tone.DIM), (new, Tone.STRONG)) if new != name else BLANK
    return line(
        ("  ", Tone.PLAIN),
        (name, Tone.STRONG),
        (f"  {inert(plan.source.engine.name)}", badge_tone(plan.source.engine)),
        (" → ", Tone.DIM),
        (inert(plan.target.name), badge_tone(plan.target)),
        *renamed,
    )


def _findings(findings: Sequence[Finding], width: int) -> list[Line]:
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
        strong = Tone.PLAIN if finding.severity is Severity.NOTE else Tone.STRONG
        lines.append(line((f"  {sign} ", tone), (title[0][0].text.strip(), strong)))
        lines.extend(title[1:])
        if finding.detail:
            lines.extend(paragraph(finding.detail, Tone.DIM, width, indent="    "))
        if finding.remedy:
            lines.extend(paragraph(f"→ {finding.remedy}", Tone.PLAIN, width, indent="    "))
    return [*lines, BLANK] if findings else lines


def _fields(fields: Sequence[FieldPlan], verdict: Verdict, cells: int, width: int) -> list[Line]:
    if not fields:
        return []
    sign, tone, title = _VERDICT[verdict]
    lines: list[Line] = [line((f"  {title} ", Tone.HEADING), (str(len(fields)), tone))]
    indent = " " * (cells + 6)
    for field in fields:
        name = pad(cut_end(inert(field.field), cells), cells)
        value = [Span(inert(field.source), Tone.DIM if verdict is Verdict.SAME else Tone.PLAIN)]
        if verdict is Verdict.CONVERTED:
            value.extend([Span(" → ", Tone.DIM), Span(inert(field.target))])
        lines.append(line((f"  {sign} ", tone), f"{name}  ", *value))
        if field.reason:
            lines.extend(paragraph(field.reason, Tone.DIM, width + len(indent) - 2, indent=indent))
    return [*lines, BLANK]


def _step(order: int, step: Step, width: int, sign: tuple[str, Tone] = ("○", Tone.DIM)) -> Line:
    if step.skip:
        return line((f"  ↷ {order + 1} ", Tone.DIM), (inert(step.title), Tone.DIM), (f"  {inert(step.skip)}", Tone.DIM))
    size = bytes_text(step.total_bytes) if step.total_bytes is not None else ""
    title = cut_end(inert(step.title), max(8, width - 18))
    tone = Tone.DIM if sign[0] == "○" else Tone.PLAIN
    return line((f"  {sign[0]} ", sign[1]), (f"{order + 1} ", Tone.DIM), (title, tone), (f"  {size}", Tone.DIM))


def progress_lines(plan: Plan, update: OperationUpdate, width: int) -> list[Line]:
    """The steps with what is done, the one that runs with its bar, rate and time left, and how it ended."""
    lines = [_headline(plan), BLANK]
    current = update.step_index
    ended = update.phase in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}
    for order, step in enumerate(plan.steps):
        if order < current or update.phase is Phase.DONE:
            lines.append(_step(order, step, width, ("✓", Tone.OK)))
        elif order > current:
            lines.append(_step(order, step, width))
        else:
            bad = update.phase in {Phase.FAILED, Phase.CANCELLED}
            lines.append(_step(order, step, width, ("✕", Tone.BAD) if bad else ("▶", Tone.INFO)))
            if not ended:
                lines.extend(_moving(update, width))
    lines.append(BLANK)
    lines.extend(_ending(update, width))
    return lines


def _moving(update: OperationUpdate, width: int) -> list[Line]:
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


def _ending(update: OperationUpdate, width: int) -> list[Line]:
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
    verdict = (
        line(("  ✓ The copy equals its source", Tone.OK), (f" in all {len(report.checks)} checks", Tone.DIM))
        if report.equal
        else line(("  ✕ The copy differs from its source", Tone.BAD))
    )
    downtime = "not running before" if report.downtime_s is None else f"down {report.downtime_s:.1f} s"
    facts = f"  {bytes_text(report.moved_bytes)} moved in {report.duration_s:.1f} s · {downtime}"
    lines = [_headline(report.plan), BLANK, verdict, line((facts, Tone.DIM)), BLANK, line(("  CHECKS", Tone.HEADING))]
    unset = [inert(check.subject) for check in report.checks if check.equal and check.source in _UNSET]
    told = [check for check in report.checks if not (check.equal and check.source in _UNSET)]
    cells = min(_FIELD_CELLS, max((width_of(inert(check.subject)) for check in told), default=0))
    for check in sorted(told, key=lambda check: check.equal):
        name = pad(cut_end(inert(check.subject), cells), cells)
        if check.equal:
            lines.append(line(("  = ", Tone.OK), f"{name}  ", (inert(check.source), Tone.DIM)))
            continue
        was, now = inert(check.source), inert(check.target)
        if width_of(was) + width_of(now) + cells + 9 <= width:
            lines.append(line(("  ≠ ", Tone.BAD), f"{name}  ", was, (" → ", Tone.DIM), (now, Tone.BAD)))
        else:
            lines.append(line(("  ≠ ", Tone.BAD), f"{name}  ", was))
            lines.append(line(" " * (cells + 4), ("→ ", Tone.DIM), (now, Tone.BAD)))
    if unset:
        said = f"{len(unset)} more, not set on either side: {', '.join(unset)}"
        first, *rest = wrap(said, max(8, width - 6))
        lines += [line(("  = ", Tone.OK), (first, Tone.DIM)), *(line(("    " + more, Tone.DIM)) for more in rest)]
    return lines
