"""A sweep as it runs: how far it is, each run, the one under the cursor in full. It goes on without this screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.fleet import FleetView
from backends.model.sweep import SweepRow, SweepState
from tui.action import Scope
from tui.actions import bindings
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.sweep_commands import KeptSweep
from widgets.dialogs import ConfirmDialog
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.sweep_rows import COLUMNS, head_lines, numbers_text, run_lines, sweep_rows
from widgets.text import paragraph

REDRAW_S = 0.2  # a person sees no more, and a slow link carries no more


def state_text(kept: KeptSweep) -> str:
    """How it stands, in a word or two."""
    if kept.error is not None:
        return "failed"
    if kept.ended:
        return "over" if kept.board.over == kept.board.total else "stopped"
    return ("under way", "stopping: no further run begins", "ending its runs")[min(2, kept.stops)]


class SweepScreen(SubScreen):
    """Shows one sweep of this session, the newest at first."""

    SCOPES: ClassVar = (Scope.SWEEP,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SWEEP)
    AUTO_FOCUS = "#sweep"

    def __init__(self) -> None:
        super().__init__()
        self._place = -1
        self._bad_only = False
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Title, how far it is, its runs, the run chosen, keys."""
        yield TitleBar("Sweep")
        yield LinesPane(id="sweep-head")
        yield LiveTable(COLUMNS, id="sweep")
        yield LinesPane(id="sweep-run")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self.query_one("#sweep-run", LinesPane).border_title = "The run in full"
        self._look()
        self.set_interval(REDRAW_S, self._look)

    def show_view(self, view: FleetView) -> None:
        """Engines come and go; the sweep says itself what that does to it."""
        del view

    def on_screen_resume(self) -> None:
        """In sight again: what came meanwhile was not drawn."""
        self._drawn = ()
        self._look()

    def on_resize(self) -> None:
        """Another width has other words."""
        self.show_modes()

    @property
    def _kept(self) -> KeptSweep:
        known = self.tranship.commands.sweeps.known
        return known[self._place % len(known)]

    # -- what is seen ----------------------------------------------------------------------------
    def _look(self) -> None:
        """Draw again where something moves, or has moved."""
        if not self.is_mounted or not self.in_sight():
            return
        kept = self._kept
        state = (id(kept), kept.board.changes, kept.ended, kept.stops, self._bad_only)
        if state != self._drawn or kept.board.running:
            self._drawn = state
            self._draw(kept)

    def _draw(self, kept: KeptSweep) -> None:
        known, board, now_s = self.tranship.commands.sweeps.known, kept.board, self.tranship.clock.monotonic()
        place = f" · {known.index(kept) + 1} of {len(known)}" if len(known) > 1 else ""
        self.query_one(TitleBar).show(f"Sweep · {state_text(kept)}{place} · {kept.title}")
        self.query_one("#sweep-head", LinesPane).show_built(lambda width: self._head(kept, width))
        rows = sweep_rows(board, now_s, bad_only=self._bad_only)
        nothing = "No run has failed." if self._bad_only else "No run has begun yet."
        self.query_one("#sweep", LiveTable).show_rows(rows, empty=[line((nothing, Tone.DIM))])
        self.query_one(KeyBar).say(self._words(kept, len(known)))
        self._draw_run()

    def _head(self, kept: KeptSweep, width: int) -> list[Line]:
        asked = kept.asked
        numbers = numbers_text(asked.jobs, asked.gpus_each, asked.retries)
        lines = head_lines(kept.board, numbers, str(asked.out), kept.left_s(self.tranship.clock.monotonic()))
        if kept.error is not None:
            lines[2:] = paragraph(f"{kept.error}. {kept.error.hint}", Tone.BAD, width)
        elif kept.ended and kept.board.counts[SweepState.WAITING]:
            lines[2] = line(("n, then Ctrl+S, goes on from its file of results", Tone.DIM))
        return lines

    def _words(self, kept: KeptSweep, count: int) -> dict[str, str]:
        words = {"sweep.bad": "all runs"} if self._bad_only else {}
        words |= {"sweep.stop": ""} if kept.ended else {"sweep.stop": "end runs"} if kept.stops else {}
        return words if count > 1 else {**words, "sweep.next": ""}

    @on(LiveTable.RowHighlighted, "#sweep")
    def _draw_run(self) -> None:
        row, pane = self._chosen(), self.query_one("#sweep-run", LinesPane)
        if row is None:
            pane.show_lines(())
        else:
            now_s = self.tranship.clock.monotonic()
            pane.show_built(lambda width: run_lines(row, now_s, width))

    def _chosen(self) -> SweepRow | None:
        key = self.query_one("#sweep", LiveTable).cursor_key
        return self._kept.board.rows.get(key) if isinstance(key, int) else None

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {
            "sweep.stop": self._stop,
            "sweep.new": self._new,
            "sweep.bad": self._turn,
            "sweep.next": self._next,
            "sweep.part": self._other_part,
        }

    def _stop(self) -> None:
        kept = self._kept
        if kept.ended:
            self.tranship.refuse("It has ended already.")
        elif not kept.stops:
            self.tranship.commands.sweeps.stop(kept)
            self._look()
        else:
            count = len(kept.board.running)
            runs = "the run that runs" if count == 1 else f"{count} runs"
            body = "They are killed and removed; the same sweep again runs them again."
            question = ConfirmDialog(f"End {runs} of {kept.title}?", body, yes="End", no="Wait", destructive=True)
            self.app.push_screen(question, lambda sure: self._kill(kept, sure=bool(sure)))

    def _kill(self, kept: KeptSweep, *, sure: bool) -> None:
        if sure and not kept.ended:
            self.tranship.commands.sweeps.kill(kept)
            self._look()

    def _new(self) -> None:
        from tui.screens.sweep_form import SweepForm

        texts = self._kept.texts
        self.app.push_screen(SweepForm(texts.engine, texts.texts))

    def newest(self) -> None:
        """Show the one that was begun last."""
        self._place = -1
        self._look()

    def _turn(self) -> None:
        self._bad_only = not self._bad_only
        self._look()

    def _next(self) -> None:
        known = self.tranship.commands.sweeps.known
        self._place = (known.index(self._kept) + 1) % len(known)
        self._look()

    @on(LiveTable.RowSelected, "#sweep")
    def _other_part(self) -> None:
        run = self.query_one("#sweep-run", LinesPane)
        (self.query_one("#sweep", LiveTable) if run.has_focus else run).focus()


__all__ = ["SweepScreen", "state_text"]
