"""A migration: choose where to, read the plan, run it, read what was proved. Nothing is done before the question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static
from textual.worker import Worker

from backends.model.container import Container
from backends.model.events import Phase
from backends.model.ids import EngineId
from backends.model.plan import Plan, StepProgress
from tui.actions import Scope, bindings
from tui.messages import MigrationFinished, MigrationProgressed, PlanFailed, PlanMade
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.move_lines import cancelled_lines, done_lines, failed_lines, run_lines
from widgets.dialogs import ConfirmDialog
from widgets.layer_lines import error_lines
from widgets.line import Tone, line
from widgets.plan_view import PlanView
from widgets.text import inert


class Stage(StrEnum):
    """How far it is."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"


# What the keys mean, where it is not what the registry says; "" = nothing then.
_RUNNING = {"migrate.run": "", "migrate.target": "", "migrate.name": "", "app.back": "cancel"}
_ENDED = {"migrate.run": "back to the fleet", "migrate.target": "", "migrate.name": "", "app.back": ""}


class MigrateScreen(SubScreen):
    """Moves one container. targets: engines that it may go to, at least one."""

    SCOPES: ClassVar = (Scope.MIGRATE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MIGRATE)
    AUTO_FOCUS = "PlanView"

    def __init__(self, container: Container, targets: Sequence[EngineId]) -> None:
        super().__init__()
        self._container = container
        self._targets = tuple(targets)
        self._place = 0
        self._stage = Stage.PLANNING
        self._plan: Plan | None = None
        self._progress: StepProgress | None = None
        self._undoing: list[str] = []
        self._worker: Worker[None] | None = None

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self._stage

    def _enter(self, stage: Stage) -> None:
        """Go on to a stage; the footer says what the keys mean there."""
        self._stage = stage
        one_target = {"migrate.target": ""} if len(self._targets) == 1 else {}
        not_yet = {"migrate.run": ""} if stage is Stage.PLANNING or (self._plan and self._plan.blocked) else {}
        words = {Stage.RUNNING: _RUNNING, Stage.ENDED: _ENDED}.get(stage, one_target | not_yet)
        self.query_one(KeyBar).say(words)

    def compose(self) -> ComposeResult:
        """Title, where to and under which name, the plan, keys."""
        container = self._container
        yield TitleBar(f"Migrate {inert(container.name)} from {container.key.engine}")
        with Horizontal(id="where"):
            yield Static("To", classes="label")
            yield Static(id="target", markup=False)
            yield Static("Name", classes="label")
            yield Input(container.name, id="name", compact=True)
        yield PlanView(id="plan")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Plan for the first target at once."""
        self.show_modes()
        self._ask_for_plan()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Choosing and running."""
        return {
            "migrate.run": self._run,
            "migrate.target": self._next_target,
            "migrate.name": self._edit_name,
        }

    # -- planning --------------------------------------------------------------------------------
    def _ask_for_plan(self) -> None:
        target = self._targets[self._place]
        others = f"  ({self._place + 1} of {len(self._targets)})" if len(self._targets) > 1 else ""
        self.query_one("#target", Static).update(f"{target}{others}")
        self._plan = None
        self._enter(Stage.PLANNING)
        self.query_one(PlanView).show_message(f"Asking {self._container.key.engine} and {target} …")
        name = self.query_one("#name", Input).value.strip()
        wanted = "" if name == self._container.name else name
        self.tranship.commands.plan(self._container.key, target, wanted, self.post_message)

    @on(PlanMade)
    def _planned(self, message: PlanMade) -> None:
        if self._stage is Stage.PLANNING and message.plan.target == self._targets[self._place]:
            self._plan = message.plan
            self._enter(Stage.PLANNED)
            self.query_one(PlanView).show_plan(message.plan)

    @on(PlanFailed)
    def _not_planned(self, message: PlanFailed) -> None:
        if self._stage is Stage.PLANNING:
            self.query_one(PlanView).show_built(lambda width: error_lines(message.error, width))

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

    def _choosing(self) -> bool:
        return self._stage in {Stage.PLANNING, Stage.PLANNED}

    # -- running ---------------------------------------------------------------------------------
    def _run(self) -> None:
        plan = self._plan
        if self._stage is Stage.ENDED:
            self.app.pop_screen()
        elif self._stage is Stage.RUNNING:
            self.tranship.refuse("It runs already; Esc asks whether to cancel it.")
        elif plan is None:
            self.tranship.refuse("The plan is not made yet.")
        elif plan.blocked:
            self.tranship.refuse("The plan has findings that stop it: see above what to do about them.")
        else:
            self.app.push_screen(_question(plan), self._begin)

    def _begin(self, confirmed: bool | None) -> None:
        if not confirmed or self._plan is None or self._stage is not Stage.PLANNED:
            return
        self._enter(Stage.RUNNING)
        self.query_one("#name", Input).disabled = True
        self._draw_run()
        self._worker = self.tranship.commands.migrate(self._plan, self.post_message)

    def _draw_run(self) -> None:
        plan, progress, undoing = self._plan, self._progress, tuple(self._undoing)
        if plan is not None:
            self.query_one(PlanView).show_built(lambda width: run_lines(plan, progress, undoing, width))

    @on(MigrationProgressed)
    def _progressed(self, message: MigrationProgressed) -> None:
        progress = message.progress
        if progress.undoing:
            self._undoing.append(progress.note or progress.step.title)
        elif progress.phase is not Phase.FAILED:
            self._progress = progress
        if self._stage is Stage.RUNNING:
            self._draw_run()

    @on(MigrationFinished)
    def _finished(self, message: MigrationFinished) -> None:
        self._enter(Stage.ENDED)
        view, plan, report, error, progress = (
            self.query_one(PlanView),
            self._plan,
            message.report,
            message.error,
            self._progress,
        )
        if report is not None:
            view.show_built(lambda width: done_lines(report, width))
        elif error is not None and plan is not None:
            view.show_built(lambda width: failed_lines(plan, progress, error, width))
        else:
            undone = tuple(self._undoing)
            view.show_built(lambda width: cancelled_lines(undone, width))
        view.scroll_home(animate=False)
        view.focus()

    def leave(self) -> None:
        """Back; while it runs, ask first."""
        if self._stage is not Stage.RUNNING:
            if self.query_one("#name").has_focus:
                self.query_one(PlanView).focus()
            else:
                super().leave()
            return
        target = self._targets[self._place]
        question = ConfirmDialog(
            f"Cancel the migration of {self._container.name}?",
            [line(f"What was made on {target} is removed, and {self._container.name} runs as before.")],
            yes="Cancel it",
            no="Go on",
        )
        self.app.push_screen(question, self._cancel)

    def _cancel(self, confirmed: bool | None) -> None:
        if confirmed and self._worker is not None and self._stage is Stage.RUNNING:
            self._worker.cancel()


def _question(plan: Plan) -> ConfirmDialog:
    lost = sum(field.verdict.value == "dropped" for field in plan.fields)
    lines = [line(f"{inert(plan.source_name)} on {plan.source.engine} is stopped when its data is copied, and kept.")]
    if lost:
        said = "1 setting is" if lost == 1 else f"{lost} settings are"
        lines.append(line((f"{said} not carried: see the plan.", Tone.WARN)))
    return ConfirmDialog(
        f"Migrate {plan.source_name} to {plan.target} as {plan.spec.name}?", lines, yes="Migrate", no="No"
    )
