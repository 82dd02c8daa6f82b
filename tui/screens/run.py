"""The form of a new container: typed, judged while it is typed, shown as the engine's own line, run. Asks no engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Select, Static

from backends.draft.draft import Draft, draft_from, draft_of
from backends.draft.fields import FIELDS
from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.wish import NONE, GpuWish, read_wish, wish_text
from backends.model.workload import WorkloadSpec
from backends.presets.preset import Preset
from backends.services.launch import Judged, proposed
from backends.services.recreate import Before, unchanged
from tui.action import Scope
from tui.actions import bindings
from tui.around import around_of
from tui.messages import BaseRead, DraftJudged, LaunchEnded, NamesKnown
from tui.run_commands import Asked
from tui.screens.form_screen import FormScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.move_questions import short
from tui.screens.run_completion import Names, Paths, short_names
from tui.screens.run_notes import first_wrong, notes_of, shown_line, summary
from tui.screens.run_presets import preset_picker
from tui.screens.run_questions import change_question
from widgets.container_table import ContainerTable
from widgets.dialogs import ConfirmDialog, content_of
from widgets.form import FormField

_WORDS = {
    "ipc": ("private", "host", "shareable", "none", "container:"),
    "restart": ("no", "on-failure:3", "always", "unless-stopped"),
    "gpus": ("all", "none", "device=0"),
    "ulimits": ("memlock=-1", "stack=67108864", "nofile=65536", "nproc="),
    "health": ("none", "curl -fsS http://localhost:"),
}


class RunScreen(FormScreen):
    """engine: where it is to run at first. It begins with a preset, with another container (source), or empty.

    change: the source itself is to be made again, with what is typed here.
    """

    SCOPES: ClassVar = (Scope.RUN,)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.RUN),
        # While a person types, the key that goes back everywhere would be a letter too (q): Escape alone then.
        Binding("escape", "leave_form", "Back", show=False, id="run.leave", priority=True),
        # In a burst of keys the text behind a Tab is for the next field: it is done before they are looked at.
        Binding("tab", "go(1)", "Next field", show=False, id="run.next", priority=True),
        Binding("shift+tab", "go(-1)", "Field before", show=False, id="run.before", priority=True),
    ]
    AUTO_FOCUS = "#field-image Input"

    def __init__(
        self,
        engine: EngineId,
        preset: Preset | None = None,
        *,
        source: Container | None = None,
        change: bool = False,
    ) -> None:
        super().__init__()
        self._engine = engine
        self._preset = preset
        self._source = source
        self._change = change
        self._base: WorkloadSpec | None = None
        self._before: Before | None = None
        self._judged: Judged | None = None
        self._begun: Draft | None = None
        self._launching = False
        self._names = {field.id: Names(_WORDS.get(field.id, ())) for field in FIELDS}
        self._names["mounts"] = Paths()

    def compose(self) -> ComposeResult:
        """Title, where, the form, the engine's line, keys."""
        yield TitleBar(self._about())
        with Horizontal(id="run-where"):
            yield Static("Engine", classes="form-label")
            engines = [(str(one), one) for one in self._engines(self.tranship.view)]
            yield Select(
                engines, value=self._engine, allow_blank=False, compact=True, id="run-engine", disabled=self._change
            )
            yield Static("", id="run-state", markup=False)
        with VerticalScroll(id="run-form", can_focus=False):
            for section, fields in groupby(FIELDS, key=lambda field: field.section):
                yield Static(section, classes="form-section", markup=False)
                for field in fields:
                    suggester = self._names[field.id]
                    yield FormField(field.id, field.title, field.form, many=field.many, suggester=suggester)
        with Vertical(id="run-line") as below, VerticalScroll(can_focus=False):
            yield Static("", id="run-command")
        below.border_title = "As a command"
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    async def on_mount(self) -> None:
        """Names to complete; the draft that it begins with."""
        self.show_modes()
        if self._change:
            self.query_one(KeyBar).say({"run.start": "make again"})
        self.tranship.commands.run.names(self.post_message)
        if self._source is None:
            await self._fill(self._preset.draft if self._preset is not None else Draft())
        else:
            self.query_one("#run-state", Static).update(content_of(f"Reading {short(self._source.name)} …"))
            self.tranship.commands.run.read(self._source, self.post_message, change=self._change)

    def _about(self) -> str:
        """What the form is for."""
        if self._source is None:
            return "Run a new container"
        name = short(self._source.name)
        return f"Change {name} on {self._engine}" if self._change else f"Run one like {name}"

    @on(BaseRead)
    async def _begin(self, message: BaseRead) -> None:
        """The source's recipe is known, or cannot be: then there is nothing to do here."""
        if message.base is None:
            if message.error is not None:
                self.tranship.fail(message.error)
            super().leave()
            return
        self._base, self._before = message.base, message.before
        await self._fill(draft_from(message.base))

    @staticmethod
    def _engines(view: FleetView) -> list[EngineId]:
        return view.offering(Capability.RECIPES)

    async def _fill(self, draft: Draft) -> None:
        """Put a draft into the fields, with a name and ports that are free."""
        title = self._source.name if self._source else self._preset.name if self._preset else ""
        new = bool(draft.texts) and not self._change
        whole = proposed(self.tranship.view, self._engine, draft, Draft(), title) if new else draft
        for field in self.query(FormField):
            await field.show(whole.all(field.field))
        self._begun = self.draft
        self._ask()

    @property
    def draft(self) -> Draft:
        """What is typed now."""
        return draft_of(**{field.field: field.texts for field in self.query(FormField)})

    @property
    def judged(self) -> Judged | None:
        """What was found of it last."""
        return self._judged

    # -- judging ---------------------------------------------------------------------------------
    def _asked(self) -> Asked:
        around = around_of(self.tranship.view.engines.get(self._engine))
        replaced = self._source.key if self._source is not None and self._change else None
        training = self._preset is not None and self._preset.training
        view = lambda: self.tranship.view  # noqa: E731 - the newest, whenever it is asked for
        return Asked(view, self._engine, self.draft, around, self._base, replaced, training=training)

    def _ask(self) -> None:
        self.tranship.commands.run.judge(self._asked(), self.post_message)

    @on(FormField.Changed)
    def _typed(self) -> None:
        self._ask()

    @on(Select.Changed, "#run-engine")
    def _other_engine(self, event: Select.Changed) -> None:
        if isinstance(event.value, EngineId) and event.value != self._engine:
            self._engine = event.value
            known = self.tranship.view.engines.get(self._engine)
            paths = self._names["mounts"]
            if isinstance(paths, Paths):
                paths.local = known is not None and known.info is not None and known.info.local
            self._ask()

    @on(DraftJudged)
    def _show(self, message: DraftJudged) -> None:
        """Say what was found, beside each field; the line of the engine below."""
        judged = self._judged = message.judged
        notes = notes_of(judged, judged.draft, self._preset)
        for field in self.query(FormField):
            field.say(notes.get(field.field, {}))
        self.query_one("#run-state", Static).update(content_of([summary(judged, change=self._change)]))
        self.query_one("#run-command", Static).update(content_of(shown_line(judged)))

    @on(NamesKnown)
    def _complete(self, message: NamesKnown) -> None:
        self._names["image"].give(short_names(message.images))
        self._names["mounts"].give(f"{name}:/" for name in message.volumes)
        self._names["network"].give(("bridge", "host", "none", *message.networks))

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Running, GPUs, presets, the line."""
        return {
            "run.start": self._start,
            "run.gpus": self._choose_gpus,
            "run.preset": self._choose_preset,
            "run.copy": self._copy,
        }

    def action_go(self, step: int) -> None:
        """To another field; who leaves the image has a name that is free, marked, so that typing takes its place."""
        if self.focused is not None and self.query_one("#field-image") in self.focused.ancestors:
            self._propose_name()
        super().action_go(step)

    def _propose_name(self) -> None:
        draft, texts = self.draft, self.query_one("#field-name Input", Input)
        if draft.one("image") and not texts.value and not self._change:
            texts.value = proposed(self.tranship.view, self._engine, draft, draft, "").one("name")

    def _start(self) -> None:
        if self._launching:
            return
        self._propose_name()
        judged = self._judged
        if judged is not None and judged.draft == self.draft and judged.blocked:
            self._point(judged)
        elif self._before is None:
            self._go(True)
        elif judged is not None and judged.draft == self.draft and unchanged(self._before, judged.spec):
            self.tranship.refuse(f"{short(self._before.container.name)} is so already; change something first.")
        else:
            self.app.push_screen(change_question(self._before), self._go)

    def _go(self, confirmed: bool | None) -> None:
        """Check, create and start; the fields wait."""
        if confirmed:
            self._launching = True
            self.query_one("#run-state", Static).update(content_of(f"Creating it on {self._engine} …"))
            self.tranship.commands.run.launch(self._asked(), self.post_message, self._before)

    def _point(self, judged: Judged) -> None:
        """Go to the first field that keeps it from running."""
        place = first_wrong(judged)
        if place is not None:
            self.query_one(f"#field-{place[0].replace('_', '-')}", FormField).focus_text(place[1])

    @on(LaunchEnded)
    def _ended(self, message: LaunchEnded) -> None:
        self._launching = False
        if message.error is not None:
            self.tranship.fail(message.error)
        if message.key is not None:
            self.app.screen_stack[0].query_one(ContainerTable).await_row(message.key)
            super().leave()
        elif self._judged is not None:
            self.query_one("#run-state", Static).update(content_of([summary(self._judged, change=self._change)]))
            self._point(self._judged)

    def _choose_gpus(self) -> None:
        from tui.screens.gpu_choice import gpu_picker

        field = self.query_one("#field-gpus", FormField)

        async def take(wish: GpuWish | None) -> None:
            if wish is not None:
                await field.show([wish_text(wish)])
                field.focus_text()

        try:
            now = read_wish(field.texts[0]) if field.texts else NONE
        except ValueError:
            now = NONE
        name = self.draft.one("name") or "the new container"
        self.app.push_screen(gpu_picker(self.tranship.view, self._engine, name, now, None), take)

    def _choose_preset(self) -> None:
        if self._change:
            self.tranship.refuse("A container that is changed keeps its own settings; run a new one from a preset.")
            return

        async def take(chosen: Preset | None) -> None:
            if chosen is not None:
                self._preset, self._source, self._base = chosen, None, None
                self.query_one(TitleBar).show(self._about())
                await self._fill(chosen.draft)

        preset_picker(self.app, take)

    def _copy(self) -> None:
        if self._judged is None:
            self.tranship.refuse("There is no line yet.")
            return
        self.app.copy_to_clipboard(self._judged.command.text)
        self.notify(f"Copied the line of {self._judged.command.program[0]} run.", timeout=3, markup=False)

    # -- leaving ---------------------------------------------------------------------------------
    def action_leave_form(self) -> None:
        """From a field too: Escape goes back."""
        self.leave()

    def leave(self) -> None:
        """Back to the fleet; what was typed is not lost without a question."""
        select = self.query_one(Select)
        if select.expanded:
            select.expanded = False
        elif self._launching:
            self.tranship.refuse("It is being created; that takes a moment.")
        elif self._begun is None or self.draft == self._begun:
            super().leave()
        else:
            question = ConfirmDialog("Leave the form?", "What you typed is lost.", yes="Leave", no="Stay")
            self.app.push_screen(question, self._left)

    def _left(self, confirmed: bool | None) -> None:
        if confirmed:
            super().leave()


__all__ = ["RunScreen"]
