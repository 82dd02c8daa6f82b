"""What the screens of logs and of events share: one log view with a filter that is typed. Reads from no engine."""

from __future__ import annotations

from textual import on

from backends.model.expression import BadPattern
from tui.screens.base import SubScreen
from widgets.log_filter import LogFilter, pattern_of
from widgets.log_view import LogView
from widgets.text import inert


class FilteredLogScreen(SubScreen):
    """A screen with a LogView."""

    _wrong = ""  # of the expression that was typed last

    def _say(self) -> None:
        """Put what is shown, and what is wrong, into the title."""
        raise NotImplementedError

    @on(LogView.Unarranged)
    def _unarranged(self) -> None:
        self.tranship.commands.logs.lay_out(self._lay_out)

    async def _lay_out(self) -> None:
        await self.query_one(LogView).lay_out()
        self._say()

    def _take_pattern(self, words: str) -> None:
        view = self.query_one(LogView)
        try:
            pattern, self._wrong = pattern_of(words), ""
        except BadPattern as wrong:
            self._wrong = inert(str(wrong))
        else:
            if pattern != view.wanted.pattern:
                view.set_filter(LogFilter(pattern, view.wanted.level))
        self._say()


__all__ = ["FilteredLogScreen"]
