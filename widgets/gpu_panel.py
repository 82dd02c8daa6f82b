"""The GPU pane: shows a GpuSnapshot. Measures nothing."""

from __future__ import annotations

from backends.model.gpu import GpuSnapshot
from widgets.gpu_lines import device_names, gpu_lines
from widgets.lines_pane import LinesPane


class GpuPanel(LinesPane):
    """GPUs with their use, or calmly why there are none."""

    def show(self, snapshot: GpuSnapshot) -> None:
        """Show this sample."""
        # A title is markup for Textual, and a device's name is text from outside.
        names = device_names(snapshot.readings).replace("[", "(").replace("]", ")")
        if names != self.border_subtitle:
            self.border_subtitle = names
        self.show_built(lambda width: gpu_lines(snapshot, width))
