"""What an image wastes, as lines: the figures, the largest offenders, and what need not be there. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.image_files import LayerHint, ReadProgress, WasteReport
from widgets.charts import bar
from widgets.format import bytes_text
from widgets.line import BLANK, Line, Tone, line
from widgets.text import cut_middle, inert, pad, paragraph

OFFENDERS = 200
_BAR = 12


def waste_words(waste: WasteReport) -> str:
    """The figures in few words."""
    if not waste.wasted_bytes:
        return "nothing wasted"
    return f"{bytes_text(waste.wasted_bytes)} wasted"


def waste_lines(waste: WasteReport, hints: Sequence[LayerHint], width: int) -> list[Line]:
    """The figures, then offenders, then hints with the command that helps."""
    share = f"{waste.wasted_share:.1%}"
    wasted = f"{bytes_text(waste.wasted_bytes)} of {bytes_text(waste.total_bytes)} wasted"
    figure = f"  {share} · efficiency {waste.efficiency:.4f}"
    meaning = " (1 = no path comes twice, as dive counts)"
    fits = len(wasted + figure + meaning) <= width
    lines = [line((wasted, Tone.STRONG), (figure + meaning * fits, Tone.DIM)), BLANK]
    if waste.offenders:
        lines.append(line(("OVERWRITTEN OR REMOVED BY A LATER LAYER", Tone.HEADING)))
        largest = waste.offenders[0].wasted_bytes
        for bad in waste.offenders[:OFFENDERS]:
            how = "removed" if bad.removed else f"written {bad.times + 1}×"
            more = f"{how}, {bad.files:,} files" if bad.files > 1 and bad.removed else how
            room = max(8, width - 9 - 2 - _BAR - 2 - len(more) - 2)
            path = pad(cut_middle(inert(bad.path), room), room)
            filled = bar(bad.wasted_bytes / largest, _BAR, tone=Tone.WARN)
            lines.append(
                line(f"{pad(bytes_text(bad.wasted_bytes), 9, 'right')}  ", *filled, f"  {path}  ", (more, Tone.DIM))
            )
        if len(waste.offenders) > OFFENDERS:
            lines.append(line((f"… and {len(waste.offenders) - OFFENDERS:,} smaller ones", Tone.DIM)))
        lines.append(BLANK)
    else:
        lines.extend(paragraph("No layer overwrites or removes what a lower one holds.", Tone.DIM, width, indent=""))
        lines.append(BLANK)
    if hints:
        lines.append(line(("NEED NOT BE THERE", Tone.HEADING)))
        for hint in hints:
            size = pad(bytes_text(hint.size_bytes), 9, "right")
            head = f"{size}  {inert(hint.title)}  "
            lines.append(line(head, (cut_middle(inert(hint.path), max(8, width - len(head))), Tone.DIM)))
            lines.extend(paragraph(hint.remedy, Tone.INFO, width, indent=" " * 11))
    return lines


def progress_words(progress: ReadProgress) -> str:
    """How far the reading of an image is."""
    read, size = bytes_text(progress.read_bytes), bytes_text(progress.total_bytes)
    known = f"{progress.layers_known} of {progress.layers} layers"
    return f"Reading: {read} of about {size}, {known}" if progress.read_bytes else f"Reading: {known} known"


__all__ = ["progress_words", "waste_lines", "waste_words"]
