"""The app: puts screens, bridge and commands together, and handles what goes wrong. Does no work itself.

First frame first: nothing of an engine, of HTTP or of a GPU is imported before the fleet is opened, after that frame.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.events import Resize
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from tui import theme
from tui.action import Scope
from tui.actions import BY_ID, bindings, keymap, permitted
from tui.bridge import Bridge, OpenFleet
from tui.clock import Clock
from tui.commands import Commands
from tui.config import Settings
from tui.crash import state_dir as default_state_dir
from tui.crash import write_crash_log
from tui.messages import FleetOpened, GroupFinished, OperationFinished, StoreChanged
from tui.notifying import Notifier
from tui.plain_screen import AsciiFilter, InertFilter, TooSmall
from tui.saying import Saying
from tui.screens.base import TranshipScreen
from tui.screens.fleet import FleetScreen
from tui.screens.palette import ActionProvider
from tui.surroundings import too_small


class TranshipApp(Saying):
    """The terminal UI.

    open_fleet: opens the engines; called in a worker after the first frame. settings: what the user chose.
    state_dir: where crash logs and journals go, None = the user's own. clock: what ages and countdowns go by.
    plain: the terminal has ASCII only.
    """

    TITLE = "Tranship"
    CSS_PATH = "tranship.tcss"
    COMMANDS: ClassVar = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.APP)

    def __init__(
        self,
        open_fleet: OpenFleet,
        settings: Settings,
        *,
        state_dir: Path | None = None,
        clock: Clock | None = None,
        plain: bool = False,
    ) -> None:
        super().__init__()
        self.animation_level = "none"  # a page that glides is six frames, and there a fifth of a second late
        self._filters += [InertFilter(), *([AsciiFilter()] if plain else [])]  # Textual has no public way to add one
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-medium"), (160, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
        self.settings = settings
        theme.begin_with(self, settings.theme)
        self.clock = clock or Clock()
        self.view = FleetView()
        self.state_dir = state_dir or default_state_dir()
        self.bridge = Bridge(self, open_fleet)
        self.notifier = Notifier(self, settings.notify, settings.idle_gpu_minutes)
        self.commands = Commands(self, lambda: self.bridge.fleet, self.state_dir)
        self._acts: dict[str, Callable[[], object]] = {
            "app.error": self.show_last_error,
            "app.help": self._help,
            "app.palette": self.action_command_palette,
            "app.theme": self._toggle_theme,
            "app.quit": self.action_quit,
        }

    # -- life ------------------------------------------------------------------------------------
    def get_default_screen(self) -> Screen[None]:
        """The fleet, empty at first."""
        return FleetScreen()

    def on_mount(self) -> None:
        """Keys; then the first frame, then the engines."""
        wanted = self.settings.theme
        if wanted and wanted != self.theme:
            self.notify(f"There is no theme {wanted}; using {self.theme}.", severity="warning", markup=False)
        self.set_keymap(keymap(self.settings.keys))
        self.bridge.start_after_frame()

    def on_resize(self, event: Resize) -> None:
        """Where there is no room for any screen, a sentence stands above all until there is."""
        sentence, top = too_small(event.size.width, event.size.height), self.screen
        if isinstance(top, TooSmall):
            top.say(sentence) if sentence else self.pop_screen()
        elif sentence:
            self.push_screen(TooSmall(sentence))

    async def on_unmount(self) -> None:
        """However it ends, migrations undo and engines close."""
        await self.commands.close()
        await self.bridge.close()

    async def action_quit(self) -> None:
        """End; while something is under way, ask first."""
        if now := self.commands.under_way:
            from tui.screens.quit_question import quit_question

            self.push_screen(quit_question(now), self._leave)
        else:
            self.exit()

    def _leave(self, confirmed: bool | None) -> None:
        if confirmed:
            self.notify("Undoing what is under way, then leaving …", timeout=60, markup=False)
            self.commands.undo_then(self.exit)

    # -- keys ------------------------------------------------------------------------------------
    async def action_act(self, action: str) -> None:
        """Do an action of the scope "everywhere"."""
        result = self._acts[action]()
        if isinstance(result, Awaitable):
            await result

    def allows(self, action: str) -> bool:
        """Whether the action exists in this mode; says so where it does not."""
        if permitted(BY_ID[action], read_only=self.settings.readonly):
            return True
        self.refuse("Read-only: this is switched off. Start without --readonly to change things.")
        return False

    def _help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(read_only=self.settings.readonly))

    def _toggle_theme(self) -> None:
        self.theme = theme.other(self.theme)

    # -- what comes in ---------------------------------------------------------------------------
    def on_store_changed(self, message: StoreChanged) -> None:
        """Hand the newest view to every screen, also to those that are covered."""
        self.view = message.view
        self.notifier.take(message.view)
        if not self.is_running:
            return  # a last view that comes while the screens are taken down
        for screen in self.screen_stack:
            if isinstance(screen, TranshipScreen):
                screen.show_view(message.view)

    def on_fleet_opened(self, _message: FleetOpened) -> None:
        """The fleet is there; earlier moves that are not over are told of below it."""
        self.commands.watch_again()
        self.leave_out_all()
        self.commands.moves.look_for_earlier(self.screen_stack[0].post_message)
        for screen in self.screen_stack:
            if isinstance(screen, TranshipScreen):
                screen.show_modes()

    def on_operation_finished(self, message: OperationFinished) -> None:
        """A toast: what was done, or why not."""
        self.notifier.own(message.update.key)
        if message.update.key not in self.commands.groups.busy:
            self.tell(message.update)

    def on_group_finished(self, message: GroupFinished) -> None:
        """One toast for all of them."""
        result = message.result
        self.commands.groups.busy -= {update.key for update in result.updates}
        self.commands.groups.busy -= {left.container.key for left in result.left}
        self.tell_group(BY_ID[message.action].short, result)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where a worker's failure comes out."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        if isinstance(error, BackendError):
            self.fail(error)
        elif error is not None:
            path = write_crash_log(error, self.state_dir, during=event.worker.name)
            self.refuse(f"A bug in Tranship ({type(error).__name__}) while: {event.worker.name}. Log: {path}", bug=True)

    def _handle_exception(self, error: Exception) -> None:
        """Textual's hook for a bug anywhere in the app: the trace goes to a file, the terminal gets its path."""
        path = write_crash_log(error, self.state_dir)
        super()._handle_exception(error)
        self._exit_renderables[:] = [
            Text(f"Tranship met a bug and ended: {type(error).__name__}.\nThe crash log is {path}")
        ]
