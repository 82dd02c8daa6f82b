"""What every screen of ours shares: it takes views, does actions of the registry, names the modes. Starts no worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from backends.model.fleet import FleetView
from backends.model.ids import EngineKind
from tui.action import Scope
from tui.actions import bindings, leaves_typing
from tui.bootstrap import demo_reason
from tui.screens.frame import TitleBar

if TYPE_CHECKING:
    from tui.app import TranshipApp


def _demo_label(reason: str, width: int) -> str:
    """Why it is the demo, or, where that would take more than half of the line, who says why."""
    label = f"DEMO: {reason}" if reason else "DEMO"
    return label if len(label) <= width // 2 else "DEMO: see tranship doctor"


class TranshipScreen(Screen[None]):
    """A full screen of the app. SCOPES: whose actions it can do. ALSO: whose too, by keys that its own leave free."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ()
    ALSO: ClassVar[tuple[Scope, ...]] = ()

    @property
    def tranship(self) -> TranshipApp:
        """The app, as what it is."""
        return cast("TranshipApp", self.app)

    def show_view(self, view: FleetView) -> None:
        """Take the newest view of the fleet."""

    def in_sight(self) -> bool:
        """Whether nothing but boxes stands above this screen."""
        stack = self.app.screen_stack
        return self in stack and all(screen.is_modal for screen in stack[stack.index(self) + 1 :])

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """What this screen does for each action id of its scopes."""
        return {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does its action now: not while it is typed into a field."""
        if action == "act" and isinstance(self.focused, Input):
            return leaves_typing(str(parameters[0]))
        return super().check_action(action, parameters)

    def action_act(self, action: str) -> None:
        """Do an action, where the mode allows it."""
        if self.tranship.allows(action):
            self.acts()[action]()

    def show_modes(self) -> None:
        """Name the modes that are on, in the title line."""
        app = self.tranship
        demo = app.settings.demo or any(engine.kind is EngineKind.DEMO for engine in app.view.engines)
        modes = []
        if demo:
            reason = demo_reason(app.view)
            modes.append(_demo_label(reason, app.size.width))
        if app.settings.readonly:
            modes.append("READ-ONLY")
        for bar in self.query(TitleBar):
            bar.show_modes(modes)


class SubScreen(TranshipScreen):
    """A screen above the fleet: Escape and q go back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.BACK),
        # While a person types, the other key that goes back is a letter (q), and the action leaves both alone.
        Binding("escape", "leave", "Back", show=False, id="typing.leave"),
    ]

    def action_act(self, action: str) -> None:
        """Do an action, where the mode allows it; going back is everywhere the same."""
        if action == "app.back":
            self.leave()
        else:
            super().action_act(action)

    def action_leave(self) -> None:
        """Escape in a field."""
        self.leave()

    def leave(self) -> None:
        """Go back to the screen below."""
        self.app.pop_screen()
