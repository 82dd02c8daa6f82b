"""The one picker of GPUs: all, a number, devices, MIG instances, none, or as they are. Decides nothing itself.

What it is offered and how a wish is judged come from outside; it answers with a GpuWish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from backends.model.wish import GpuWish, WishKind, first, these, wish_words
from widgets.dialogs import Dialog, content_of, walk
from widgets.gpu_offer import GpuOffer, PickRow, pick_rows
from widgets.line import Line, Tone, line
from widgets.text import inert

_NARROWEST = 40


class Judged(NamedTuple):
    """How the engine would be asked for a wish, or why it cannot give it. remedy: what to do then."""

    possible: bool
    said: str
    remedy: str = ""


Judge = Callable[[GpuWish], Judged]


class GpuPicker(Dialog[GpuWish | None]):
    """Rows of wishes and devices; None where cancelled."""

    DEFAULT_CSS = """
    GpuPicker > .dialog-box { width: 92%; max-width: 104; padding: 0 2; }
    GpuPicker OptionList { padding: 0; max-height: 35vh; scrollbar-size-vertical: 1; }
    GpuPicker #said { width: 1fr; height: auto; max-height: 6; margin-top: 1; }
    """
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", show=False, id="picker.mark"),
        Binding("j", "move(1)", "Down", show=False, id="picker.down"),
        Binding("k", "move(-1)", "Up", show=False, id="picker.up"),
        Binding("plus,equals_sign,right", "count(1)", "More", show=False, id="picker.more"),
        Binding("minus,left", "count(-1)", "Fewer", show=False, id="picker.fewer"),
    ]

    def __init__(self, title: str, offer: GpuOffer, now: GpuWish, judge: Judge) -> None:
        """now: what is chosen so far."""
        super().__init__()
        self._title, self._offer, self._judge = title, offer, judge
        self._chosen = now
        self._count = now.count or 1
        self._rows: list[PickRow] = []

    @property
    def rows(self) -> list[PickRow]:
        """The rows as they stand."""
        return self._rows

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of(self._title), classes="dialog-title")
            yield OptionList(compact=True)
            yield Static(id="absent", classes="dialog-body")
            yield Static(id="said")
            yield Static(content_of("Space marks devices · Enter confirms · Esc cancels"), classes="dialog-keys")

    def on_mount(self) -> None:
        """The rows, the cursor on what is chosen."""
        self._draw()
        at = next((at for at, row in enumerate(self._rows) if self._is_chosen(row)), 0)
        self.query_one(OptionList).highlighted = at
        self._say()

    def show_offer(self, offer: GpuOffer) -> None:
        """Newer readings of the same machine."""
        self._offer = offer
        if self.is_mounted:
            self._draw()
            self._say()

    def on_resize(self, _event: events.Resize) -> None:
        """The columns fit the width."""
        self.call_after_refresh(self._draw)

    # -- drawing ---------------------------------------------------------------------------------
    def _is_chosen(self, row: PickRow) -> bool:
        if row.device:
            return row.device in self._chosen.devices
        return row.wish is not None and row.wish.kind is self._chosen.kind

    def _draw(self) -> None:
        """Draw all rows; the list is filled anew only where other rows have come."""
        picks = self.query_one(OptionList)
        rows = pick_rows(self._offer, self._chosen, self._count, max(_NARROWEST, picks.scrollable_content_region.width))
        if [row.key for row in rows] == [row.key for row in self._rows]:
            for at, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
                if old.text != new.text:
                    picks.replace_option_prompt_at_index(at, content_of([new.text]))
        else:
            place = self._under_cursor()
            picks.clear_options()
            picks.add_options(Option(content_of([row.text]), disabled=row.idle) for row in rows)
            keys = [row.key for row in rows]
            if place is not None:
                picks.highlighted = keys.index(place.key) if place.key in keys else 0
        self._rows = rows
        absent = self.query_one("#absent", Static)
        absent.display = bool(self._offer.absent)
        absent.update(content_of(_absent(self._offer)))

    def _under_cursor(self) -> PickRow | None:
        at = self.query_one(OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def _wanted(self) -> GpuWish | None:
        """What Enter takes: the row under the cursor, or the devices that are marked."""
        row = self._under_cursor()
        if row is None or row.idle:
            return None
        if row.wish is not None:
            return row.wish
        return these(self._marked() or [row.device])

    def _marked(self) -> list[str]:
        """Devices that are marked, as they were named; those that are not offered (any more) do not count."""
        offered = {row.device for row in self._rows}
        return [device for device in self._chosen.devices if device in offered]

    def _say(self) -> None:
        """How the engine would be asked, or why it cannot give that."""
        wish = self._wanted()
        if wish is None:
            return
        judged = self._judge(wish)
        sign, tone = ("→", Tone.OK) if judged.possible else ("✕", Tone.BAD)
        lines: list[Line] = [line((f"{sign} ", tone), (f"{wish_words(wish)}: ", Tone.STRONG), inert(judged.said))]
        if judged.remedy:
            lines.append(line((f"→ {inert(judged.remedy)}", Tone.DIM)))
        self.query_one("#said", Static).update(content_of(lines))

    # -- keys ------------------------------------------------------------------------------------
    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._say()

    def action_move(self, step: int) -> None:
        """As the arrow keys."""
        walk(self.query_one(OptionList), step)

    def action_mark(self) -> None:
        """Mark the row: a wish alone, devices together."""
        row = self._under_cursor()
        if row is None or row.idle:
            return
        if row.wish is not None:
            self._chosen = row.wish
        else:
            marked = {*self._marked()} ^ {row.device}
            order = tuple(one.device for one in self._rows if one.device in marked)
            self._chosen = GpuWish(WishKind.DEVICES, devices=order)
        self._draw()
        self._say()

    def action_count(self, step: int) -> None:
        """Another number of GPUs."""
        self._count = min(max(1, self._count + step), self._offer.most)
        self._chosen = first(self._count)
        self._draw()
        self.query_one(OptionList).highlighted = next(at for at, row in enumerate(self._rows) if row.key == "first")
        self._say()

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        """Take it where the engine can give it; else the reason stands below."""
        event.stop()
        wish = self._wanted()
        if wish is not None and self._judge(wish).possible:
            self.dismiss(wish)
        else:
            self._say()


def _absent(offer: GpuOffer) -> list[Line]:
    """Why no device is shown, and what to do."""
    lines = [line((f"No device to choose from: {inert(offer.absent)}.", Tone.PLAIN))]
    return [*lines, line((f"→ {inert(offer.hint)}", Tone.DIM))] if offer.hint else lines


__all__ = ["GpuPicker", "Judge", "Judged"]
