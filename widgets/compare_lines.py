"""How two images differ, as lines: sizes, configuration, layers. Pure."""

from __future__ import annotations

from backends.model.image_comparison import ComparedImage, ImageComparison, LayerDifference
from backends.model.image_config import ConfigDifference
from backends.model.image_files import Mark
from widgets.format import bytes_text, short_image
from widgets.layer_files import MARKS
from widgets.layer_lines import command_text
from widgets.line import BLANK, Line, Tone, line
from widgets.text import cut_end, cut_middle, inert, pad

_LABEL = 9


def change_text(before: int, after: int) -> str:
    """ "+1.5 MiB", "-3 KiB", "" where nothing changed."""
    if before == after:
        return ""
    return f"{'+' if after > before else '-'}{bytes_text(abs(after - before))}"


def comparison_lines(found: ImageComparison, width: int) -> list[Line]:
    """The two images, what differs in how they run, then layer by layer."""
    first, second = found.first, found.second
    lines = [_side("first", first, width), _side("second", second, width)]
    change = change_text(first.files_bytes, second.files_bytes) or "as large"
    lines.append(line((pad("", _LABEL), Tone.DIM), (f"{change}, {_files(found)}", Tone.STRONG)))
    lines += [BLANK, line(("CONFIGURATION", Tone.HEADING))]
    lines += [_setting(one, width) for one in found.config] or [line(("  the same", Tone.DIM))]
    same = sum(one.mark is Mark.SAME for one in found.layers)
    lines += [BLANK, line(("LAYERS", Tone.HEADING), (f"  {same} in both", Tone.DIM))]
    lines += [_layer(one, width) for one in found.layers]
    return lines


def _side(label: str, side: ComparedImage, width: int) -> Line:
    facts = f"  {bytes_text(side.files_bytes)} in {side.files:,} files, {_layers(len(side.layers))}"
    name = f"{short_image(side.reference)} on {inert(side.key.engine.name)}"
    room = max(12, width - _LABEL - len(facts) - 1)
    return line((pad(label, _LABEL), Tone.DIM), (cut_middle(name, room), Tone.STRONG), (facts, Tone.DIM))


def _layers(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"


def _files(found: ImageComparison) -> str:
    if not found.files:
        return "no file differs"
    counts = [
        f"{sum(one.mark is mark for one in found.files):,} {word}"
        for mark, word in ((Mark.ADDED, "added"), (Mark.CHANGED, "changed"), (Mark.REMOVED, "removed"))
        if any(one.mark is mark for one in found.files)
    ]
    return f"paths: {', '.join(counts)}"


def setting_text(one: ConfigDifference) -> str:
    """What a setting is, and was: inert. Values of variables may be secret and are never said."""
    if one.setting.startswith("env "):
        return "(another value)" if one.mark is Mark.CHANGED else ""
    values = [inert(value) for value in (one.first, one.second) if value]
    return " → ".join(values)


def _setting(one: ConfigDifference, width: int) -> Line:
    sign, tone = MARKS[one.mark]
    label = inert(one.setting)
    return line(
        (f"  {sign} ", tone), label, (f"  {cut_end(setting_text(one), max(8, width - len(label) - 8))}", Tone.DIM)
    )


def _layer(one: LayerDifference, width: int) -> Line:
    sign, tone = MARKS[one.mark]
    quiet = Tone.DIM if one.mark is Mark.SAME else Tone.PLAIN
    size = pad(bytes_text(one.layer.size_bytes), 8, "right")
    command = cut_end(command_text(one.layer), max(8, width - 16))
    return line((f"  {sign} ", tone), (size, quiet), (f"  {command}", quiet))


__all__ = ["change_text", "comparison_lines", "setting_text"]
