"""One build: its steps with state and time, and what they say. Leaving it while it runs ends it, and asks first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from backends.model.build import BuildView
from backends.model.ids import EngineId
from tui.action import Scope
from tui.actions import bindings
from tui.build_messages import BuildEnded, BuildMoved
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.build_rows import STEP_COLUMNS, build_words, step_rows
from widgets.format import short_image
from widgets.line import Tone, line
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.text import inert, wrap

if TYPE_CHECKING:
    from backends.services.builds import BuildWish

TICK_S = 1.0
NOTE_CELLS = 9  # that a note's lines leave free: borders, scrollbar, mark, indent
SAID_LINES = 50  # of the output, in which the end of a failed step stands


class BuildScreen(SubScreen):
    """Builds what was asked for as soon as it is shown."""

    SCOPES: ClassVar = (Scope.BUILD,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.BUILD)
    AUTO_FOCUS = "#build-output"

    def __init__(self, engine: EngineId, wish: BuildWish) -> None:
        super().__init__()
        self._engine = engine
        self._wish = wish
        self._view = BuildView()
        self._began_s = time.monotonic()
        self._ended: BuildEnded | None = None
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Title, steps, output, keys."""
        yield TitleBar("Build")
        yield LiveTable(STEP_COLUMNS, empty="Sending the folder …", id="build-steps")
        yield LogView(id="build-output")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin."""
        self.query_one(LogView).border_title = "Output"
        self.show_modes()
        self.set_interval(TICK_S, self._tick)
        self._begin()

    def _begin(self) -> None:
        self._view, self._ended, self._began_s = BuildView(), None, time.monotonic()
        self.query_one(LogView).clear()
        self._worker = self.tranship.commands.builds.build(self._engine, self._wish, self.post_message)
        self._draw()

    def on_unmount(self) -> None:
        """Nothing of it runs on without its screen."""
        if self._worker is not None and not self._worker.is_finished:
            self._worker.cancel()

    # -- what comes ------------------------------------------------------------------------------
    @on(BuildMoved)
    def _moved(self, message: BuildMoved) -> None:
        known = len(self._view.steps)
        self._view = message.view
        self._began_s = time.monotonic() - message.at_s
        if message.lines:
            self.query_one(LogView).append(message.lines)
        self._draw(begun=len(message.view.steps) > known)

    @on(BuildEnded)
    def _has_ended(self, message: BuildEnded) -> None:
        self._view, self._ended = message.view, message
        if message.error is not None:
            self._note(message.error.title, bad=True)
            for words in message.error.detail.splitlines():
                if not self._was_said(words):
                    self._note(words)
            if message.error.hint:
                self._note(f"→ {message.error.hint}")
        elif message.image is None:
            self._note("cancelled: nothing of the build runs any more")
        else:
            self._note(f"built: {', '.join(message.names) or message.image.id}")
        self._draw(begun=True)

    def _note(self, text: str, *, bad: bool = False) -> None:
        """A line of our own below the output, as many as it needs."""
        for at, part in enumerate(wrap(inert(text), max(20, self.size.width - NOTE_CELLS))):
            self.query_one(LogView).show_note(part if not at else f"  {part}", bad=bad and not at)

    def _was_said(self, words: str) -> bool:
        """Whether a line of an error's detail only repeats the output above."""
        entries = self.query_one(LogView).entries[-SAID_LINES:]
        return any(words == (entry if isinstance(entry, str) else entry.text) for entry in entries)

    # -- showing ---------------------------------------------------------------------------------
    def on_resize(self) -> None:
        """Another width has other words."""
        self.show_modes()

    def on_screen_resume(self) -> None:
        """In sight again."""
        self._draw()

    def _now_s(self) -> float:
        return self._ended.at_s if self._ended is not None else time.monotonic() - self._began_s

    def _tick(self) -> None:
        if self._ended is None:
            self._draw()

    def _draw(self, *, begun: bool = False) -> None:
        if not self.in_sight():
            return
        table = self.query_one("#build-steps", LiveTable)
        said = "Nothing was built." if self._ended is not None else "Sending the folder …"
        table.show_rows(step_rows(self._view, self._now_s()), empty=[line((said, Tone.DIM))])
        if begun and self._view.steps:
            table.move_to(len(self._view.steps) - 1)
        name = short_image(self._wish.tags[0]) if self._wish.tags else inert(self._wish.folder.absolute().name)
        words = build_words(self._view, self._now_s(), ended=self._end())
        self.query_one(TitleBar).show(f"Build {name} on {self._engine} · {words}")
        built = self._ended is not None and self._ended.image is not None
        self.query_one(KeyBar).say(
            {
                "build.open": "open the image" if built else "",
                "build.cancel": "" if self._ended is not None else "cancel",
                "build.again": "again" if self._ended is not None else "",
            }
        )

    def _end(self) -> str:
        if self._ended is None:
            return ""
        return "failed" if self._ended.error is not None else "done" if self._ended.image is not None else "cancelled"

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of a build."""
        return {
            "build.open": self._open,
            "build.cancel": self._ask_to_cancel,
            "build.again": self._again,
            "build.part": self._next_part,
        }

    def _open(self) -> None:
        from tui.screens.image import ImageScreen

        if self._ended is None or self._ended.image is None:
            self.tranship.refuse("There is no image yet." if self._ended is None else "There is no image.")
            return
        names = self._ended.names
        self.app.switch_screen(ImageScreen(self._ended.image, names[0] if names else self._ended.image.id))

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_act("build.open")

    def _again(self) -> None:
        if self._ended is None:
            self.tranship.refuse("It is being built.")
        else:
            self._begin()

    def _next_part(self) -> None:
        steps, output = self.query_one("#build-steps"), self.query_one(LogView)
        self.set_focus(output if self.focused is steps else steps)

    def _ask_to_cancel(self, then: Callable[[], object] = lambda: None) -> None:
        from widgets.dialogs import ConfirmDialog

        if self._ended is not None:
            self.tranship.refuse("The build has ended.")
            return

        def do(confirmed: bool | None) -> None:
            if confirmed:
                if self._worker is not None:
                    self._worker.cancel()
                then()

        words = "What runs of it is ended; steps that are done stay in the engine's cache."
        self.app.push_screen(ConfirmDialog("Cancel the build?", words, yes="Cancel it", no="Go on"), do)

    def leave(self) -> None:
        """Back; a build that runs is cancelled first, if a person says so."""
        if self._ended is None:
            self._ask_to_cancel(super().leave)
        else:
            super().leave()


__all__ = ["BuildScreen"]
