"""The command palette's entries, from the registry of actions. May not act by itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.action import Action, Scope
from tui.actions import ACTIONS, keys_label, permitted
from tui.screens.base import TranshipScreen

if TYPE_CHECKING:
    from tui.app import TranshipApp


class ActionProvider(Provider):
    """Every action that the screen below the palette, or the app, can do."""

    @property
    def _tranship(self) -> TranshipApp:
        return cast("TranshipApp", self.app)

    def _actions(self) -> list[Action]:
        scopes = (*self.screen.SCOPES, *self.screen.ALSO) if isinstance(self.screen, TranshipScreen) else ()
        return [
            action
            for action in ACTIONS
            if action.scope in (*scopes, Scope.APP) and permitted(action, read_only=self._tranship.settings.readonly)
        ]

    async def _run(self, action: Action) -> None:
        if isinstance(self.screen, TranshipScreen) and action.scope in (*self.screen.SCOPES, *self.screen.ALSO):
            self.screen.action_act(action.id)
        else:
            await self._tranship.action_act(action.id)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(action.title, partial(self._run, action), help=_help(action))

    async def search(self, query: str) -> Hits:
        """Those whose title matches."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(action.title)
            if score > 0:
                yield Hit(score, matcher.highlight(action.title), partial(self._run, action), help=_help(action))


def _help(action: Action) -> str:
    return f"{action.scope.value} · {keys_label(action)}"
