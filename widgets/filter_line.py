"""The line that a list is filtered by: "/" opens it, Enter leaves it with what is typed. Knows no list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

_TAKEN_S = 2.0  # a line takes its letters within milliseconds; a bound, so that no key can hang


class FilterLine(Input):
    """Shown while it is typed into, and while it holds words."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave", show=False, priority=True)]

    def __init__(self, placeholder: str, *, take: Callable[[str], None], back: str) -> None:
        """take: gets the words when they change, and when the line is left. back: selector of what is focused then."""
        super().__init__(id="filter", placeholder=placeholder, compact=True)
        self._take = take
        self._back = back
        self.display = False

    def edit(self) -> None:
        """Show it and take the focus at once, so that the very next key is typed into it."""
        self.display = True
        self.screen.set_focus(self)

    def drop(self) -> None:
        """Forget the words and hide."""
        self.value = ""
        self.display = False

    @on(Input.Changed)
    def _typed(self) -> None:
        self._take(self.value.strip())  # as it is now: in a burst of keys the event is late

    async def action_leave(self) -> None:
        """Take what is typed and go back; the next key waits until the line has taken all letters before."""
        taken = asyncio.Event()
        self.call_later(taken.set)  # the line does its messages in their order
        try:
            async with asyncio.timeout(_TAKEN_S):
                await taken.wait()
        except TimeoutError:
            self.log("the filter's line is behind")
        words = self.value.strip()
        self.display = bool(words)
        self.screen.set_focus(self.screen.query_one(self._back))
        self._take(words)
