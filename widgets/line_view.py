"""What all widgets share that draw their lines themselves: the width of a line, the theme's styles. Draws nothing."""

from __future__ import annotations

from textual.scroll_view import ScrollView

from widgets.palette import Palette, palette_of


class LineView(ScrollView, can_focus=True):
    """Scrolls up and down; `render_line` is its heirs'."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;
    }
    """
    _palette: Palette | None = None

    @property
    def _width(self) -> int:
        """Cells that a line has: the scrollbar takes its own."""
        return self.scrollable_content_region.width

    def watch_show_vertical_scrollbar(self) -> None:
        """Lines are one cell narrower beside a scrollbar."""
        self._width_changed()

    def _width_changed(self) -> None:
        """Hook: lay out anew."""

    @property
    def palette(self) -> Palette:
        """The styles of tones here, looked up once."""
        if self._palette is None:
            self._palette = palette_of(self)
        return self._palette

    def notify_style_update(self) -> None:
        """Textual's hook: theme or style classes changed."""
        super().notify_style_update()
        self._forget_styles()

    def _forget_styles(self) -> None:
        """What was drawn in other styles is kept no longer."""
        self._palette = None


__all__ = ["LineView"]
