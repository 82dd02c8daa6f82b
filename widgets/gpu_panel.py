"""The GPU pane: shows a GpuSnapshot, and with the focus a cursor on one device. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual import events
from textual.message import Message

from backends.model.gpu import GpuSnapshot, GpuTrace
from widgets.gpu_given import device_key
from widgets.gpu_lines import NO_MARKS, NO_TRACES, GpuMarks, device_names, owned_lines, unmarked
from widgets.line import Line
from widgets.lines_pane import LinesPane


class GpuPanel(LinesPane):
    """GPUs with their use, or calmly why there are none."""

    class DeviceHighlighted(Message):
        """Another device is under the cursor; key: as `device_key` names it, "" = none, the pane has no focus."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._snapshot = GpuSnapshot()
        self._traces = NO_TRACES
        self._marks = NO_MARKS
        self._chosen = ""
        self._owners: tuple[str, ...] = ()

    @property
    def chosen(self) -> str:
        """The device last under the cursor, "" where there is none."""
        return self._chosen

    @property
    def highlighted(self) -> str:
        """The device under the cursor while the pane has the focus, else ""."""
        return self._chosen if self.has_focus else ""

    def show(
        self, snapshot: GpuSnapshot, traces: Mapping[str, GpuTrace] = NO_TRACES, marks: GpuMarks = NO_MARKS
    ) -> None:
        """Show this sample. marks: what to point at; its cursor is the pane's own."""
        title = unmarked(" · ".join(part for part in ("GPUs", marks.note or device_names(snapshot.readings)) if part))
        if title != self.border_title:
            self.border_title = title
        same = snapshot is self._snapshot and traces is self._traces and marks == self._marks
        if same and self.lines:
            return  # its readings come once a second, views more often; without a GPU they never change
        self._snapshot, self._traces, self._marks = snapshot, traces, marks
        keys = self._keys()
        if self._chosen not in keys:
            self._chosen = keys[0] if keys else ""
        self.show_built(self._built)

    def _keys(self) -> list[str]:
        return [device_key(reading.device) for reading in self._snapshot.readings]

    def _built(self, width: int) -> list[Line]:
        marks = replace(self._marks, cursor=self.highlighted)
        owned = owned_lines(self._snapshot, width, self._traces, marks, height=self.size.height)
        self._owners = tuple(key for key, _ in owned)
        return [one for _, one in owned]

    def choose(self, key: str) -> None:
        """Put the cursor on a device; one that is not there is ignored."""
        if key in self._keys() and key != self._chosen:
            self._chosen = key
            self._tell()
        self._reveal()

    def _tell(self) -> None:
        self._rebuild()
        self.post_message(self.DeviceHighlighted(self.highlighted))

    def _reveal(self) -> None:
        """Scroll as little as needed to show the whole block under the cursor."""
        mine = [place for place, key in enumerate(self._owners) if key == self._chosen]
        if not mine:
            return
        top, height = self.scroll_offset.y, self.size.height
        if mine[0] < top:
            # The titles of one-line devices come into sight with the first of them.
            self.scroll_to(y=0 if self._chosen == self._keys()[0] else mine[0], animate=False, immediate=True)
        elif mine[-1] >= top + height:
            self.scroll_to(y=mine[-1] - height + 1, animate=False, immediate=True)

    def _step(self, by: int) -> bool:
        keys = self._keys()
        place = keys.index(self._chosen) + by if self._chosen in keys else -1
        if not 0 <= place < len(keys):
            return False
        self.choose(keys[place])
        return True

    def action_scroll_up(self) -> None:
        """The device above; further up where there is none."""
        if not self._step(-1):
            super().action_scroll_up()

    def action_scroll_down(self) -> None:
        """The device below; further down where there is none."""
        if not self._step(1):
            super().action_scroll_down()

    def action_scroll_home(self) -> None:
        """The first device."""
        self.choose(next(iter(self._keys()), ""))
        super().action_scroll_home()

    def action_scroll_end(self) -> None:
        """The last device."""
        self.choose(next(reversed(self._keys()), ""))
        super().action_scroll_end()

    def on_click(self, event: events.Click) -> None:
        """A click chooses the device."""
        spot = event.get_content_offset(self)
        place = spot.y + self.scroll_offset.y if spot is not None else -1
        if 0 <= place < len(self._owners) and self._owners[place]:
            self.choose(self._owners[place])

    def on_focus(self) -> None:
        """The cursor shows."""
        self._tell()

    def on_blur(self) -> None:
        """The cursor is gone."""
        self._tell()

    def on_resize(self) -> None:
        """Another height may want other blocks."""
        self._rebuild()
