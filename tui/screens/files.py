"""The files of a container or a volume, folder by folder; copied out and in when asked. Reads none by itself."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.files import FileEntry, FileKind, Folder
from backends.model.stores import StoreKey
from tui.action import Scope
from tui.actions import bindings
from tui.file_commands import FileCommands
from tui.here import here
from tui.messages import FilesCopied, FilesProgressed, FolderRead
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.workers import Reply
from widgets.charts import bar
from widgets.file_rows import ABOVE, FILE_COLUMNS, file_rows, let_through
from widgets.filter_line import FilterLine
from widgets.fitted_table import FittedTable
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.text import cut_middle, inert, width_of

if TYPE_CHECKING:
    from tui.screens.path_question import PathDialog

_BAR_CELLS = 20


class ContainerFiles:
    """The files of a container."""

    def __init__(self, row: Container) -> None:
        self.container: Container | None = row
        self._row = row

    @property
    def title(self) -> str:
        """Whose files they are."""
        return f"{self._row.name} on {self._row.key.engine}"

    def read(self, commands: FileCommands, path: str, reply: Reply) -> Worker[None]:
        """Ask for a folder."""
        return commands.read(self._row, path, reply)

    def copy_out(
        self, commands: FileCommands, path: str, target: Path, reply: Reply, size_bytes: int | None
    ) -> Worker[None]:
        """Copy one of them to this machine."""
        return commands.copy_out(self._row, path, target, reply, size_bytes)


class VolumeFiles:
    """The files of a volume; they are copied out, but none is copied in."""

    def __init__(self, key: StoreKey) -> None:
        self.container: Container | None = None
        self._key = key

    @property
    def title(self) -> str:
        """Whose files they are."""
        return f"volume {self._key.name} on {self._key.engine}"

    def read(self, commands: FileCommands, path: str, reply: Reply) -> Worker[None]:
        """Ask for a folder."""
        return commands.read_volume(self._key, path, reply)

    def copy_out(
        self, commands: FileCommands, path: str, target: Path, reply: Reply, size_bytes: int | None
    ) -> Worker[None]:
        """Copy one of them to this machine."""
        return commands.copy_out_of_volume(self._key, path, target, reply, size_bytes)


class FilesScreen(SubScreen):
    """One folder at a time."""

    SCOPES: ClassVar = (Scope.FILES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.FILES)
    AUTO_FOCUS = "#files"

    def __init__(self, place: ContainerFiles | VolumeFiles) -> None:
        super().__init__()
        self._place = place
        self._folder: Folder | None = None
        self._error: BackendError | None = None
        self._wanted = "/"
        self._come_from = ""
        self._filter = ""
        self._progress = ""
        self._reader: Worker[None] | None = None
        self._copier: Worker[None] | None = None
        self._half = ""  # where a copy that is called off leaves what has come so far

    def compose(self) -> ComposeResult:
        """Title, filter, files, keys."""
        yield TitleBar("Files")
        yield FilterLine("words in a name", take=self._take_filter, back="#files")
        yield FittedTable(FILE_COLUMNS, empty="Reading …", id="files")
        yield LinesPane(id="copy-line")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin at the top."""
        self.query_one("#copy-line").can_focus = False
        self.show_modes()
        self._go("/")

    def on_unmount(self) -> None:
        """Left: nothing is read any more; a copy is called off, which was asked before."""
        for worker in (self._reader, self._copier):
            if worker is not None:
                worker.cancel()

    # -- reading and showing ---------------------------------------------------------------------
    def _go(self, path: str, come_from: str = "") -> None:
        self._wanted, self._come_from = path, come_from
        self._reader = self._place.read(self.tranship.commands.files, path, self.post_message)
        self._say()

    @on(FolderRead)
    def _read(self, message: FolderRead) -> None:
        if message.path != self._wanted:
            return
        self._reader = None
        if message.folder is not None:
            self._folder, self._error = message.folder, None
            self.query_one(FilterLine).drop()
            self._filter = ""
        elif self._folder is None:
            self._error = message.error
        elif message.error is not None:
            self.tranship.fail(message.error)
            self._wanted = self._folder.path
        self._progress = ""
        self._draw()
        if message.folder is not None:
            table = self.query_one("#files", LiveTable)
            table.move_to(self._come_from) if self._come_from else table.action_first()

    def _entries(self) -> list[FileEntry]:
        return let_through(self._filter, self._folder.entries) if self._folder is not None else []

    def _draw(self) -> None:
        above = self._folder is not None and self._folder.path != "/"
        rows = file_rows(self._entries(), self.tranship.clock.now(), above=above)
        self.query_one("#files", LiveTable).show_rows(rows, empty=self._nothing())
        self._say()

    def _nothing(self) -> list[Line]:
        if self._error is not None:
            hint = [line((inert(self._error.hint), Tone.DIM))] if self._error.hint else []
            return [line((inert(str(self._error)), Tone.BAD)), *hint]
        if self._folder is None:
            return [line(("Reading …", Tone.DIM))]
        return [line(("The folder is empty." if not self._filter else "Nothing fits. Esc shows all.", Tone.DIM))]

    def _say(self) -> None:
        where = inert(self._wanted)
        name = cut_middle(inert(self._place.title), max(20, self.size.width // 2 - width_of(where)))
        parts = [f"{name}  {where}"]
        if self._progress:
            parts.append(self._progress)
        elif self._reader is not None:
            parts.append("reading …")
        elif self._folder is not None:
            count = len(self._folder.entries)
            parts.append("1 entry" if count == 1 else f"{count} entries")
        self.query_one(TitleBar).show(" · ".join(parts))

    @on(FilesProgressed)
    def _progressed(self, message: FilesProgressed) -> None:
        if self._reader is not None:
            self._progress = message.words
        elif self._copying:
            self._show_copy(message)
        self._say()

    def _show_copy(self, message: FilesProgressed | None) -> None:
        """How far the copy is, in a line of its own with a bar; None: there is none."""
        pane = self.query_one("#copy-line", LinesPane)
        pane.display = message is not None
        if message is not None:
            drawn = bar(message.share, _BAR_CELLS, tone=Tone.ACCENT) if message.share is not None else ()
            pane.show_lines([(*drawn, *line(("  " if drawn else "", Tone.PLAIN), message.words))])

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Among files."""
        return {
            "files.open": self._open,
            "files.up": self._up,
            "files.out": self._out,
            "files.in": self._in,
            "files.cancel": self._cancel,
            "files.filter": self.query_one(FilterLine).edit,
            "files.again": lambda: self._go(self._wanted),
        }

    @on(LiveTable.RowSelected, "#files")
    def _row_selected(self) -> None:
        self.action_act("files.open")

    def _chosen(self) -> FileEntry | None:
        key = self.query_one("#files", LiveTable).cursor_key
        return next((entry for entry in self._entries() if entry.name == key), None)

    def _path(self, entry: FileEntry) -> str:
        assert self._folder is not None
        return posixpath.join(self._folder.path, entry.name)

    def _open(self) -> None:
        if self.query_one("#files", LiveTable).cursor_key == ABOVE:
            self._up()
            return
        entry = self._chosen()
        if entry is None:
            return
        if entry.kind in {FileKind.FOLDER, FileKind.LINK}:
            self._go(self._path(entry))
        else:
            self.tranship.refuse(f"{entry.name} is no folder; c copies it out.")

    def _up(self) -> None:
        if self._folder is not None and self._folder.path != "/":
            above, name = posixpath.split(self._folder.path)
            self._go(above, name)

    @property
    def _copying(self) -> bool:
        return self._copier is not None and not self._copier.is_finished

    def _free(self) -> bool:
        if self._copying:
            self.tranship.refuse("A copy goes on; x cancels it.")
        return not self._copying

    def _out(self) -> None:
        entry = self._chosen()
        if not self._free():
            return
        if entry is None:
            self.tranship.refuse("No file is selected.")
            return

        def do(target: str | None) -> None:
            if target:
                self._half = ""  # it appears when it is complete
                place = Path(os.path.expanduser(target))
                commands = self.tranship.commands.files
                size = entry.size_bytes if entry.kind is FileKind.FILE else None
                self._copier = self._place.copy_out(commands, self._path(entry), place, self.post_message, size)

        title = f"Copy {entry.name} out to"
        self.app.push_screen(_path_dialog(title, f"{here()}/", "A folder, or a new name. Nothing is overwritten."), do)

    def _in(self) -> None:
        container, folder = self._place.container, self._folder
        if container is None:
            self.tranship.refuse("Into a volume one copies by a container that has it: f on that one in the fleet.")
            return
        if not self._free() or folder is None:
            return

        def do(source: str | None) -> None:
            if source:
                self._ask_to_overwrite(container, Path(os.path.expanduser(source)), folder)

        title = f"Copy into {folder.path} of {container.name}"
        self.app.push_screen(_path_dialog(title, f"{here()}/", "A file or a folder of this machine."), do)

    def _ask_to_overwrite(self, container: Container, source: Path, folder: Folder) -> None:
        from widgets.dialogs import ConfirmDialog

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self._half = f"{posixpath.join(folder.path, source.name)} in {container.name}"
                commands = self.tranship.commands.files
                self._copier = commands.copy_in(
                    container, source, folder.path, self.post_message, overwrite=source.name in names
                )

        names = {entry.name for entry in folder.entries}
        if source.name in names:
            title = f"Overwrite {source.name} in {folder.path} of {container.name}?"
            self.app.push_screen(ConfirmDialog(title, yes="Overwrite", no="Keep", destructive=True), do)
        else:
            do(True)

    @on(FilesCopied)
    def _copied(self, message: FilesCopied) -> None:
        self._show_copy(None)
        if message.error is not None:
            self.tranship.fail(message.error)
        else:
            self.notify("\n".join((message.words, *message.notes)), timeout=6, markup=False)
            here = self.query_one("#files", LiveTable).cursor_key
            self._go(self._wanted, "" if here is None else str(here))
        self._say()

    def _cancel(self) -> None:
        if self._copying and self._copier is not None:
            self._copier.cancel()
            self._show_copy(None)
            left = f"\nWhat had come of it is left: {self._half}" if self._half else ""
            self.tranship.notify(f"The copy was called off.{left}", timeout=8 if left else 3, markup=False)
            self._say()
        else:
            self.tranship.refuse("Nothing is being copied.")

    # -- leaving ---------------------------------------------------------------------------------
    def _take_filter(self, words: str) -> None:
        self._filter = words
        self._draw()

    def leave(self) -> None:
        """Escape and q, one thing at a time: the filter, then back."""
        field = self.query_one(FilterLine)
        if field.display:
            field.drop()
            self.query_one("#files", LiveTable).focus()
        elif self._copying:
            from widgets.dialogs import ConfirmDialog

            question = ConfirmDialog("Call the copy off, and leave?", yes="Call it off", no="Stay")
            self.app.push_screen(question, self._left)
        else:
            super().leave()

    def _left(self, confirmed: bool | None) -> None:
        if confirmed:
            if self._copying:
                self._cancel()
            super().leave()


def _path_dialog(title: str, value: str, note: str) -> PathDialog:
    from tui.screens.path_question import PathDialog

    return PathDialog(title, value=value, note=f"{note} Tab completes.")


__all__ = ["ContainerFiles", "FilesScreen", "VolumeFiles"]
