"""A migration: choose where to and how, read the plan, run it, read what was proved. Nothing moves unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId
from backends.model.plan import Choices, Plan
from tui.action import Scope
from tui.actions import ACTIONS, bindings, first_key_label
from tui.move import Move, State, Word
from tui.move_messages import (
    MigrationFinished,
    MigrationProgressed,
    MigrationSettled,
    MovesListed,
    PlanFailed,
    PlanMade,
)
from tui.screens import move_questions as ask
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.gpu_choice import gpu_offer
from tui.screens.move_choosing import ChoiceKeys
from tui.screens.move_draft import Draft
from tui.screens.move_keys import Stage, key_words
from tui.screens.move_view import move_lines
from widgets.choice_bar import ChoiceBar
from widgets.container_table import ContainerTable
from widgets.gpu_picker import GpuPicker
from widgets.layer_lines import error_lines
from widgets.plan_view import PlanView

_LOOK_AGAIN_S = 2.0  # how often the journal of a move that another process runs is read


class MigrateScreen(SubScreen):
    """Moves one container, or all of its project. targets: engines that it may go to, at least one.

    move: one to look at, begun earlier.
    """

    SCOPES: ClassVar = (Scope.MIGRATE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MIGRATE)
    AUTO_FOCUS = "PlanView"

    def __init__(self, container: Container, targets: Sequence[EngineId], move: Move | None = None) -> None:
        super().__init__()
        self._draft = Draft(container, targets)
        self._choices = ChoiceKeys(self)
        self._stage = Stage.PLANNING
        self._move = move

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self._stage

    @property
    def choosing(self) -> bool:
        """Nothing is begun yet."""
        return self._stage in {Stage.PLANNING, Stage.PLANNED}

    @property
    def draft(self) -> Draft:
        """What is to go where."""
        return self._draft

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What would be run, or is; () while it is planned."""
        return self._draft.plans

    def compose(self) -> ComposeResult:
        """Title, where to and under which name, the choices, the plan, keys."""
        yield TitleBar(self._title())
        with Horizontal(id="where"):
            yield Static("To", classes="label")
            yield Static(id="target", markup=False)
            yield Static("Name", classes="label")
            yield Input(self._draft.container.name, id="name", placeholder="each keeps its own", compact=True)
        yield ChoiceBar({action.id: first_key_label(action) for action in ACTIONS if action.scope is Scope.MIGRATE})
        yield PlanView(id="plan")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def _title(self) -> str:
        draft = self._draft
        subject = f"all of {ask.short(draft.project)}" if draft.project else ask.short(draft.container.name)
        return f"Migrate {subject} from {draft.container.key.engine}"

    def on_mount(self) -> None:
        """Plan for the first target at once, or look on at the move that is under way or waits for a word."""
        self.show_modes()
        self.set_interval(_LOOK_AGAIN_S, self._look_again)
        move = self._move
        if move is None:
            self._ask_for_plan(afresh=True)
            return
        self._draft.follow(move)
        self.query_one("#name", Input).value = "" if move.project else move.plan.spec.name
        self._say_subject()
        self._look_on(move)

    def on_unmount(self) -> None:
        """A move that runs goes on, and tells nobody here."""
        if self._move is not None:
            self._move.reply = None

    def show_view(self, view: FleetView) -> None:
        """How the source is now."""
        draft = self._draft
        draft.container = view.containers.get(draft.container.key, draft.container)
        if isinstance(self.app.screen, GpuPicker):
            self.app.screen.show_offer(gpu_offer(view, draft.target, draft.gpus_kept()))

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Choosing, running, and what comes after."""
        return {
            **self._choices.acts(),
            "migrate.run": self._run,
            "migrate.target": self._next_target,
            "migrate.name": self._edit_name,
            "migrate.cancel": self._ask_to_cancel,
            "migrate.resume": self._ask_to_resume,
            "migrate.accept": partial(self._ask_to_settle, Word.ACCEPT),
            "migrate.remove": partial(self._ask_to_settle, Word.REMOVE),
            "migrate.undo": partial(self._ask_to_settle, Word.UNDO),
            "migrate.verify": self._compare,
            "migrate.copy_report": self._copy_report,
            "migrate.again": self._again,
        }

    def _enter(self, stage: Stage) -> None:
        """Go on to a stage; the footer says what the keys mean there."""
        self._stage = stage
        choosing = self.choosing
        self.query_one(KeyBar).say(key_words(stage, self._draft, self._move))
        self.query_one(ChoiceBar).display = choosing
        self.query_one("#name", Input).disabled = not choosing or self._draft.together

    # -- planning --------------------------------------------------------------------------------
    def _say_subject(self) -> None:
        self.query_one("#target", Static).update(self._draft.target_words)
        self.query_one(TitleBar).show(self._title())

    def _ask_for_plan(self, *, afresh: bool = False) -> None:
        draft = self._draft
        first, draft.plans = not draft.plans or afresh, () if afresh else draft.plans
        self._say_subject()
        self._enter(Stage.PLANNING)
        self._show_choices()
        if first and self._move is None:
            said = f"Asking {draft.container.key.engine} and {draft.target} …"
            self.query_one(PlanView).show_message(said)
        draft.named(self.query_one("#name", Input).value.strip())
        self.tranship.commands.moves.plan(
            draft.container.key,
            draft.target,
            draft.choices,
            self.post_message,
            afresh=afresh,
            together=draft.together,
        )

    def _show_choices(self) -> None:
        self.query_one(ChoiceBar).show_options(self._draft.options(self.tranship.view))

    @on(PlanMade)
    def _planned(self, message: PlanMade) -> None:
        """The newest one counts: one that was asked for before a choice was turned may still come."""
        draft = self._draft
        if self._stage is not Stage.PLANNING or not draft.take(message):
            return
        self._say_subject()
        self._enter(Stage.PLANNED)
        self._show_choices()
        self.query_one(PlanView).show_plans(draft.plans, draft.project)

    @on(PlanFailed)
    def _not_planned(self, message: PlanFailed) -> None:
        if self._stage is Stage.PLANNING:
            self.query_one(PlanView).show_built(lambda width: error_lines(message.error, width))

    def choose(self, choices: Choices) -> None:
        """Take choices and plan again."""
        if self.choosing and choices != self._draft.choices:
            self._draft.choices = choices
            self._ask_for_plan()

    def turn_together(self) -> None:
        """All containers of its project or pod, or it alone again."""
        draft = self._draft
        draft.turn_together()
        self.query_one("#name", Input).value = "" if draft.together else draft.container.name
        self._ask_for_plan(afresh=True)

    def _next_target(self) -> None:
        if self.choosing and self._draft.next_target():
            self._ask_for_plan()

    def _edit_name(self) -> None:
        if self.choosing and not self._draft.together:
            self.set_focus(self.query_one("#name", Input))  # at once: the next key is typed into it
        elif self.choosing:
            self.tranship.refuse("A project keeps its containers' names: P goes back to this one alone.")

    @on(Input.Changed, "#name")
    def _name_changed(self) -> None:
        if self.query_one("#name").has_focus and self.choosing:
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
        self._ask_for_plan(afresh=True)
        self.query_one(PlanView).scroll_home(animate=False)

    # -- running ---------------------------------------------------------------------------------
    def _run(self) -> None:
        draft = self._draft
        if self._stage is Stage.ENDED:
            if self._move is not None and self._move.reports and self._move.state in {State.WAITING, State.ACCEPTED}:
                report = self._move.reports[0]
                copy = ContainerKey(report.plan.target, report.target_id)
                self.app.screen_stack[0].query_one(ContainerTable).await_row(copy)
            self.app.pop_screen()
        elif self._stage is Stage.RUNNING:
            self.tranship.refuse("It runs already; x asks whether to cancel it.")
        elif self._stage is Stage.PLANNING:
            self.tranship.refuse("The plan is not made yet.")
        elif draft.blocked:
            self.query_one(PlanView).scroll_home(animate=False)
            self.tranship.refuse("The plan has findings that stop it: see at its top what to do about them.")
        else:
            self.app.push_screen(ask.run_question(draft.plans, draft.project), self._begin)

    def _begin(self, confirmed: bool | None) -> None:
        draft = self._draft
        if confirmed and self._stage is Stage.PLANNED:
            run = self.tranship.commands.moves.run
            self._look_on(run(draft.plans, draft.container, draft.targets, self.post_message, project=draft.project))

    def _look_on(self, move: Move) -> None:
        """Look on at a move, wherever it is."""
        self._move, self._draft.plans = move, move.plans
        move.reply = self.post_message
        self.query_one(PlanView).focus()
        self._draw_move()
        self.query_one(PlanView).scroll_home(animate=False)

    def _draw_move(self) -> None:
        """Draw the move as it is now, and say what the keys mean."""
        move = self._move
        if move is not None:
            self._enter(Stage.RUNNING if move.state.under_way else Stage.ENDED)
            self.query_one(PlanView).show_run(move_lines(move, self.tranship.commands.moves.papers(move)))

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

    def _look_again(self) -> None:
        """What another process does is only seen in its journal."""
        if self._move is not None and self._move.state is State.ELSEWHERE:
            self.tranship.commands.moves.look_for_earlier(self.post_message)

    @on(MovesListed)
    def _listed(self) -> None:
        if self._stage is Stage.ENDED:
            self._draw_move()

    def leave(self) -> None:
        """Back; a move that runs goes on."""
        if self.query_one("#name").has_focus:
            self.query_one(PlanView).focus()
            return
        if self._stage is Stage.RUNNING and self._move is not None:
            name = ask.short(self._move.name)
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

        self.app.push_screen(ask.cancel_question(move), cancel)

    # -- after it --------------------------------------------------------------------------------
    def _ask_to_resume(self) -> None:
        """Finish a move that was cut off."""
        move = self._move
        if move is None or self._stage is not Stage.ENDED:
            return
        if move.state is not State.CUT_OFF or not move.resumable:
            self.tranship.refuse(f"The move is {move.state}: there is nothing to finish.")
            return

        def resume(confirmed: bool | None) -> None:
            if confirmed:
                self.tranship.commands.moves.resume(move, self.post_message)
                self._draw_move()

        self.app.push_screen(ask.resume_question(move), resume)

    def _ask_to_settle(self, word: Word) -> None:
        """Accept a finished move, or take it back."""
        move = self._move
        if move is None or self._stage is not Stage.ENDED:
            return
        if not (move.state is State.WAITING or (move.undoable and word is Word.UNDO)):
            self.tranship.refuse(f"The move is {move.state}: nothing waits for your word.")
            return

        def settle(confirmed: bool | None) -> None:
            if confirmed:
                self.tranship.commands.moves.settle(move, word)
                self._draw_move()

        if word is Word.UNDO:
            self.app.push_screen(ask.undo_question(move), settle)
        else:
            self.app.push_screen(ask.accept_question(move, remove_source=word is Word.REMOVE), settle)

    def _compare(self) -> None:
        """Compare the copy with its source once more."""
        move = self._move
        if move is None or self._stage is not Stage.ENDED:
            return
        if not move.comparable:
            self.tranship.refuse(f"The move is {move.state}: there is nothing to compare.")
            return
        self.tranship.commands.moves.settle(move, Word.VERIFY)
        self._draw_move()

    def _copy_report(self) -> None:
        """Copy where the report lies."""
        papers = self.tranship.commands.moves.papers(self._move) if self._move is not None else []
        if self._stage is Stage.ENDED and self._move is not None and self._move.comparable and papers:
            self.app.copy_to_clipboard("\n".join(papers))
            self.notify(f"Copied: {papers[0]}", timeout=3, markup=False)
        else:
            self.tranship.refuse("There is no report: it is written once the move is proved.")
