"""One command in a container: what it says, as it says it, and how it ended. Takes no input for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from backends.model.container import Container
from tui.action import Scope
from tui.actions import bindings
from tui.messages import ProgramEnded, ProgramSaid
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.log_view import LogView
from widgets.text import inert

if TYPE_CHECKING:
    from widgets.dialogs import InputDialog

_MEANINGS = {126: "it cannot be run", 127: "there is no such program"}


def wrong_command(text: str) -> str:
    """What is wrong with a command line, "" where nothing is."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        return str(error)
    return "" if words or not text else "there is no program in it"


def command_question(container: Container, value: str = "") -> InputDialog:
    """Which command."""
    from widgets.dialogs import InputDialog

    return InputDialog(
        f"Run in {container.name} on {container.key.engine}",
        value=value,
        placeholder="nvidia-smi",
        note='No shell reads it: for pipes and variables write sh -c "…"',
        validate=wrong_command,
    )


class ProgramScreen(SubScreen):
    """A command and its output."""

    SCOPES: ClassVar = (Scope.EXEC,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.EXEC)
    AUTO_FOCUS = "LogView"

    def __init__(self, container: Container, command: str) -> None:
        super().__init__()
        self._container, self._command = container, command
        self._worker: Worker[None] | None = None
        self._ended: ProgramEnded | None = None

    def compose(self) -> ComposeResult:
        """Title, output, keys."""
        yield TitleBar()
        yield LogView(id="log")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Run it."""
        self.show_modes()
        self._run()

    def on_unmount(self) -> None:
        """Left: nobody listens any more."""
        if self._worker is not None:
            self._worker.cancel()

    def _run(self) -> None:
        self._ended = None
        self.query_one(LogView).show_note(inert(f"$ {self._command}"))
        self._worker = self.tranship.commands.talks.run(self._container, self._command, self.post_message)
        self._say()

    def _say(self) -> None:
        ended = self._ended
        how = "runs" if ended is None else "failed" if ended.error else f"exit code {ended.exit_code}"
        where = f"{inert(self._container.name)} on {inert(self._container.key.engine.name)}"
        self.query_one(TitleBar).show(f"{inert(self._command)} · {how} · in {where}")

    @on(ProgramSaid)
    def _said(self, message: ProgramSaid) -> None:
        self.query_one(LogView).append(message.lines)

    @on(ProgramEnded)
    def _program_ended(self, message: ProgramEnded) -> None:
        self._ended, view = message, self.query_one(LogView)
        if message.error is not None:
            view.show_note(inert(f"{message.error.title}  {message.error.hint}".strip()), bad=True)
        else:
            meaning = _MEANINGS.get(message.exit_code or 0, "")
            words = f"exit code {message.exit_code}" + (f": {meaning}" if meaning else "")
            view.show_note(words, bad=message.exit_code != 0)
        self._say()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Again, another, and standing still."""
        view = self.query_one(LogView)
        return {
            "exec.again": self._again,
            "exec.other": self._other,
            "exec.follow": lambda: view.set_following(not view.following),
        }

    def _again(self) -> None:
        if self._ended is None:
            self.tranship.refuse("It runs yet.")
        else:
            self._run()

    def _other(self) -> None:
        def run(command: str | None) -> None:
            if command:
                self._command = command
                self._run()

        if self._ended is None:
            self.tranship.refuse("It runs yet.")
        else:
            self.app.push_screen(command_question(self._container, self._command), run)
