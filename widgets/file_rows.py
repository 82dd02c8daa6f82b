"""The entries of a folder as rows of a table: pure. Knows no terminal and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from backends.model.files import FileEntry, FileKind
from widgets.format import MISSING, age_text, bytes_text, value_cell
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert

ABOVE = ".."
"""The key, and the name, of the row that leads to the folder above."""
_SIGNS = {FileKind.FOLDER: "/", FileKind.LINK: "@", FileKind.FILE: "", FileKind.OTHER: "!"}
_TONES = {FileKind.FOLDER: Tone.INFO, FileKind.LINK: Tone.ACCENT, FileKind.OTHER: Tone.DIM}
_BITS = "rwxrwxrwx"

FILE_COLUMNS = (
    Column("name", "NAME", 24, flex=1, cut="middle", fixed=True, sortable=False),
    Column("size", "SIZE", 8, align="right", sortable=False),
    Column("mode", "MODE", 9, priority=2, sortable=False),
    Column("owner", "OWNER", 11, align="right", priority=3, sortable=False),
    Column("age", "CHANGED", 7, align="right", priority=1, sortable=False),
)


def let_through(text: str, entries: Iterable[FileEntry]) -> list[FileEntry]:
    """Those whose name has every word."""
    words = text.lower().split()
    return [entry for entry in entries if all(word in entry.name.lower() for word in words)]


def file_rows(entries: Sequence[FileEntry], now: datetime, *, above: bool) -> list[Row]:
    """A row for each; keys are names. above: first one that leads to the folder above."""
    first = [Row(ABOVE, (line((ABOVE + "/", Tone.INFO)), *(line() for _ in FILE_COLUMNS[1:])))] if above else []
    return [*first, *(Row(entry.name, _cells(entry, now)) for entry in entries)]


def mode_text(entry: FileEntry) -> str:
    """ "rwxr-xr-x"."""
    return "".join(sign if entry.mode & (0o400 >> place) else "-" for place, sign in enumerate(_BITS))


def _cells(entry: FileEntry, now: datetime) -> tuple[Line, ...]:
    target = f" → {inert(entry.target)}" if entry.target else ""
    at = entry.modified_at  # the epoch stands for "not told": images built to be reproducible give it to all files
    return (
        line((inert(entry.name) + _SIGNS[entry.kind], _TONES.get(entry.kind, Tone.PLAIN)), (target, Tone.DIM)),
        value_cell(bytes_text(entry.size_bytes) if entry.kind is FileKind.FILE else MISSING),
        value_cell(mode_text(entry), tone=Tone.DIM),
        value_cell(f"{entry.uid}:{entry.gid}", tone=Tone.DIM),
        value_cell(age_text(at if at and at.timestamp() else None, now), tone=Tone.DIM),
    )


__all__ = ["ABOVE", "FILE_COLUMNS", "file_rows", "let_through", "mode_text"]
