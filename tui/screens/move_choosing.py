"""The keys by which a migration's choices are turned or asked for. Plans and moves nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from backends.model.plan import Choices, PortChoice
from backends.model.wish import GpuWish
from tui.screens.gpu_choice import gpu_picker
from tui.screens.move_choices import TURNS, read_ports, with_ports
from tui.screens.move_keys import Stage
from tui.screens.move_questions import ports_question, short
from widgets.part_picker import PartPicker

if TYPE_CHECKING:
    from tui.screens.migrate import MigrateScreen


class ChoiceKeys:
    """Of one migration; nothing is chosen any more once that is begun."""

    def __init__(self, screen: MigrateScreen) -> None:
        self._screen = screen

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """What turns or asks for a choice, by action id."""
        asked: dict[str, Callable[[], object]] = {
            **{action: partial(self._turn, action) for action in TURNS},
            "migrate.parts": self._parts,
            "migrate.project": self._together,
            "migrate.ports": self._next_ports,
            "migrate.gpus": self._gpus,
        }
        return {action: partial(self._while_choosing, act) for action, act in asked.items()}

    def _while_choosing(self, act: Callable[[], object]) -> None:
        if self._screen.choosing:
            act()

    @property
    def _now(self) -> Choices:
        return self._screen.draft.choices

    def _subject(self) -> str:
        return short(self._screen.draft.project or self._screen.draft.container.name)

    def _turn(self, action: str) -> None:
        self._screen.choose(TURNS[action](self._now))

    def _together(self) -> None:
        """All containers of its project or pod, or it alone."""
        draft = self._screen.draft
        if draft.group or draft.together:
            self._screen.turn_together()
        else:
            self._screen.tranship.refuse(f"{self._subject()} is in no Compose project and in no pod.")

    def _parts(self) -> None:
        """Each volume and each port by itself."""
        app, draft = self._screen.tranship, self._screen.draft
        parts = draft.parts(app.view)
        if self._screen.stage is not Stage.PLANNED:
            app.refuse("The plan is not made yet.")
        elif parts:
            app.push_screen(PartPicker(f"Volumes and ports of {self._subject()}", parts, self._now), self._chosen)
        else:
            app.refuse(f"{self._subject()} has no volume and publishes no port.")

    def _chosen(self, choices: Choices | None) -> None:
        if choices is not None:
            self._screen.choose(choices)

    def _next_ports(self) -> None:
        """The same, any free ones, or those that are asked for."""
        if self._now.port is PortChoice.RANDOM:
            self._screen.app.push_screen(ports_question(self._screen.draft.published), self._ports_read)
        else:
            same = self._now.port is PortChoice.SAME
            self._screen.choose(with_ports(self._now, PortChoice.RANDOM if same else PortChoice.SAME))

    def _ports_read(self, text: str | None) -> None:
        if text is None:
            self._screen.choose(with_ports(self._now, PortChoice.SAME))
        else:
            self._screen.choose(with_ports(self._now, PortChoice.REMAP, read_ports(text)))

    def _gpus(self) -> None:
        """Which GPUs the copy is to have."""
        app, draft = self._screen.tranship, self._screen.draft
        picker = gpu_picker(app.view, draft.target, self._subject(), self._now.gpus, draft.gpus_kept())
        app.push_screen(picker, self._gpus_chosen)

    def _gpus_chosen(self, wish: GpuWish | None) -> None:
        if wish is not None:
            self._screen.choose(replace(self._now, gpus=wish))
