"""The layers pane: shows a LayerReport, or why there is none yet. Asks no engine."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from widgets.layer_lines import error_lines, layer_lines, loading_lines, message_lines
from widgets.lines_pane import LinesPane

if TYPE_CHECKING:
    from backends.model.image import LayerReport


class LayerTree(LinesPane):
    """What each step of an image added."""

    def show(self, report: LayerReport, *, now: datetime) -> None:
        """Show a report. now: the moment that ages are counted to (aware)."""
        self.show_built(lambda width: layer_lines(report, width, now))

    def show_loading(self, reference: str) -> None:
        """Say that the image is being asked about."""
        self.show_lines(loading_lines(reference))

    def show_nothing(self, message: str) -> None:
        """Say in one sentence why there is nothing to show."""
        self.show_built(lambda width: message_lines(message, width))

    def show_error(self, error: BackendError) -> None:
        """Say what went wrong and what to do."""
        self.show_built(lambda width: error_lines(error, width))
