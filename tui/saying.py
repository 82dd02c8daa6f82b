"""What the app says in a toast: how an operation ended, what failed, why something is not done. Does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.notifications import Notify, SeverityLevel

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate, Phase
from tui.messages import AuditTroubled
from tui.tidying import Tidying
from tui.toasts import Toasts
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.groups import GroupResult

_NAMED = 4
"""Failures told one by one in a toast."""


class Saying(Tidying):
    """An app that says things. Text from outside is never read as markup."""

    last_error: BackendError | None = None

    def __init__(self) -> None:
        super().__init__()
        self._toasts = Toasts()

    def on_notify(self, message: Notify) -> None:
        """Before Textual shows one more: older ones make room."""
        for one in self._toasts.make_room(self._notifications, message.notification):
            self._unnotify(one, refresh=False)  # Textual has no public way to end one; it refreshes all after this
        if not self.screen_stack:  # the last notice of an app that ends: the screens have gone before it
            return
        for toast in self.screen.query("Toast"):
            toast.refresh(layout=True)

    def write_to_terminal(self, sequence: str) -> None:
        """Send the terminal itself something that moves no cursor; nothing where there is none."""
        if self._driver is not None:
            self._driver.write(sequence)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual does, but of a text from outside nothing is obeyed."""
        inert_lines = "\n".join(map(inert, message.split("\n")))
        super().notify(inert_lines, title=title, severity=severity, timeout=timeout, markup=markup)

    def copy_to_clipboard(self, text: str) -> None:
        """Hand the terminal a text; what is no character (half of a pair, from a foreign answer) is a mark in it."""
        super().copy_to_clipboard(text.encode("utf-8", "replace").decode())

    def tell(self, update: OperationUpdate) -> None:
        """Say how an operation ended."""
        if update.phase is Phase.FAILED and update.error is not None:
            self.fail(update.error, asked=f"{update.subject}: ")
        elif update.phase is Phase.DONE:
            self.notify(update.result or f"{update.subject}: done", timeout=3, markup=False)
        elif update.phase is Phase.CANCELLED:
            self.notify(f"{update.subject}: cancelled", timeout=3, markup=False)

    def tell_group(self, verb: str, result: GroupResult) -> None:
        """Say how one action on several containers ended: how many, and of each that failed or was left alone, why."""
        failed = [(one.subject, one.error) for one in result.updates if one.phase is Phase.FAILED and one.error]
        done = sum(one.phase is Phase.DONE for one in result.updates)
        lines = [f"{verb}: {done} of {len(result.updates) + len(result.left)} containers"]
        lines += [f"{subject}: {error.title}" for subject, error in failed[:_NAMED]]
        lines += [f"{left.container.name}: not done, {left.reason}" for left in result.left[:_NAMED]]
        more = max(0, len(failed) - _NAMED) + max(0, len(result.left) - _NAMED)
        lines += [f"and {more} more"] if more else []
        if failed:
            self.last_error = failed[-1][1]
            lines.append("[e] details of the last one")
        bad = bool(failed or result.left)
        severity: Literal["error", "information"] = "error" if bad else "information"
        self.notify("\n".join(lines), severity=severity, timeout=8 if bad else 3, markup=False)

    def fail(self, error: BackendError, *, asked: str = "") -> None:
        """Say what failed and what to do; its details wait behind the key of `app.error`."""
        self.last_error = error
        where = f"{error.engine}: " if error.engine else ""
        hint = f"\n{error.hint}" if error.hint else ""
        more = "\n[e] details" if error.detail else ""
        self.notify(f"{asked}{where}{error.title}{hint}{more}", severity="error", timeout=8, markup=False)

    def on_audit_troubled(self, message: AuditTroubled) -> None:
        """What is not written down has to be known."""
        self.fail(message.error, asked="Audit trail: ")

    def refuse(self, sentence: str, *, bug: bool = False) -> None:
        """Say why something is not done."""
        self.notify(sentence, severity="error" if bug else "warning", timeout=12 if bug else 4, markup=False)

    def show_last_error(self) -> None:
        """Open the details of the last failure."""
        if self.last_error is None:
            self.refuse("Nothing has failed so far.")
        else:
            from widgets.dialogs import ErrorDialog

            self.push_screen(ErrorDialog(self.last_error))
