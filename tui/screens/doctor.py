"""What is well and what is not, as `tranship doctor` tells it: each finding with its reason and the command that mends.

Changes nothing: a command is copied for the person's own shell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.action import Scope
from tui.actions import bindings
from tui.messages import Examined
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import Column, LiveTable, Row
from widgets.text import inert, paragraph, wrap

if TYPE_CHECKING:
    from backends.services.doctor import Diagnosis

_COLUMNS = (
    Column("topic", "TOPIC", 18, flex=1, most=30, fixed=True, sortable=False),
    Column("finding", "FINDING", 30, flex=6, fixed=True, sortable=False),
)
_LOOKS = {"problem": ("✕", Tone.BAD), "note": ("·", Tone.WARN), "ok": ("✓", Tone.OK)}
_HEADINGS = {"problem": "Problems", "note": "Worth knowing", "ok": "Well"}


def doctor_rows(diagnoses: Sequence[Diagnosis], *, amiss: bool) -> list[Row]:
    """Problems first, then what is worth knowing, then what is well. amiss: without the last."""
    rows: list[Row] = []
    for level, (sign, tone) in _LOOKS.items():
        those = [(place, one) for place, one in enumerate(diagnoses) if one.level.value == level]
        if not those or (amiss and level == "ok"):
            continue
        title = line((_HEADINGS[level], Tone.HEADING), (f"  {len(those)}", Tone.DIM))
        rows.append(Row(("heading", level), (title,), heading=True))
        for place, one in those:
            topic = line((f"{sign} ", tone), inert(one.topic))
            rows.append(Row(place, (topic, line((inert(one.sentence), Tone.DIM if level == "ok" else Tone.PLAIN)))))
    return rows


def finding_lines(one: Diagnosis, width: int) -> list[Line]:
    """One finding in full: the sentence, the next step, the command."""
    sign, tone = _LOOKS[one.level.value]
    first, *rest = wrap(inert(one.sentence), max(8, width - 2)) or [""]
    lines = [line((f"{sign} ", tone), (first, Tone.STRONG)), *(line("  ", (part, Tone.STRONG)) for part in rest)]
    if one.hint:
        lines += [BLANK, *paragraph(f"→ {one.hint}", Tone.PLAIN, width)]
    return lines


class DoctorScreen(SubScreen):
    """All findings, and the one under the cursor in full."""

    SCOPES: ClassVar = (Scope.DOCTOR,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DOCTOR)
    AUTO_FOCUS = "#doctor"

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Diagnosis, ...] | None = None  # None: not told yet
        self._amiss = False

    def compose(self) -> ComposeResult:
        """Title, findings, the one chosen, keys."""
        yield TitleBar("Doctor")
        yield LiveTable(_COLUMNS, empty="Looking at engines, GPUs, rights and room …", id="doctor")
        yield LinesPane(id="finding")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self.query_one("#finding", LinesPane).border_title = "In full"
        self.tranship.commands.examine(self.post_message)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {"doctor.copy": self._copy, "doctor.again": self._again, "doctor.amiss": self._turn}

    @on(Examined)
    def _examined(self, message: Examined) -> None:
        self._found = message.diagnoses
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        counts = {level: sum(one.level.value == level for one in self._found) for level in _LOOKS}
        said = f"{counts['problem']} problems · {counts['note']} worth knowing · {counts['ok']} well"
        self.query_one(TitleBar).show(f"Doctor · {said}")
        nothing = [line(("Nothing is amiss.", Tone.OK))]
        self.query_one("#doctor", LiveTable).show_rows(doctor_rows(self._found, amiss=self._amiss), empty=nothing)
        self._show_chosen()

    @on(LiveTable.RowHighlighted)
    def _show_chosen(self) -> None:
        one, pane = self._chosen(), self.query_one("#finding", LinesPane)
        pane.show_built(lambda width: finding_lines(one, width) if one is not None else [])
        pane.border_subtitle = "y copies the command" if one is not None and one.command else ""

    def _chosen(self) -> Diagnosis | None:
        key = self.query_one("#doctor", LiveTable).cursor_key
        return self._found[key] if self._found and isinstance(key, int) and key < len(self._found) else None

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self._copy()

    def _copy(self) -> None:
        one = self._chosen()
        if one is None or not one.command:
            self.tranship.refuse("This finding has no command to copy.")
            return
        self.app.copy_to_clipboard(one.command)
        self.notify(f"Copied: {one.command}", timeout=4, markup=False)

    def _again(self) -> None:
        self.query_one(TitleBar).show("Doctor · looking again …")
        self.tranship.commands.examine(self.post_message)

    def _turn(self) -> None:
        self._amiss = not self._amiss
        self._draw()
