"""A box that stands while bytes pass: how far, how fast, how long yet; Escape calls it off. Moves nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker

from widgets.charts import bar
from widgets.dialogs import Dialog, content_of
from widgets.format import bytes_text, clock_text, rate_text
from widgets.line import Line, Tone, line

BAR = 40


@dataclass
class FlowMoved(Message):
    """How much has passed. total_bytes, bytes_per_s, eta_s: None where not known."""

    done_bytes: int
    total_bytes: int | None = None
    bytes_per_s: float | None = None
    eta_s: float | None = None

    def can_replace(self, message: Message) -> bool:
        """Only the newest count is worth drawing."""
        return isinstance(message, FlowMoved)


@dataclass
class FlowEnded(Message):
    """No more passes. result: one line for people, "" where it failed or was called off."""

    result: str = ""


class FlowDialog(Dialog[str]):
    """Answers with the result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "cancel", "Cancel", show=False, id="flow.cancel")]

    def __init__(self, title: str, begin: Callable[[Callable[[Message], object]], Worker[None]]) -> None:
        """begin: starts the work, which tells FlowMoved and at last FlowEnded; cancelled, it tells FlowEnded too."""
        super().__init__()
        self._title, self._begin = title, begin
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="dialog-box"):
            yield Static(content_of(self._title), classes="dialog-title")
            yield Static("", classes="dialog-body")
            yield Static(content_of("Esc cancels: nothing of it stays"), classes="dialog-keys")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one(".dialog-body", Static).update(content_of(flow_lines(FlowMoved(0))))
        self._worker = self._begin(self.post_message)

    @on(FlowMoved)
    def _moved(self, message: FlowMoved) -> None:
        self.query_one(".dialog-body", Static).update(content_of(flow_lines(message)))

    @on(FlowEnded)
    def _has_ended(self, message: FlowEnded) -> None:
        self.dismiss(message.result)

    def action_cancel(self) -> None:
        """Call it off; the box goes when it has ended."""
        if self._worker is not None:
            self._worker.cancel()

    def on_unmount(self) -> None:
        """Nothing of it runs on without its box."""
        if self._worker is not None and not self._worker.is_finished:
            self._worker.cancel()


def flow_lines(flow: FlowMoved) -> list[Line]:
    """A bar where the total is known, and the figures."""
    figures = bytes_text(flow.done_bytes)
    if flow.total_bytes:
        share = min(1.0, flow.done_bytes / flow.total_bytes)
        figures = f"{share:.0%}  {figures} of about {bytes_text(flow.total_bytes)}"
        drawn = line(*bar(share, BAR, tone=Tone.INFO))
    else:
        drawn = line(("waiting for the engine …" if not flow.done_bytes else "", Tone.DIM))
    if flow.bytes_per_s is not None:
        figures += f"  {rate_text(flow.bytes_per_s)}"
    if flow.eta_s is not None:
        figures += f"  {clock_text(flow.eta_s)} left"
    return [drawn, line((figures, Tone.DIM))]


__all__ = ["FlowDialog", "FlowEnded", "FlowMoved", "flow_lines"]
