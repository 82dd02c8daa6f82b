"""The files of two compared images as rows of a table, as far as folders are opened, with what each changes. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from backends.model.image_files import FileDifference, FileKind, FileNode, Mark
from widgets.compare_lines import change_text
from widgets.format import bytes_text
from widgets.layer_files import MARKS, FileRow, file_rows
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert

COMPARED_COLUMNS = (
    Column("mark", " ", 1, fixed=True, sortable=False),
    Column("size", "SIZE", 8, align="right", fixed=True),
    Column("change", "CHANGE", 9, align="right", sortable=False),
    Column("name", "FILE", 20, flex=6, most=120, cut="middle", fixed=True),
    Column("files", "FILES", 7, align="right", priority=2, sortable=False),
    Column("owner", "OWNER", 9, priority=3, sortable=False),
)


def changes_of(found: Sequence[FileDifference]) -> dict[str, tuple[int, int]]:
    """Bytes before and after, by path, of each difference and of every folder above it, added up."""
    totals: dict[str, tuple[int, int]] = {}
    for one in found:
        before, after = one.first_bytes or 0, one.second_bytes or 0
        path = one.path
        while path not in ("", "/"):
            held = totals.get(path, (0, 0))
            totals[path] = (held[0] + before, held[1] + after)
            path = posixpath.dirname(path)
    return totals


def compared_rows(
    tree: FileNode, opened: AbstractSet[str] | None, changes: Mapping[str, tuple[int, int]], *, by_size: bool
) -> list[Row]:
    """As file_rows has it. changes: of `changes_of`; below a folder that only one has, each file's own size is its."""
    rows = []
    for row in file_rows(tree, opened, by_size=by_size):
        content = row.content
        if not isinstance(content, LazyCells) or not isinstance(content.source, FileRow):
            rows.append(row)
            continue
        shown = content.source
        change = changes.get(str(row.key), (0, 0))
        if change == (0, 0) and shown.mark is not Mark.CHANGED:
            change = (shown.size_bytes * (shown.mark is Mark.REMOVED), shown.size_bytes * (shown.mark is Mark.ADDED))
        rows.append(Row(row.key, LazyCells(_cells, (shown, change))))
    return rows


def _cells(source: tuple[FileRow, tuple[int, int]]) -> tuple[Line, ...]:
    row, (before, after) = source
    sign, tone = MARKS[row.mark]
    arrow = "  " if row.opened is None else "▾ " if row.opened else "▸ "
    folder = row.kind is FileKind.FOLDER
    name = inert(row.name) + ("/" if folder else "")
    target = (f" → {inert(row.link)}", Tone.DIM) if row.link else ("", Tone.DIM)
    return (
        line((sign, tone)),
        line((bytes_text(row.size_bytes), Tone.DIM if not row.size_bytes else Tone.PLAIN)),
        line((change_text(before, after), tone)),
        line(
            ("  " * min(row.depth, 20) + arrow, Tone.DIM),
            (name, tone if row.mark is not Mark.SAME else Tone.PLAIN),
            target,
        ),
        line((f"{row.files:,}" if folder else "", Tone.DIM)),
        line((f"{row.uid}:{row.gid}", Tone.DIM)),
    )


__all__ = ["COMPARED_COLUMNS", "changes_of", "compared_rows"]
