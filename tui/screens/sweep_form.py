"""The form of a sweep: an image, what is swept, how many at a time; judged while it is typed. Runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Select, Static

from backends.draft.fields import BY_ID as DRAFT_FIELDS
from backends.model.ids import EngineId
from tui.action import Scope
from tui.actions import bindings
from tui.around import around_of
from tui.messages import NamesKnown
from tui.screens.form_screen import FormScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.run_completion import Names, Paths, short_names
from tui.screens.run_notes import finding_lines, first_wrong, notes_of
from tui.sweep_commands import OF_RECIPE, SweepJudged, SweepTexts
from widgets.dialogs import content_of
from widgets.form import FormField
from widgets.line import Line, Tone, line
from widgets.text import inert

_SWEPT = {
    "command": ("Command", "python train.py --lr {lr} --seed {seed}", False),
    "grid": ("Grid", "lr=0.1,0.01 or seed=1..10 or n=0..100..25", True),
    "commands": ("or a file", "of commands, one on each line", False),
    "jobs": ("At a time", "1", False),
    "gpus_each": ("GPUs each", "0: each run has so many for itself", False),
    "retries": ("Retries", "0: of a run that fails", False),
    "out": ("Results", "sweep.jsonl; what is done in it is not run again", False),
}
_SECTIONS = {
    "What": ("image", "command", "grid", "commands"),
    "How": ("jobs", "gpus_each", "retries", "out"),
    "Each run": ("mounts", "env", "memory", "shm_size"),
}


def _place(field: str) -> str:
    return f"#field-{field.replace('_', '-')}"


class SweepForm(FormScreen):
    """engine: where at first. texts: what it begins with. What was typed and left goes before both."""

    SCOPES: ClassVar = (Scope.SWEEP_FORM,)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.SWEEP_FORM),
        # As in the form of a container: no letter goes back, and what follows a Tab in a burst is for the next field.
        Binding("escape", "leave_form", "Back", show=False, id="sweep.leave", priority=True),
        Binding("tab", "go(1)", "Next field", show=False, id="sweep.next-field", priority=True),
        Binding("shift+tab", "go(-1)", "Field before", show=False, id="sweep.field-before", priority=True),
    ]
    AUTO_FOCUS = "#field-image Input"

    def __init__(self, engine: EngineId, texts: Mapping[str, tuple[str, ...]] | None = None) -> None:
        super().__init__()
        self._engine = engine
        self._begun_with = texts or {}
        self._judged: SweepJudged | None = None
        self._beginning = False
        self._names = {"image": Names(), "mounts": Paths(), "commands": Paths(), "out": Paths()}

    def compose(self) -> ComposeResult:
        """Title, where, the fields, keys."""
        typed = self.tranship.commands.sweeps.typed
        if typed is not None:
            self._engine, self._begun_with = typed.engine, typed.texts
        yield TitleBar("A sweep: one image over many commands")
        with Horizontal(id="run-where"):
            yield Static("Engine", classes="form-label")
            there = sorted(one.id for one in self.tranship.view.engines.values() if not one.stale)
            engines = [(str(one), one) for one in dict.fromkeys((*there, self._engine))]
            yield Select(engines, value=self._engine, allow_blank=False, compact=True, id="run-engine")
            yield Static("", id="run-state", markup=False)
        with VerticalScroll(id="run-form", can_focus=False):
            for section, fields in _SECTIONS.items():
                yield Static(section, classes="form-section", markup=False)
                for name in fields:
                    yield self._field(name)
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def _field(self, name: str) -> FormField:
        if name in OF_RECIPE:
            known = DRAFT_FIELDS[name]
            title, form, many = known.title, known.form, known.many
        else:
            title, form, many = _SWEPT[name]
        return FormField(name, title, form, many=many, suggester=self._names.get(name))

    async def on_mount(self) -> None:
        """Names to complete; what it begins with."""
        self.show_modes()
        self.tranship.commands.run.names(self.post_message)
        for field in self.query(FormField):
            await field.show(self._begun_with.get(field.field, ()))
        self._ask()

    # -- judging ---------------------------------------------------------------------------------
    @property
    def texts(self) -> SweepTexts:
        """What is typed now."""
        typed = {field.field: field.texts for field in self.query(FormField)}
        around = around_of(self.tranship.view.engines.get(self._engine))
        return SweepTexts(self._engine, typed, lambda: self.tranship.view, around)

    def _ask(self) -> None:
        self.tranship.commands.sweeps.judge(self.texts, self.post_message)

    @on(FormField.Changed)
    def _typed(self) -> None:
        self._ask()

    @on(Select.Changed, "#run-engine")
    def _other_engine(self, event: Select.Changed) -> None:
        if isinstance(event.value, EngineId) and event.value != self._engine:
            self._engine = event.value
            self._ask()

    @on(NamesKnown)
    def _complete(self, message: NamesKnown) -> None:
        self._names["image"].give(short_names(message.images))
        self._names["mounts"].give(f"{name}:/" for name in message.volumes)

    @on(SweepJudged)
    def _show(self, message: SweepJudged) -> None:
        """Say what was found, beside each field; or show the sweep that was begun."""
        asked_for, self._beginning = self._beginning, False
        if message.begun is not None:
            self.tranship.commands.sweeps.typed = None
            self._to_the_sweep()
            return
        if message.error is not None:
            self.tranship.fail(message.error)
            self._state(line((inert(message.error.title), Tone.BAD)))
            return
        self._judged = message
        notes = self._notes(message)
        for field in self.query(FormField):
            field.say(notes.get(field.field, {}))
        self._state(self._summary(message))
        if asked_for:
            self._point(message)

    def _notes(self, judged: SweepJudged) -> dict[str, dict[int, list[Line]]]:
        assert judged.asked is not None
        assert judged.recipe is not None
        found = {name: dict(places) for name, places in notes_of(judged.recipe, judged.recipe.draft, None).items()}
        for name, said in judged.asked.said.items():
            found.setdefault(name, {})[0] = [line((inert(said), Tone.DIM))]
        for (name, place), said in judged.asked.wrong.items():
            found.setdefault(name, {})[place] = [line(("✕ ", Tone.BAD), inert(said))]
        return found

    def _summary(self, judged: SweepJudged) -> Line:
        assert judged.asked is not None
        wrong = len(judged.asked.wrong)
        if judged.blocked:
            for one in judged.recipe.remarks if judged.recipe is not None and not wrong else ():
                if not one.field and one.finding.severity.value == "block":
                    return finding_lines(one.finding)[0]
            return line(("✕ not yet", Tone.BAD), ("  Ctrl+S goes there", Tone.DIM))
        left = len(judged.asked.left)
        return line((f"✓ {left} {'run' if left == 1 else 'runs'} to do", Tone.OK), ("  Ctrl+S begins", Tone.DIM))

    def _state(self, said: Line) -> None:
        self.query_one("#run-state", Static).update(content_of([said]))

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Beginning it."""
        return {"sweep.start": self._start}

    def _start(self) -> None:
        if not self._beginning:
            self._beginning = True
            self._state(line(("Looking at it …", Tone.DIM)))
            self.tranship.commands.sweeps.begin(self.texts, self.post_message)

    def _point(self, judged: SweepJudged) -> None:
        """Go to the first field that keeps it from beginning."""
        assert judged.asked is not None
        place = next(iter(judged.asked.wrong), None)
        if place is None and judged.recipe is not None:
            place = first_wrong(judged.recipe)
        if place is not None and self.query(_place(place[0])):
            self.query_one(_place(place[0]), FormField).focus_text(place[1])

    def _to_the_sweep(self) -> None:
        from tui.screens.sweep import SweepScreen

        below = self.app.screen_stack[-2]
        if isinstance(below, SweepScreen):
            self.app.pop_screen()
            below.newest()
        else:
            self.app.switch_screen(SweepScreen())

    def action_leave_form(self) -> None:
        """From a field too: Escape goes back."""
        select = self.query_one(Select)
        if select.expanded:
            select.expanded = False
        else:
            self.leave()

    def leave(self) -> None:
        """Back; what is typed is there again when the form is."""
        self.tranship.commands.sweeps.typed = self.texts
        super().leave()


__all__ = ["SweepForm"]
