"""A log line as a strip of cells: what stands before it, and its text with its own colours. Pure; holds no lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from backends.model.container import LogLine, LogStream
from widgets.line import Tone
from widgets.log_filter import searched
from widgets.log_layout import LogLayout
from widgets.log_store import Entry, LogStore
from widgets.palette import Palette
from widgets.sgr import plain_text, styled_parts
from widgets.text import cut_middle, inert, pad, width_of

_GUTTER = 2
_NAME_CELLS = 18
_TIME_CELLS = len("11-28 02:03:04.123 ")
_FEW_NOTES = 8
_HUES = (Tone.INFO, Tone.PODMAN, Tone.OK, Tone.DOCKER, Tone.WARN)
"""What names are told apart by besides their letters; there may be more names than hues."""


@dataclass(frozen=True, slots=True)
class LogLook:
    """names: of the logs, by source; shown where there are several. times: when each line was written.

    tones: of the names, by source; () = as they come.
    """

    names: tuple[str, ...] = ()
    times: bool = False
    tones: tuple[Tone, ...] = ()

    @property
    def name_cells(self) -> int:
        """Cells of the names' column."""
        if len(self.names) < 2:
            return 0
        return min(_NAME_CELLS, max(width_of(inert(name)) for name in self.names)) + 1

    @property
    def before_cells(self) -> int:
        """Cells before a line's text."""
        return _GUTTER + (_TIME_CELLS if self.times else 0) + self.name_cells


def time_text(at: datetime) -> str:
    """When a line was written, by the clock of this machine."""
    here = at.astimezone()
    return f"{here:%m-%d %H:%M:%S}.{here.microsecond // 1000:03d}"


def row_count(entry: Entry, look: LogLook, width: int) -> int:
    """Rows that a line takes where it is wrapped."""
    room = max(1, width - look.before_cells)
    cells = width_of(plain_text(entry) if isinstance(entry, str) else searched(entry.text))
    return max(1, -(-cells // room))


def head_strip(entry: Entry, source: int, look: LogLook, palette: Palette, *, first: bool) -> Strip:
    """What stands before the text: stderr's bar, the time, the name. first: of the rows of a wrapped line."""
    if isinstance(entry, str):
        return Strip([Segment(" " * _GUTTER, palette[Tone.PLAIN])])
    stderr = entry.stream is LogStream.STDERR
    segments = [Segment("▎ " if stderr else " " * _GUTTER, palette[Tone.DIM])]
    if look.times:
        shown = time_text(entry.at) if first and entry.at is not None else ""
        segments.append(Segment(shown.ljust(_TIME_CELLS), palette[Tone.DIM]))
    if look.name_cells:
        name = cut_middle(inert(look.names[source]), _NAME_CELLS) if first else ""
        segments.append(
            Segment(pad(name, look.name_cells), palette[(look.tones or _HUES)[source % len(look.tones or _HUES)]])
        )
    return Strip(segments)


def text_strip(entry: Entry, palette: Palette, mark: Style | None) -> Strip:
    """The text. mark: laid over a line that was found."""
    base = palette[Tone.PLAIN]
    if isinstance(entry, str):
        return Strip([Segment(plain_text(entry), palette[Tone.BAD if entry.startswith("✕") else Tone.DIM])])
    strip = Strip([Segment(text, base + style) for text, style in styled_parts(entry.text)])
    return strip if mark is None else strip.apply_style(mark)


def row_strip(head: Strip, text: Strip, part: int, left: int, palette: Palette, width: int) -> Strip:
    """A row of the log: what stands before the text, and of that the part of this row, from the cell `left` on."""
    room, base = max(1, width - head.cell_length), palette[Tone.PLAIN]
    start = part * room + left
    if start == 0 and (rest := room - text.cell_length) >= 0:  # nearly all: cut nowhere, and made in one go
        return Strip([*head, *text, Segment(" " * rest, base)], width)
    return Strip.join([head, text.crop_extend(start, start + room, base)]).adjust_cell_length(width, base)


def new_lines_strip(count: int, palette: Palette, width: int) -> Strip:
    """How many lines have come since it stands still."""
    said = f" ▼ {count} new line{'s' if count > 1 else ''} · End follows "
    segment = Segment(said, palette[Tone.WARN] + Style(reverse=True))
    return Strip([segment]).adjust_cell_length(width, palette[Tone.PLAIN])


def saved_text(entry: Entry, source: int, names: Sequence[str], *, times: bool) -> str:
    """A line as it is written into a file: without escapes, with what is shown before it."""
    if isinstance(entry, str):
        return plain_text(entry)
    when = f"{entry.at.isoformat()} " if times and entry.at is not None else ""
    name = f"{inert(names[source])} | " if len(names) > 1 else ""
    return f"{when}{name}{_whole(entry)}"


def _whole(line: LogLine) -> str:
    return plain_text(line.text)


def nothing_words(layout: LogLayout, store: LogStore, what: str = "line", *, given_up: bool = False) -> str:
    """What is said below a log none of whose lines is in sight; "" where one is. Notes of ours are no lines of it.

    given_up: the filter's expression was too slow.
    """
    if layout.rows > _FEW_NOTES:
        return ""
    places = [layout.at(row) for row in range(layout.rows)]
    if any(place is not None and not isinstance(store.entry(place[0]), str) for place in places):
        return ""
    hidden = len(store.entries) - layout.lines  # notes pass every filter
    if not hidden:
        return "" if layout.rows else f"No {what} has come yet."
    if given_up:
        return f"This filter takes too long for one {what}: none is looked at any more."
    return f"Not one of {hidden:,} {what}s fits the filter."
