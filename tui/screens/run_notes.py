"""What the form says of a draft: beside each field, and in one line. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from backends.draft.draft import Draft
from backends.model.plan import Finding, Severity
from backends.presets.preset import Preset
from backends.services.launch import Judged
from tui.actions import BY_ID, first_key_label
from widgets.line import Line, Tone, line
from widgets.text import inert

_SIGNS = {Severity.BLOCK: ("✕", Tone.BAD), Severity.WARN: ("▲", Tone.WARN), Severity.NOTE: ("·", Tone.INFO)}
Notes = Mapping[str, Mapping[int, list[Line]]]


def notes_of(judged: Judged, draft: Draft, preset: Preset | None) -> Notes:
    """By field and place: what is wrong, what was found, and why the preset sets it so."""
    notes: dict[str, dict[int, list[Line]]] = {}
    for (field, place), sentence in judged.wrong.items():
        notes.setdefault(field, {}).setdefault(place, []).append(line(("✕ ", Tone.BAD), inert(sentence)))
    for one in judged.remarks:
        if one.field and not judged.wrong.keys() & {(one.field, one.place)}:
            notes.setdefault(one.field, {}).setdefault(one.place, []).extend(finding_lines(one.finding))
    for field, texts in draft.texts.items() if preset is not None else ():
        for place, text in enumerate(texts):
            why = preset.why(field, text) if preset is not None else ""
            if why:
                notes.setdefault(field, {}).setdefault(place, []).append(line((inert(why), Tone.DIM)))
    return notes


def finding_lines(finding: Finding) -> list[Line]:
    """What was found, the next step behind it."""
    sign, tone = _SIGNS[finding.severity]
    detail = f" ({inert(finding.detail)})" if finding.detail else ""
    remedy = f"  → {inert(finding.remedy)}" if finding.remedy else ""
    return [line((f"{sign} ", tone), f"{inert(finding.title)}{detail}", (remedy, Tone.DIM))]


def summary(judged: Judged, *, change: bool = False) -> Line:
    """How it stands, in one line. change: it takes the place of a container."""
    key = first_key_label(BY_ID["run.start"])
    does = f"  {key} makes it again" if change else f"  {key} runs it"
    blocks = len(judged.wrong) + sum(one.finding.severity is Severity.BLOCK for one in judged.remarks)
    warns = sum(one.finding.severity is Severity.WARN for one in judged.remarks)
    for one in judged.remarks:
        if not one.field and one.finding.severity is Severity.BLOCK:
            return finding_lines(one.finding)[0]
    if blocks:
        return line((f"✕ {blocks} to mend", Tone.BAD), (f"  {key} goes there", Tone.DIM))
    if warns:
        return line((f"▲ {warns} {'warning' if warns == 1 else 'warnings'}", Tone.WARN), (does, Tone.DIM))
    return line(("✓ ready", Tone.OK), (does, Tone.DIM))


def first_wrong(judged: Judged) -> tuple[str, int] | None:
    """Where the cursor is to go: the first field that keeps it from running."""
    for place in judged.wrong:
        return place
    for one in judged.remarks:
        if one.field and one.finding.severity is Severity.BLOCK:
            return one.field, one.place
    return None


def shown_line(judged: Judged) -> list[Line]:
    """The engine's own line, and what it does not say."""
    command = judged.command
    lines: list[Line] = [line((inert(command.text), Tone.PLAIN))]
    if command.hidden:
        names = ", ".join(inert(name) for name in command.hidden)
        lines.append(line((f"taken from your environment, as they look like secrets: {names}", Tone.DIM)))
    lines += [line((f"not said by this line: {inert(text)}", Tone.WARN)) for text in command.unsaid]
    return lines


__all__ = ["finding_lines", "first_wrong", "notes_of", "shown_line", "summary"]
