"""Logs that grow fast: bounded, virtual, filtered, wrapped; follow the end or stand still. Reads from no engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from backends.model.container import LogLine
from widgets import log_draw
from widgets.line import Tone
from widgets.line_view import LineView
from widgets.log_draw import LogLook
from widgets.log_filter import LogFilter
from widgets.log_layout import LogLayout
from widgets.log_search import SLICE, LogSearch
from widgets.log_store import MAX_LINES, Entry, LogStore

_SIDE_STEP = 16  # cells that one key press moves sideways


class LogView(LineView):
    """Log lines with their colours; stderr has a bar at its left. Following stops when one scrolls up.

    what: one of its lines is called. wanted: which are shown; wraps: whether long ones are wrapped; look: what stands
    before them. Each of these is set by its method.
    """

    DEFAULT_CSS = "LogView { overflow-y: scroll; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False, id="log.up"),
        Binding("j", "scroll_down", "Down", show=False, id="log.down"),
        Binding("g,home", "top", "Top", show=False, id="log.top"),
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

    class TopReached(Message):
        """The first line kept is in sight: older ones are wanted, where there are any."""

    class Unarranged(Message):
        """Filter, wrapping or width changed: somebody has to run `lay_out`."""

    def __init__(self, *, what: str = "line", max_lines: int = MAX_LINES, id: str | None = None) -> None:
        super().__init__(id=id)
        self._what = what
        self._store = LogStore(max_lines)
        self._arranged = LogLayout(None, 0)
        self.wanted = LogFilter()
        self.look = LogLook()
        self.wraps = False
        self._arrangement = 0  # grows with each: a later one takes the place of an earlier one
        self._arranging = False
        self._laid_width = -1
        self._seen = 0  # number of the line behind the last one when following stopped
        self._following = True
        self._left = 0
        self._search = LogSearch(self._store, self._passes)
        self._strips: LRUCache[int, Strip] = LRUCache(1024)

    # -- what is shown -----------------------------------------------------------------------------
    def append(self, lines: Sequence[LogLine], sources: Sequence[int] | None = None) -> None:
        """Add lines at the end; beyond the bounds the oldest go. sources: which log each is of."""
        self._extend(lines, sources or [0] * len(lines))

    def show_note(self, text: str, *, bad: bool = False) -> None:
        """Add a line of our own: "end of log", what went wrong."""
        self._extend([f"{'✕' if bad else '·'} {text}"], [0])

    def prepend(self, lines: Sequence[Entry], sources: Sequence[int]) -> int:
        """Put older lines above; what is read stays where it is. Returns how many there was room for."""
        taken = self._store.prepend(lines, sources)
        if taken:
            rows = self._arranged.grow_up(self._store.first)
            self._search.grow_up(taken)
            self._resize_virtual()
            self.set_scroll(None, self.scroll_offset.y + rows)
            self.refresh()
            if self._arranging:
                self._arrangement += 1  # the one that is being made does not know of these lines
                self.post_message(self.Unarranged())
        return taken

    def clear(self) -> None:
        """Forget all lines, the search too, and follow."""
        for part in (self._store, self._strips, self._search):
            part.clear()
        self._seen, self._left = 0, 0
        self._arranged = self._new_layout()
        self._arrangement, self._arranging = self._arrangement + 1, False
        self._resize_virtual()
        self.set_following(True)
        self.refresh()

    @property
    def entries(self) -> Sequence[Entry]:
        """The lines kept, oldest first; a str is a note of ours."""
        return self._store.entries

    @property
    def line_count(self) -> int:
        """Lines kept."""
        return len(self._store.entries)

    @property
    def shown_count(self) -> int:
        """Lines kept that the filter lets pass."""
        return self._arranged.lines

    @property
    def max_lines(self) -> int:
        """Lines kept at most."""
        return self._store.max_lines

    @property
    def room(self) -> int:
        """Older lines that there is room for."""
        return self._store.room

    @property
    def following(self) -> bool:
        """Whether the end stays in sight."""
        return self._following

    @property
    def new_lines(self) -> int:
        """Lines shown that came since following stopped."""
        return 0 if self._following else self._arranged.shown_since(self._seen)

    def set_following(self, following: bool) -> None:
        """Follow the end, or stand still."""
        if following != self._following:
            self._following = following
            self._seen = self._store.end
            self.refresh()
            self.post_message(self.FollowChanged(self, following))
        if following:
            self._to_end()

    def set_look(self, look: LogLook) -> None:
        """Other names, or times or not."""
        if look != self.look:
            self.look = look
            self._strips.clear()
            if self.wraps:
                self.post_message(self.Unarranged())
            self.refresh()

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them."""
        self.wraps, self._left = wrap, 0
        self.post_message(self.Unarranged())

    def set_filter(self, wanted: LogFilter) -> None:
        """Show only lines that it lets pass."""
        self.wanted = wanted
        self.post_message(self.Unarranged())

    def saved(self) -> list[str]:
        """What is shown, as text for a file."""
        store, names = self._store, self.look.names
        numbers = self._arranged.numbers(store.first, store.end)
        return [log_draw.saved_text(store.entry(n), store.source(n), names, times=self.look.times) for n in numbers]

    def _extend(self, entries: Sequence[Entry], sources: Sequence[int]) -> None:
        if not entries:
            return
        first_new, shown = self._store.end, self._arranged.rows
        self._store.append(entries, sources)
        self._arranged.extend(self._store.end)
        gone = self._arranged.drop(self._store.first)
        self._search.extend(first_new)
        self._resize_virtual()
        if self._following:
            self._to_end()
            self.refresh()
            return
        if gone:
            # What is read stays where it is on the screen while the front is cut off.
            self.set_scroll(None, max(0, self.scroll_offset.y - gone))
            self.refresh()
        elif shown < self.scroll_offset.y + self.size.height:
            self.refresh()
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def _resize_virtual(self) -> None:
        """Textual's own way lays the whole screen out anew, ten times a second while lines come."""
        self.set_reactive(LogView.virtual_size, Size(self.size.width, self._arranged.rows))
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = self._arranged.rows

    def set_scroll(self, x: float | None, y: float | None) -> None:
        """Scroll at once; Textual's own leaves the scrollbar where it was."""
        super().set_scroll(x, y)
        if y is not None and self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = round(y)

    def _to_end(self) -> None:
        self.set_scroll(None, max(0, self._arranged.rows - self.size.height))

    # -- filter and wrapping -----------------------------------------------------------------------
    def _new_layout(self) -> LogLayout:
        """An empty layout by the filter, the wrapping and the width that hold now."""
        store, wanted, look = self._store, self.wanted, self.look
        wrap, width = self.wraps, self._width
        if not wrap and wanted.all:
            return LogLayout(None, store.first)

        def height(number: int) -> int:
            entry = store.entry(number)
            if not isinstance(entry, str) and not wanted.passes(entry.text, store.level(number)):
                return 0
            return log_draw.row_count(entry, look, width) if wrap else 1

        return LogLayout(height, store.first)

    async def lay_out(self) -> None:
        """Lay all lines out anew, in slices; the old arrangement is shown until then."""
        self._arrangement += 1
        self._arranging = True
        mine, store = self._arrangement, self._store
        arranged, at = self._new_layout(), store.first
        while at < store.end:
            at = min(max(at, store.first) + SLICE, store.end)
            arranged.drop(store.first)
            arranged.extend(at)
            await asyncio.sleep(0)
            if mine != self._arrangement:
                return
        arranged.drop(store.first)
        top = self._arranged.at(self.scroll_offset.y)
        self._arranged, self._arranging = arranged, False
        self._laid_width = self._width
        self._resize_virtual()
        if self._following:
            self._to_end()
        elif top is not None:
            self.set_scroll(None, min(arranged.row_of(top[0]), max(0, arranged.rows - self.size.height)))
        self.refresh()
        if self._search.needle:
            await self._search.again()

    # -- moving ------------------------------------------------------------------------------------
    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up stops the following, reaching the end begins it again; at the top older lines are wanted."""
        super().watch_scroll_y(old_value, new_value)
        at_end = round(new_value) >= self._arranged.rows - self.size.height
        if self._following and new_value < old_value and not at_end:
            self.set_following(False)
        elif not self._following and new_value > old_value and at_end:
            self.set_following(True)
        if not self._following and new_value < old_value and round(new_value) == 0:
            self.post_message(self.TopReached())

    def action_top(self) -> None:
        """Go to the first line kept; from there on to older ones."""
        self._want_older()
        self.set_following(False)
        self.set_scroll(None, 0)

    def action_scroll_up(self) -> None:
        """One row up; from the first one to older lines."""
        self._want_older()
        super().action_scroll_up()

    def action_page_up(self) -> None:
        """One page up; from the first one to older lines."""
        self._want_older()
        super().action_page_up()

    def _want_older(self) -> None:
        if self.scroll_offset.y == 0 and self._store.entries:
            self.set_following(False)
            self.post_message(self.TopReached())

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.set_following(True)

    def action_sideways(self, by: int) -> None:
        """Show what lies further left or right in long lines."""
        if not self.wraps:
            self._left = max(0, self._left + by * _SIDE_STEP)
            self.refresh()

    # -- searching ---------------------------------------------------------------------------------
    async def search(self, text: str) -> int:
        """Mark every line that holds the text (any case); "" ends the search. Returns how many lines hold it."""
        self._strips.clear()
        await self._search.run(text)
        self.refresh()
        return self.found_count or 0

    @property
    def found_count(self) -> int | None:
        """Lines shown that hold what is searched for, those too that came since; None = no search."""
        return len(self._search.found) if self._search.needle else None

    def _passes(self, number: int) -> bool:
        entry = self._store.entry(number)
        return self.wanted.all or isinstance(entry, str) or self.wanted.passes(entry.text, self._store.level(number))

    def next_match(self) -> None:
        """Go to the next line found below; from the last one to the first."""
        self._go_to(self._search.at, self._search.below(self._top_number()))

    def previous_match(self) -> None:
        """Go to the next line found above; from the first one to the last."""
        self._go_to(self._search.at, self._search.above(self._top_number()))

    def _top_number(self) -> int:
        top = self._arranged.at(self.scroll_offset.y)
        return top[0] if top is not None else self._store.end

    def _go_to(self, before: int | None, number: int | None) -> None:
        if number is None:
            return
        for one in (number, before):
            if one is not None:
                self._strips.discard(one)
        self.set_following(False)
        middle = self._arranged.row_of(number) - self.size.height // 2
        self.set_scroll(None, min(max(0, middle), max(0, self._arranged.rows - self.size.height)))
        self.refresh()

    # -- drawing -----------------------------------------------------------------------------------
    def on_resize(self, _event: events.Resize) -> None:
        """Another width or height."""
        self._resize_virtual()
        if self.wraps and self._laid_width != self._width:
            self.post_message(self.Unarranged())
        if self._following:
            self._to_end()
        self.refresh()

    def _forget_styles(self) -> None:
        super()._forget_styles()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, counted from its top."""
        palette, width = self.palette, self._width
        if y == self.size.height - 1 and (new := self.new_lines):
            return log_draw.new_lines_strip(new, palette, width)
        place = self._arranged.at(y + self.scroll_offset.y)
        if place is None:
            said = ""
            if y == self._arranged.rows:
                given_up = self.wanted.given_up
                said = log_draw.nothing_words(self._arranged, self._store, self._what, given_up=given_up)
            return Strip([Segment(said, palette[Tone.DIM])]).adjust_cell_length(width, palette[Tone.PLAIN])
        number, part = place
        entry, source = self._store.entry(number), self._store.source(number)
        text = self._strips.get(number)
        if text is None:
            text = self._strips[number] = log_draw.text_strip(entry, palette, self._mark(number))
        head = log_draw.head_strip(entry, source, self.look, palette, first=part == 0)
        return log_draw.row_strip(head, text, part, self._left, palette, width)

    def _mark(self, number: int) -> Style | None:
        look = Style(reverse=True) if number == self._search.at else Style(underline=True, bold=True)
        return look if self._search.holds(number) else None
