"""A migration: choose where to and how, read the plan, run it, read what was proved. Nothing moves unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from backends.giving import listed_gpus
from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.plan import Choices, Plan, PortChoice, VolumeChoice
from backends.model.wish import GpuWish
from tui.action import Scope
from tui.actions import ACTIONS, bindings, key_label
from tui.messages import MigrationFinished, MigrationProgressed, MigrationSettled, PlanFailed, PlanMade
from tui.moves import Move, State, Word
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.gpu_choice import gpu_offer, gpu_picker
from tui.screens.move_choices import TURNS, read_ports, with_ports
from tui.screens.move_questions import (
    accept_question,
    cancel_question,
    ports_question,
    run_question,
    short,
    undo_question,
)
from tui.screens.move_view import move_lines
from widgets.choice_bar import ChoiceBar, options
from widgets.gpu_picker import GpuPicker
from widgets.layer_lines import error_lines
from widgets.plan_view import PlanView


class Stage(StrEnum):
    """How far it is."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"


_OWN = tuple(action.id for action in ACTIONS if action.scope is Scope.MIGRATE)


class MigrateScreen(SubScreen):
    """Moves one container. targets: engines that it may go to, at least one. move: one to look at, begun earlier."""

    SCOPES: ClassVar = (Scope.MIGRATE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MIGRATE)
    AUTO_FOCUS = "PlanView"

    def __init__(self, container: Container, targets: Sequence[EngineId], move: Move | None = None) -> None:
        super().__init__()
        self._container = container
        self._targets = tuple(targets)
        self._place = 0
        self._stage = Stage.PLANNING
        self._plan: Plan | None = None
        self._choices = Choices()
        self._published = tuple(sorted({port.host_port for port in container.ports if port.host_port}))
        self._move = move

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self._stage

    def compose(self) -> ComposeResult:
        """Title, where to and under which name, the choices, the plan, keys."""
        container = self._container
        yield TitleBar(f"Migrate {short(container.name)} from {container.key.engine}")
        with Horizontal(id="where"):
            yield Static("To", classes="label")
            yield Static(id="target", markup=False)
            yield Static("Name", classes="label")
            yield Input(container.name, id="name", compact=True)
        yield ChoiceBar({action.id: key_label(action.keys[0]) for action in ACTIONS if action.scope is Scope.MIGRATE})
        yield PlanView(id="plan")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Plan for the first target at once, or look on at the move that is under way or waits for a word."""
        self.show_modes()
        move = self._move
        if move is None:
            self._ask_for_plan(afresh=True)
            return
        self._choices = move.plan.choices
        if move.plan.target in self._targets:
            self._place = self._targets.index(move.plan.target)
        self.query_one("#name", Input).value = move.plan.spec.name
        self._say_target()
        self._look_on(move)

    def on_unmount(self) -> None:
        """A move that runs goes on, and tells nobody here."""
        if self._move is not None:
            self._move.reply = None

    def show_view(self, view: FleetView) -> None:
        """How the source is now."""
        self._container = view.containers.get(self._container.key, self._container)
        if isinstance(self.app.screen, GpuPicker):
            self.app.screen.show_offer(gpu_offer(view, self._targets[self._place], self._gpus_kept()))

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Choosing, running, and what comes after."""
        return {
            **{action: partial(self._turn, action) for action in TURNS},
            "migrate.run": self._run,
            "migrate.target": self._next_target,
            "migrate.name": self._edit_name,
            "migrate.ports": self._next_ports,
            "migrate.gpus": self._ask_for_gpus,
            "migrate.cancel": self._ask_to_cancel,
            "migrate.accept": partial(self._ask_to_settle, Word.ACCEPT),
            "migrate.remove": partial(self._ask_to_settle, Word.REMOVE),
            "migrate.undo": partial(self._ask_to_settle, Word.UNDO),
            "migrate.again": self._again,
        }

    # -- what the keys mean now ------------------------------------------------------------------
    def _enter(self, stage: Stage) -> None:
        """Go on to a stage; the footer says what the keys mean there."""
        self._stage = stage
        words = dict.fromkeys(_OWN, "") | self._words()
        if stage is Stage.RUNNING:
            words["app.back"] = "leave it running"
        elif stage is Stage.ENDED:
            words["app.back"] = ""
        self.query_one(KeyBar).say(words)
        self.query_one(ChoiceBar).display = self._choosing()
        self.query_one("#name", Input).disabled = not self._choosing()

    def _words(self) -> dict[str, str]:
        """The keys of the present stage and their words."""
        state = self._move.state if self._move is not None else None
        if self._stage is Stage.RUNNING:
            return {"migrate.cancel": "cancel"} if state is State.RUNNING else {}
        if self._stage is Stage.ENDED:
            words = {"migrate.run": "to the fleet"}
            if state is State.WAITING:
                words |= {"migrate.accept": "accept", "migrate.remove": "remove source"}
            if state is not None and state.undoable:
                words["migrate.undo"] = "undo"
            return words if state is State.SETTLING else words | {"migrate.again": "plan again"}
        words = {"migrate.name": "name", "migrate.again": "plan again"}
        if len(self._targets) > 1:
            words["migrate.target"] = "target"
        if self._plan is not None and not self._plan.blocked:
            words["migrate.run"] = "run"
        return words

    def _choosing(self) -> bool:
        return self._stage in {Stage.PLANNING, Stage.PLANNED}

    # -- planning --------------------------------------------------------------------------------
    def _say_target(self) -> None:
        others = f"  ({self._place + 1} of {len(self._targets)})" if len(self._targets) > 1 else ""
        self.query_one("#target", Static).update(f"{self._targets[self._place]}{others}")

    def _ask_for_plan(self, *, afresh: bool = False) -> None:
        target = self._targets[self._place]
        self._say_target()
        first = self._plan is None
        self._plan = None
        self._enter(Stage.PLANNING)
        self._show_choices()
        if first:
            self.query_one(PlanView).show_message(f"Asking {self._container.key.engine} and {target} …")
        name = self.query_one("#name", Input).value.strip()
        self._choices = replace(self._choices, name=None if name in {"", self._container.name} else name)
        self.tranship.commands.moves.plan(self._container.key, target, self._choices, self.post_message, afresh=afresh)

    def _show_choices(self) -> None:
        plan = self._plan
        shown = options(
            self._choices,
            has_volumes=plan is None or bool(plan.volumes) or self._choices.volume is not VolumeChoice.COPY,
            has_ports=bool(self._published) or self._choices.port is not PortChoice.SAME,
            has_gpus=self._gpus_matter(),
            running=self._container.state.alive,
        )
        self.query_one(ChoiceBar).show_options(shown)

    @on(PlanMade)
    def _planned(self, message: PlanMade) -> None:
        """The newest one counts: one that was asked for before a choice was turned may still come."""
        plan = message.plan
        asked = (self._targets[self._place], self._choices)
        if self._stage is not Stage.PLANNING or (plan.target, plan.choices) != asked:
            return
        self._plan = plan
        if self._choices.port is PortChoice.SAME:  # a container at rest does not tell them in the list
            self._published = tuple(sorted({port.host_port for port in plan.spec.ports if port.host_port}))
        self._enter(Stage.PLANNED)
        self._show_choices()
        self.query_one(PlanView).show_plan(plan)

    @on(PlanFailed)
    def _not_planned(self, message: PlanFailed) -> None:
        if self._stage is Stage.PLANNING:
            self.query_one(PlanView).show_built(lambda width: error_lines(message.error, width))

    def _choose(self, choices: Choices) -> None:
        """Take choices and plan again."""
        if self._choosing():
            self._choices = choices
            self._ask_for_plan()

    def _turn(self, action: str) -> None:
        self._choose(TURNS[action](self._choices))

    def _next_ports(self) -> None:
        """The same, any free ones, or those that are asked for."""
        if not self._choosing():
            return
        if self._choices.port is PortChoice.RANDOM:
            self.app.push_screen(ports_question(self._published), self._ports_read)
        else:
            same = self._choices.port is PortChoice.SAME
            self._choose(with_ports(self._choices, PortChoice.RANDOM if same else PortChoice.SAME))

    def _ports_read(self, text: str | None) -> None:
        if text is None:
            self._choose(with_ports(self._choices, PortChoice.SAME))
        else:
            self._choose(with_ports(self._choices, PortChoice.REMAP, read_ports(text)))

    def _gpus_kept(self) -> str:
        """The source's GPUs, for people."""
        said = (field.source for field in self._plan.fields if field.field == "gpu") if self._plan is not None else ()
        return next(iter(said), "") or ", ".join(self._container.gpus_given) or "none"

    def _gpus_matter(self) -> bool:
        """Somebody has GPUs, or is to get some."""
        target = self.tranship.view.engines.get(self._targets[self._place])
        there = bool(self.tranship.view.gpus.readings or listed_gpus(target.info if target is not None else None))
        return there or not self._choices.gpus.keeps or self._gpus_kept() != "none"

    def _ask_for_gpus(self) -> None:
        """Which GPUs the copy is to have."""
        if self._choosing():
            target, name = self._targets[self._place], short(self._container.name)
            picker = gpu_picker(self.tranship.view, target, name, self._choices.gpus, self._gpus_kept())
            self.app.push_screen(picker, self._gpus_chosen)

    def _gpus_chosen(self, wish: GpuWish | None) -> None:
        if wish is not None and wish != self._choices.gpus:
            self._choose(replace(self._choices, gpus=wish))

    def _next_target(self) -> None:
        if self._choosing() and len(self._targets) > 1:
            self._place = (self._place + 1) % len(self._targets)
            self._ask_for_plan()

    def _edit_name(self) -> None:
        if self._choosing():
            self.query_one("#name", Input).focus()

    @on(Input.Changed, "#name")
    def _name_changed(self) -> None:
        if self.query_one("#name").has_focus and self._choosing():
            self._ask_for_plan()

    @on(Input.Submitted, "#name")
    def _name_entered(self) -> None:
        self.query_one(PlanView).focus()

    def _again(self) -> None:
        """Plan again, with the same choices: what stood in the way may be gone."""
        if self._stage is Stage.RUNNING or (self._move is not None and self._move.state is State.SETTLING):
            return
        if self._move is not None:
            self._move.reply = None
            self._move = None
        self._plan = None
        self._ask_for_plan(afresh=True)
        self.query_one(PlanView).scroll_home(animate=False)

    # -- running ---------------------------------------------------------------------------------
    def _run(self) -> None:
        plan = self._plan
        if self._stage is Stage.ENDED:
            self.app.pop_screen()
        elif self._stage is Stage.RUNNING:
            self.tranship.refuse("It runs already; x asks whether to cancel it.")
        elif plan is None:
            self.tranship.refuse("The plan is not made yet.")
        elif plan.blocked:
            self.query_one(PlanView).scroll_home(animate=False)
            self.tranship.refuse("The plan has findings that stop it: see at its top what to do about them.")
        else:
            self.app.push_screen(run_question(plan), self._begin)

    def _begin(self, confirmed: bool | None) -> None:
        if confirmed and self._plan is not None and self._stage is Stage.PLANNED:
            moves = self.tranship.commands.moves
            self._look_on(moves.run(self._plan, self._container, self._targets, self.post_message))

    def _look_on(self, move: Move) -> None:
        """Look on at a move, wherever it is."""
        self._move, self._plan = move, move.plan
        move.reply = self.post_message
        self.query_one(PlanView).focus()
        self._draw_move()
        self.query_one(PlanView).scroll_home(animate=False)

    def _draw_move(self) -> None:
        """Draw the move as it is now, and say what the keys mean."""
        move = self._move
        if move is not None:
            self._enter(Stage.RUNNING if move.state.under_way else Stage.ENDED)
            self.query_one(PlanView).show_run(move_lines(move))

    @on(MigrationProgressed)
    def _progressed(self) -> None:
        if self._stage is Stage.RUNNING:
            self._draw_move()

    @on(MigrationFinished)
    @on(MigrationSettled)
    def _came_to_an_end(self) -> None:
        if self._move is not None:
            self._draw_move()
            self.query_one(PlanView).scroll_home(animate=False)
            self.query_one(PlanView).focus()

    def leave(self) -> None:
        """Back; a move that runs goes on."""
        if self.query_one("#name").has_focus:
            self.query_one(PlanView).focus()
            return
        if self._stage is Stage.RUNNING:
            name = short(self._container.name)
            self.notify(f"The move of {name} goes on; m on its row comes back to it.", timeout=5, markup=False)
        super().leave()

    def _ask_to_cancel(self) -> None:
        move = self._move
        if move is None or self._stage is not Stage.RUNNING:
            return
        if move.state is State.UNDOING:
            self.tranship.refuse("It is being undone already.")
            return

        def cancel(confirmed: bool | None) -> None:
            if confirmed:
                move.cancel()
                self._draw_move()

        self.app.push_screen(cancel_question(move.plan), cancel)

    # -- after it --------------------------------------------------------------------------------
    def _ask_to_settle(self, word: Word) -> None:
        """Accept a finished move, or take it back."""
        move = self._move
        if move is None or self._stage is not Stage.ENDED:
            return
        if not (move.state is State.WAITING or (move.state.undoable and word is Word.UNDO)):
            self.tranship.refuse(f"The move is {move.state}: nothing waits for your word.")
            return

        def settle(confirmed: bool | None) -> None:
            if confirmed:
                self.tranship.commands.moves.settle(move, word)
                self._draw_move()

        if word is Word.UNDO:
            self.app.push_screen(undo_question(move.plan), settle)
        else:
            self.app.push_screen(accept_question(move.plan, remove_source=word is Word.REMOVE), settle)
