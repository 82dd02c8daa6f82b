"""A log that grows fast: bounded, virtual, follows its end or stands still. Reads from no engine."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from backends.model.container import LogLine, LogStream
from widgets.line import Tone
from widgets.palette import Palette, palette_of
from widgets.sgr import plain_text, styled_parts

MAX_LINES = 100_000
_GUTTER = 2
_SLICE = 4_000  # lines searched before other work gets its turn: about 2 ms
_SIDE_STEP = 16  # cells that one key press moves sideways


class LogView(ScrollView, can_focus=True):
    """Log lines with their colours; stderr has a bar at its left. Following stops when one scrolls up."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LogView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False, id="log.up"),
        Binding("j", "scroll_down", "Down", show=False, id="log.down"),
        Binding("g", "scroll_home", "Top", show=False, id="log.top"),
        Binding("G,end", "follow", "Follow", show=False, id="log.follow"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="log.right"),
    ]

    class FollowChanged(Message):
        """Following the end began or stopped."""

        def __init__(self, view: LogView, following: bool) -> None:
            super().__init__()
            self.view, self.following = view, following

        @property
        def control(self) -> LogView:
            """The view, so that `@on` can filter by selector."""
            return self.view

    def __init__(
        self,
        *,
        max_lines: int = MAX_LINES,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.max_lines = max(1, max_lines)
        self._lines: list[LogLine | str] = []
        self._dropped = 0  # lines cut off at the front so far: line numbers count from the log's first line
        self._seen = 0  # number of the line behind the last one when following stopped
        self._following = True
        self._left = 0
        self._needle = ""
        self._found: list[int] = []
        self._at = -1  # number of the match last gone to
        self._strips: LRUCache[int, Strip] = LRUCache(1024)
        self._palette: Palette | None = None

    # -- what is shown -----------------------------------------------------------------------------
    def append(self, lines: Sequence[LogLine]) -> None:
        """Add lines at the end; beyond `max_lines` the oldest go."""
        self._extend(lines)

    def show_note(self, text: str, *, bad: bool = False) -> None:
        """Add a line of our own: "end of log", what went wrong."""
        self._extend([f"{'✕' if bad else '·'} {text}"])

    def clear(self) -> None:
        """Forget all lines, the search too, and follow."""
        self._lines.clear()
        self._strips.clear()
        self._found.clear()
        self._dropped, self._seen, self._left, self._needle, self._at = 0, 0, 0, "", -1
        self.virtual_size = Size(self.size.width, 0)
        self.set_following(True)
        self.refresh()

    @property
    def entries(self) -> Sequence[LogLine | str]:
        """The lines kept, oldest first; a str is a note of ours."""
        return self._lines

    @property
    def line_count(self) -> int:
        """Lines kept."""
        return len(self._lines)

    @property
    def dropped(self) -> int:
        """Lines that were cut off at the front because there were too many."""
        return self._dropped

    @property
    def following(self) -> bool:
        """Whether the end stays in sight."""
        return self._following

    @property
    def new_lines(self) -> int:
        """Lines that came since following stopped."""
        return 0 if self._following else max(0, self._dropped + len(self._lines) - self._seen)

    def set_following(self, following: bool) -> None:
        """Follow the end, or stand still."""
        if following != self._following:
            self._following = following
            self._seen = self._dropped + len(self._lines)
            self.refresh()
            self.post_message(self.FollowChanged(self, following))
        if following:
            self._to_end()

    def _extend(self, lines: Sequence[LogLine | str]) -> None:
        if not lines:
            return
        first_new = len(self._lines)
        self._lines.extend(lines[-self.max_lines :])
        self._dropped += max(0, len(lines) - self.max_lines)
        if self._needle:
            for index in range(first_new, len(self._lines)):
                if self._needle in self._searched(self._lines[index]):
                    self._found.append(self._dropped + index)
        surplus = len(self._lines) - self.max_lines
        if surplus > 0:
            del self._lines[:surplus]
            self._dropped += surplus
            del self._found[: bisect_left(self._found, self._dropped)]
        self.virtual_size = Size(self.size.width, len(self._lines))
        if self._following:
            self._to_end()
            self.refresh()
            return
        if surplus > 0:
            # What is read stays where it is on the screen while the front is cut off.
            self.set_scroll(None, max(0, self.scroll_offset.y - surplus))
            self.refresh()
        elif first_new < self.scroll_offset.y + self.size.height:
            self.refresh()
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def set_scroll(self, x: float | None, y: float | None) -> None:
        """Scroll at once; Textual's own leaves the scrollbar where it was."""
        super().set_scroll(x, y)
        if y is not None and self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = round(y)

    def _to_end(self) -> None:
        self.set_scroll(None, max(0, len(self._lines) - self.size.height))

    # -- moving ------------------------------------------------------------------------------------
    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up stops the following, reaching the end begins it again."""
        super().watch_scroll_y(old_value, new_value)
        at_end = round(new_value) >= len(self._lines) - self.size.height
        if self._following and new_value < old_value and not at_end:
            self.set_following(False)
        elif not self._following and new_value > old_value and at_end:
            self.set_following(True)

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.set_following(True)

    def action_sideways(self, by: int) -> None:
        """Show what lies further left or right in long lines."""
        self._left = max(0, self._left + by * _SIDE_STEP)
        self.refresh()

    # -- searching ---------------------------------------------------------------------------------
    async def search(self, text: str) -> int:
        """Mark every line that holds the text (any case); "" ends the search. Returns how many lines hold it."""
        self._needle = needle = text.lower()
        self._found, self._at = [], -1
        self._strips.clear()
        start = self._dropped
        end = start + len(self._lines) if needle else start
        while start < end and self._needle is needle:
            start = max(start, self._dropped)
            stop = min(start + _SLICE, end)
            lines = self._lines[start - self._dropped : max(start, stop) - self._dropped]
            numbers = [start + n for n, entry in enumerate(lines) if needle in self._searched(entry)]
            at = bisect_left(self._found, start)
            self._found[at:at] = numbers
            start = stop
            await asyncio.sleep(0)
        self.refresh()
        return len(self._found)

    def next_match(self) -> None:
        """Go to the next line found below; from the last one to the first."""
        if self._found:
            here = self._at if self._at >= 0 else self._dropped + self.scroll_offset.y - 1
            self._go_to(self._found[bisect_right(self._found, here) % len(self._found)])

    def previous_match(self) -> None:
        """Go to the next line found above; from the first one to the last."""
        if self._found:
            here = self._at if self._at >= 0 else self._dropped + self.scroll_offset.y
            self._go_to(self._found[bisect_left(self._found, here) - 1])

    def _go_to(self, number: int) -> None:
        self._strips.discard(self._at)
        self._strips.discard(number)
        self._at = number
        self.set_following(False)
        middle = number - self._dropped - self.size.height // 2
        self.set_scroll(None, min(max(0, middle), max(0, len(self._lines) - self.size.height)))
        self.refresh()

    @staticmethod
    def _searched(entry: LogLine | str) -> str:
        text = entry if isinstance(entry, str) else entry.text
        return (plain_text(text) if "\x1b" in text or "\r" in text else text).lower()

    # -- drawing -----------------------------------------------------------------------------------
    def on_resize(self) -> None:
        """Another width or height."""
        self.virtual_size = Size(self.size.width, len(self._lines))
        if self._following:
            self._to_end()
        self.refresh()

    def notify_style_update(self) -> None:
        """Textual's hook: theme or style classes changed."""
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, counted from its top."""
        if self._palette is None:
            self._palette = palette_of(self)
        palette, width = self._palette, self.scrollable_content_region.width
        base = palette[Tone.PLAIN]
        if y == self.size.height - 1 and (new := self.new_lines):
            said = f" ▼ {new} new line{'s' if new > 1 else ''} · End follows "
            return Strip([Segment(said, palette[Tone.WARN] + Style(reverse=True))]).adjust_cell_length(width, base)
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, base)
        number = index + self._dropped
        strip = self._strips.get(number)
        if strip is None:
            strip = self._strips[number] = self._drawn(self._lines[index], number, palette)
        return strip.crop_extend(self._left, self._left + width, base)

    def _drawn(self, entry: LogLine | str, number: int, palette: Palette) -> Strip:
        base = palette[Tone.PLAIN]
        if isinstance(entry, str):
            tone = Tone.BAD if entry.startswith("✕") else Tone.DIM
            return Strip([Segment(plain_text(entry), palette[tone])])
        stderr = entry.stream is LogStream.STDERR
        segments = [Segment("▎ " if stderr else " " * _GUTTER, palette[Tone.BAD])]
        if entry.at is not None:
            segments.append(Segment(f"{entry.at:%H:%M:%S} ", palette[Tone.DIM]))
        parts = [(text, base + style) for text, style in styled_parts(entry.text)]
        segments.extend(Segment(text, style) for text, style in parts)
        strip = Strip(segments)
        if self._needle and self._needle in self._searched(entry):
            return strip.apply_style(Style(reverse=True) if number == self._at else Style(underline=True, bold=True))
        return strip
