"""What is risky about a container and its engine, worst first: each with the fact it was read from and its remedy.

Changes nothing: a remedy is copied for the person's own shell or file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.security.finding import (
    ContainerReport,
    EngineReport,
    RootlessChange,
    RootlessReport,
    SecurityFinding,
    Severity,
)
from tui.action import Scope
from tui.actions import bindings
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.security_messages import SecurityJudged
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import Column, LiveTable, Row
from widgets.text import inert, paragraph, wrap

_COLUMNS = (
    Column("severity", "SEVERITY", 10, fixed=True, sortable=False),
    Column("finding", "FINDING", 30, flex=6, fixed=True, sortable=False),
)
_LOOKS = {
    Severity.CRITICAL: ("✕", Tone.BAD),
    Severity.HIGH: ("✕", Tone.BAD),
    Severity.MEDIUM: ("!", Tone.WARN),
    Severity.LOW: ("·", Tone.PLAIN),
    Severity.INFO: (" ", Tone.DIM),
}
_VERDICTS = {"block": ("✕", Tone.BAD), "warn": ("!", Tone.WARN), "note": (" ", Tone.DIM)}
_LOUD = (Severity.CRITICAL, Severity.HIGH)


def counted(findings: Sequence[SecurityFinding]) -> str:
    """ "1 critical · 2 low", "nothing found"."""
    counts = Counter(one.severity for one in findings)
    return " · ".join(f"{counts[one]} {one.value}" for one in Severity if counts[one]) or "nothing found"


def part_rows(
    title: str,
    about: str,
    findings: Sequence[SecurityFinding],
    listed: list[SecurityFinding | RootlessChange],
    least: Severity,
) -> list[Row]:
    """One part: its heading, and a row for each finding that is bad enough. listed: grows by those, in their order."""
    heading = line((inert(title), Tone.HEADING), ("  ", Tone.PLAIN), counted(findings), (f"  {inert(about)}", Tone.DIM))
    rows = [Row(("heading", title, about), (heading,), heading=True)]
    for one in findings:
        if not one.severity.reaches(least):
            continue
        sign, tone = _LOOKS[one.severity]
        loud = Tone.STRONG if one.severity in _LOUD else Tone.DIM if one.severity is Severity.INFO else Tone.PLAIN
        rows.append(Row(len(listed), (line((f"{sign} {one.severity.value}", tone)), line((inert(one.title), loud)))))
        listed.append(one)
    return rows


def risk_lines(one: SecurityFinding, width: int) -> list[Line]:
    """One finding in full: what, why, where it was read, what to do."""
    lines: list[Line] = []
    first, *rest = wrap(inert(one.title), max(8, width)) or [""]
    lines += [line((first, Tone.STRONG)), *(line((part, Tone.STRONG)) for part in rest)]
    lines += paragraph(one.why, Tone.PLAIN, width)
    lines += paragraph(f"read: {one.field} = {one.fact}", Tone.DIM, width)
    lines += [*paragraph(f"→ {one.remedy}", Tone.PLAIN, width)]
    if one.flags:
        lines += paragraph(f"  {one.flags}", Tone.ACCENT, width)
    return lines


def rootless_rows(report: RootlessReport, listed: list[SecurityFinding | RootlessChange]) -> list[Row]:
    """The part about a move to rootless Podman. listed: grows by its changes."""
    if report.already:
        said, about = "it is there already", ""
    else:
        count = len(report.changes)
        said = "1 change" if count == 1 else f"{count} changes" if count else "nothing changes"
        about = f"judged by {report.basis}"
    title = "Moved to rootless Podman" + ("" if report.imagined or report.already else f" ({report.target})")
    heading = line((inert(title), Tone.HEADING), ("  ", Tone.PLAIN), said, (f"  {inert(about)}", Tone.DIM))
    rows = [Row(("heading", title, "rootless"), (heading,), heading=True)]
    for one in report.changes:
        sign, tone = _VERDICTS.get(one.verdict, ("·", Tone.PLAIN))
        rows.append(Row(len(listed), (line((f"{sign} {one.verdict}", tone)), line(inert(one.what)))))
        listed.append(one)
    return rows


def change_lines(one: RootlessChange, width: int) -> list[Line]:
    """One change in full."""
    lines = [line((part, Tone.STRONG)) for part in wrap(inert(one.what), max(8, width)) or [""]]
    lines += paragraph(one.detail, Tone.PLAIN, width) if one.detail else []
    return lines + (paragraph(f"→ {one.remedy}", Tone.PLAIN, width) if one.remedy else [])


class SecurityScreen(SubScreen):
    """Findings of one container and its engine, or of all; the one under the cursor in full."""

    SCOPES: ClassVar = (Scope.SECURITY,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SECURITY)
    AUTO_FOCUS = "#security"

    def __init__(self, container: Container) -> None:
        super().__init__()
        self._container = container
        self._all = False
        self._least = Severity.INFO
        self._judged: SecurityJudged | None = None
        self._listed: list[SecurityFinding | RootlessChange] = []
        self._looked: set[str] = set()
        self._looking = ""

    def compose(self) -> ComposeResult:
        """Title, findings, the one chosen, keys."""
        yield TitleBar("Security")
        yield LiveTable(_COLUMNS, empty="Looking at rights, mounts, ports, secrets and images …", id="security")
        yield LinesPane(id="risk")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self.query_one("#risk", LinesPane).border_title = "In full"
        self._look()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {
            "security.copy": self._copy,
            "security.all": self._turn,
            "security.info": self._turn_info,
            "security.signatures": lambda: self._deeper("signatures"),
            "security.scan": lambda: self._deeper("scan"),
            "security.again": self._look,
        }

    def _look(self) -> None:
        self._looked.clear()
        self._looking = ""
        view = self.tranship.view
        chosen = [self._container]
        if self._all:
            chosen = [
                one
                for one in view.containers.values()
                if not one.infra and view.engines[one.key.engine].offers(Capability.RECIPES)
            ]
            chosen.sort(key=lambda one: (one.key.engine.name, one.name))
        self.query_one(TitleBar).show(f"Security · looking at {len(chosen)} …" if self._all else "Security · looking …")
        self.tranship.commands.security.judge(chosen, self.tranship.clock.now(), self.post_message)

    def _deeper(self, what: str) -> None:
        """Verify or scan what is shown, once for each time that it was looked at."""
        judged = self._judged
        if judged is None or not judged.containers:
            self.tranship.refuse("Nothing was looked at yet." if judged is None else "There is no container.")
        elif what in self._looked:
            self.tranship.refuse("That was done: r looks again from the beginning.")
        elif what == self._looking:
            self.tranship.refuse("That is being done.")
        else:
            self._looking = what
            doing = "asking registries for signatures …" if what == "signatures" else "scanning images …"
            self.query_one(TitleBar).show(f"Security · {doing}")
            signatures = what == "signatures"
            deeper = self.tranship.commands.security.look_deeper
            deeper(judged, self.post_message, signatures=signatures, scan=not signatures)

    @on(SecurityJudged)
    def _told(self, message: SecurityJudged) -> None:
        for error in message.errors[:1]:
            self.tranship.fail(error, asked="Security: ")
        if self._looking and not message.errors:
            self._looked.add(self._looking)
        self._looking = ""
        self._judged = message
        self._draw()

    def _draw(self) -> None:
        judged = self._judged
        if judged is None:
            return
        self._listed = []
        rows: list[Row] = []
        for report in judged.containers:
            about = "; ".join((f"on {report.key.engine}, {_rights(report)}", *report.unread))
            rows += part_rows(report.name, about, report.findings, self._listed, self._least)
        for engine in judged.engines:
            rows += part_rows(f"Engine {engine.engine}", engine.endpoint, engine.findings, self._listed, self._least)
        rows += rootless_rows(judged.rootless, self._listed) if judged.rootless is not None else []
        what = "all containers" if self._all else inert(self._container.name)
        self.query_one(TitleBar).show(f"Security of {what} · {counted(_every(judged.containers, judged.engines))}")
        nothing = [line(("Nothing could be looked at.", Tone.DIM))] if judged.errors else [line(("Gone.", Tone.DIM))]
        self.query_one("#security", LiveTable).show_rows(rows, empty=nothing)
        self._show_chosen()

    @on(LiveTable.RowHighlighted)
    def _show_chosen(self) -> None:
        one, pane = self._chosen(), self.query_one("#risk", LinesPane)
        if isinstance(one, RootlessChange):
            pane.show_built(lambda width: change_lines(one, width))
        else:
            pane.show_built(lambda width: risk_lines(one, width) if one is not None else [BLANK])
        pane.border_subtitle = "y copies the remedy" if one is not None and one.remedy else ""

    def _chosen(self) -> SecurityFinding | RootlessChange | None:
        key = self.query_one("#security", LiveTable).cursor_key
        return self._listed[key] if isinstance(key, int) and key < len(self._listed) else None

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self._copy()

    def _copy(self) -> None:
        one = self._chosen()
        remedy = "" if one is None else one.remedy if isinstance(one, RootlessChange) else one.flags or one.remedy
        if not remedy:
            self.tranship.refuse("No finding is selected." if one is None else "This needs no remedy.")
            return
        self.app.copy_to_clipboard(inert(remedy))
        self.notify(f"Copied: {inert(remedy)}", timeout=4, markup=False)

    def _turn(self) -> None:
        self._all = not self._all
        self._look()

    def _turn_info(self) -> None:
        self._least = Severity.LOW if self._least is Severity.INFO else Severity.INFO
        self._draw()


def _rights(report: ContainerReport) -> str:
    """ "11 of 14 capabilities": of those that its engine gives by itself."""
    if "ALL" in report.capabilities:
        return "all capabilities"
    return f"{len(report.capabilities)} capabilities ({report.key.engine} gives {len(report.own_capabilities)})"


def _every(containers: Sequence[ContainerReport], engines: Sequence[EngineReport]) -> list[SecurityFinding]:
    own = [one for report in containers for one in report.findings]
    return own + [one for report in engines for one in report.findings]
