"""Containers as files for another program, as `tranship export` writes them: chosen, read, copied, written, installed.

What the files are is made elsewhere; here they are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.plan import Finding, Severity
from tui.action import Scope
from tui.actions import bindings
from tui.export_messages import ApplyChecked, ExportApplied, ExportMade, ExportWritten, ImagesPushed
from tui.screens.base import SubScreen
from tui.screens.export_cluster import ClusterExport
from tui.screens.frame import KeyBar, TitleBar
from widgets.dialogs import ConfirmDialog
from widgets.layer_lines import error_lines
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.section_bar import SectionBar
from widgets.text import inert, paragraph, wrap

if TYPE_CHECKING:
    from backends.export.exported import Exported

TARGETS = ("run", "quadlet", "compose", "kubernetes")
TITLES = ("Run line", "Quadlet", "Compose", "Kubernetes")
_ONLY = {"export.install": "quadlet", "export.external": "compose", "export.apply": "kubernetes"}
"""Actions that are shown in the line of keys for one format only."""
_LOOKS = {Severity.BLOCK: ("✕", Tone.BAD), Severity.WARN: ("!", Tone.WARN), Severity.NOTE: ("·", Tone.DIM)}


def text_lines(made: Exported, width: int) -> list[Line]:
    """The files one after the other, long lines wrapped; comments are quiet."""
    lines: list[Line] = []
    for file in made.files:
        if lines:
            lines.append(BLANK)
        private = "  for your eyes only" if file.private else ""
        lines.append(line((f"── {inert(file.name)} ", Tone.HEADING), (private, Tone.WARN)))
        for raw in file.shown.splitlines():
            quiet = raw.lstrip().startswith("#")
            strong = raw.startswith("[") and raw.endswith("]")
            tone = Tone.DIM if quiet else Tone.ACCENT if strong else Tone.PLAIN
            parts = _folded(inert(raw), width)
            lines += [line((part, tone)) for part in parts]
    return lines


def _folded(text: str, width: int) -> list[str]:
    """A line in pieces that fit, its own spaces at the front kept."""
    if len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip(" "))][: width // 2]
    rest = wrap(text.strip(" "), max(8, width - len(indent) - 2))
    return [f"{indent}{part}" if at == 0 else f"{indent}  {part}" for at, part in enumerate(rest)]


def finding_lines(findings: Sequence[Finding], width: int) -> list[Line]:
    """What the format cannot say, and what to do first; the heavier first."""
    if not findings:
        return [line(("Nothing is lost in this format.", Tone.OK))]
    lines: list[Line] = []
    for one in sorted(findings, key=lambda one: list(_LOOKS).index(one.severity)):
        sign, tone = _LOOKS[one.severity]
        rest = " ".join(word for word in (one.detail, one.remedy) if word)
        for at, part in enumerate(wrap(inert(f"{one.title}." + (f" {rest}" if rest else "")), max(8, width - 2))):
            lines.append(line((f"{sign} " if at == 0 else "  ", tone), (part, Tone.PLAIN)))
    return lines


class ExportScreen(SubScreen):
    """One container, or all of its project, in each format."""

    SCOPES: ClassVar = (Scope.EXPORT,)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.EXPORT),
        *(
            Binding(str(place + 1), f"target({place})", title, show=False, id=f"export.target-{place + 1}")
            for place, title in enumerate(TITLES)
        ),
    ]
    AUTO_FOCUS = "#export"

    def __init__(self, containers: Sequence[Container]) -> None:
        super().__init__()
        self._marked = tuple(containers)
        self._together = self._external = False
        self._place = 0
        self._made: Exported | None = None
        self._cluster = ClusterExport(self)

    def compose(self) -> ComposeResult:
        """Title, formats, the files, what they cannot say, keys."""
        yield TitleBar("Export")
        yield SectionBar(TITLES)
        yield LinesPane(id="export")
        yield LinesPane(id="lost")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to read."""
        self.show_modes()
        self._make()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {
            "export.next": lambda: self.action_target((self._place + 1) % len(TARGETS)),
            "export.copy": self._copy,
            "export.write": self._write,
            "export.install": self._install,
            "export.project": self._turn,
            "export.push": self._cluster.push,
            "export.apply": self._cluster.apply,
            "export.external": self._turn_external,
            "export.again": self._make,
        }

    def action_target(self, place: int) -> None:
        """Show another format."""
        self._place = place
        self.query_one(SectionBar).show(place)
        self._make()

    @on(SectionBar.Chosen)
    def _chosen(self, message: SectionBar.Chosen) -> None:
        self.action_target(message.place)

    # -- reading and showing ---------------------------------------------------------------------
    @property
    def target(self) -> str:
        """Of TARGETS."""
        return TARGETS[self._place]

    def containers(self) -> list[Container]:
        """Those that were marked, or with them all of their projects and pods."""
        if not self._together:
            return list(self._marked)
        groups = {(one.key.engine, one.project or one.pod) for one in self._marked if one.project or one.pod}
        rows = self.tranship.view.containers.values()
        members = [one for one in rows if not one.infra and (one.key.engine, one.project or one.pod) in groups]
        return list({one.key: one for one in (*self._marked, *members)}.values())

    def _make(self) -> None:
        containers = self.containers()
        first = containers[0]
        who = f"{first.name} on {first.key.engine}" if len(containers) == 1 else f"{len(containers)} containers"
        self.query_one(TitleBar).show(f"Export · {inert(who)}")
        self._made = None
        self._say([line(("Reading what it is made of …", Tone.DIM))])
        target = TARGETS[self._place]
        self.query_one(KeyBar).say({id: "" for id, of in _ONLY.items() if of != target})
        send = self.tranship.commands.exports.make
        send(containers, target, self.post_message, self._cluster.pushed, external=self._external)

    def _say(self, lines: Sequence[Line]) -> None:
        self.query_one("#export", LinesPane).show_lines(lines)
        self.query_one("#lost", LinesPane).show_lines([])

    @on(ExportMade)
    def _export_made(self, message: ExportMade) -> None:
        if message.target != TARGETS[self._place]:
            return
        made = self._made = message.made
        self._cluster.images = message.images
        if made is None:
            self._fail(message.error)
            return
        pane, lost = self.query_one("#export", LinesPane), self.query_one("#lost", LinesPane)
        pane.show_built(lambda width: text_lines(made, width))
        pane.scroll_home(animate=False)
        lost.show_built(lambda width: finding_lines(made.findings, width))
        lost.border_title = "Lost, and worth knowing"
        lost.border_subtitle = Content(inert(made.commands[0]) if made.commands else "")

    def _fail(self, error: BackendError | None) -> None:
        self.query_one("#export", LinesPane).show_built(
            lambda width: error_lines(error, width) if error is not None else paragraph("", Tone.PLAIN, width)
        )

    # -- what is done with the files ---------------------------------------------------------------
    def ready(self) -> Exported | None:
        """What was made; says so where there is nothing yet."""
        if self._made is None:
            self.tranship.refuse("There is nothing to export yet.")
        return self._made

    def _copy(self) -> None:
        made = self.ready()
        if made is None:
            return
        shown = [file for file in made.files if not file.private]
        if not shown:
            self.tranship.refuse("All of it holds secrets: write it instead.")
            return
        self.app.copy_to_clipboard("\n".join(file.text for file in shown))
        self.notify(f"Copied: {', '.join(file.name for file in shown)}", timeout=4, markup=False)

    def _write(self) -> None:
        from tui.screens.path_question import PathDialog

        made = self.ready()
        if made is None:
            return

        def write(folder: str | None) -> None:
            if folder:
                self.tranship.commands.exports.write(made, Path(os.path.expanduser(folder)), self.post_message)

        names = ", ".join(file.name for file in made.files)
        title = f"Write {len(made.files)} {'file' if len(made.files) == 1 else 'files'} into"
        self.app.push_screen(PathDialog(title, value="./", note=f"{names} Tab completes."), write)

    def _install(self) -> None:
        from backends.services.export_files import quadlet_folder

        made = self.ready()
        if made is None:
            return
        if TARGETS[self._place] != "quadlet":
            self.tranship.refuse("Only Quadlet units are installed: press 2 first.")
            return
        folder = quadlet_folder(system=False)

        def install(yes: bool | None) -> None:
            if yes:
                self.tranship.commands.exports.write(made, folder, self.post_message, install=self.containers())

        body = [line(inert(file.name)) for file in made.files]
        body += [BLANK, line((f"into {folder}", Tone.DIM)), line(("then: systemctl --user daemon-reload", Tone.DIM))]
        self.app.push_screen(ConfirmDialog("Install these units for your user?", body, yes="Install"), install)

    @on(ExportWritten)
    def _export_written(self, message: ExportWritten) -> None:
        if message.error is not None:
            self.tranship.refuse(str(message.error))
            return
        where = message.paths[0].parent if message.paths else ""
        said = f"{len(message.paths)} written into {where}"
        self.notify("\n".join([said, *(f"next: {one}" for one in message.commands)]), timeout=12, markup=False)

    @on(ImagesPushed)
    def _images_pushed(self, message: ImagesPushed) -> None:
        self._cluster.take_pushed(message)
        self._make()

    @on(ApplyChecked)
    def _apply_checked(self, message: ApplyChecked) -> None:
        self._cluster.ask(message)

    @on(ExportApplied)
    def _export_applied(self, message: ExportApplied) -> None:
        self._cluster.tell(message)

    def _turn_external(self) -> None:
        if TARGETS[self._place] != "compose":
            self.tranship.refuse("Only Compose tells volumes that are there from those that it makes.")
            return
        self._external = not self._external
        self._make()

    def _turn(self) -> None:
        if not any(one.project or one.pod for one in self._marked):
            self.tranship.refuse("It is in no Compose project and in no pod.")
            return
        self._together = not self._together
        self._make()


__all__ = ["ExportScreen", "finding_lines", "text_lines"]
