"""An image's file tree as rows of a table, as far as its folders are opened. Pure; makes no row that is not opened."""

from __future__ import annotations

import stat
from collections.abc import Set as AbstractSet
from heapq import nsmallest
from typing import NamedTuple

from backends.model.image_files import FileKind, FileNode, Mark
from widgets.format import bytes_text
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert

FILE_COLUMNS = (
    Column("mark", " ", 1, fixed=True, sortable=False),
    Column("size", "SIZE", 8, align="right", fixed=True),
    Column("name", "FILE", 20, flex=6, most=120, cut="middle", fixed=True),
    Column("layer", "LAYER", 5, align="right", priority=1, sortable=False),
    Column("files", "FILES", 7, align="right", priority=2, sortable=False),
    Column("mode", "MODE", 10, priority=3, sortable=False),
    Column("owner", "OWNER", 9, priority=4, sortable=False),
)
ROWS = 1000
"""Rows that are shown at most, made in a few milliseconds; the filter finds the others."""
MARKS = {
    Mark.SAME: (" ", Tone.PLAIN),
    Mark.ADDED: ("+", Tone.OK),
    Mark.CHANGED: ("~", Tone.WARN),
    Mark.REMOVED: ("-", Tone.BAD),
}
_TYPES = {
    FileKind.FOLDER: stat.S_IFDIR,
    FileKind.SYMLINK: stat.S_IFLNK,
    FileKind.DEVICE: stat.S_IFCHR,
    FileKind.PIPE: stat.S_IFIFO,
}


class FileRow(NamedTuple):
    """What a row shows of a path; it holds nothing of what lies below, so that two are compared at once."""

    name: str
    depth: int
    opened: bool | None  # None: it is no folder with something in it
    kind: FileKind
    mark: Mark
    size_bytes: int
    files: int
    mode: int
    uid: int
    gid: int
    link: str
    layer: int


def file_rows(tree: FileNode, opened: AbstractSet[str] | None, *, by_size: bool) -> list[Row]:
    """A row for each path in an opened folder (None: all are), keyed by the path; a last one says what is left out."""
    rows: list[Row] = []
    left_out = max(0, len(tree.children) - ROWS)
    stack = [(f"/{child.name}", 0, child) for child in reversed(_ordered(tree, by_size))]
    seen: set[str] = set()
    while stack:
        path, depth, node = stack.pop()
        if len(rows) >= ROWS:
            left_out += 1
            continue
        while path in seen:  # two names that differ only in bytes that are no text
            path += "\\"
        seen.add(path)
        is_open = bool(node.children) and (opened is None or path in opened)
        rows.append(Row(path, LazyCells(_cells, _row(node, depth, is_open))))
        if is_open:
            left_out += max(0, len(node.children) - ROWS)
            stack.extend((f"{path}/{child.name}", depth + 1, child) for child in reversed(_ordered(node, by_size)))
    if left_out:
        rows.append(Row(("more",), (line((f"… and {left_out:,} more: / finds them", Tone.DIM)),), heading=True))
    return rows


def _ordered(node: FileNode, by_size: bool) -> list[FileNode]:
    """The first of a folder's children, no more than can be shown."""
    return nsmallest(ROWS, node.children, key=_largest_first if by_size else _folders_first)


def _largest_first(node: FileNode) -> tuple[int, str]:
    return -node.size_bytes, node.name


def _folders_first(node: FileNode) -> tuple[bool, str]:
    return node.kind is not FileKind.FOLDER, node.name


def _row(node: FileNode, depth: int, opened: bool) -> FileRow:
    return FileRow(
        node.name,
        depth,
        opened if node.children else None,
        node.kind,
        node.mark,
        node.size_bytes,
        node.files,
        node.mode,
        node.uid,
        node.gid,
        node.link,
        node.layer,
    )


def _cells(row: FileRow) -> tuple[Line, ...]:
    sign, tone = MARKS[row.mark]
    quiet = Tone.DIM if row.mark is Mark.SAME else tone
    arrow = "  " if row.opened is None else "▾ " if row.opened else "▸ "
    name = inert(row.name) + ("/" if row.kind is FileKind.FOLDER else "")
    target = (f" → {inert(row.link)}", Tone.DIM) if row.link else ("", Tone.DIM)
    folder = row.kind is FileKind.FOLDER
    return (
        line((sign, tone)),
        line((bytes_text(row.size_bytes), Tone.DIM if not row.size_bytes else Tone.PLAIN)),
        line(
            ("  " * min(row.depth, 20) + arrow, Tone.DIM),
            (name, tone if row.mark is not Mark.SAME else Tone.PLAIN),
            target,
        ),
        line((str(row.layer + 1), quiet)),
        line((f"{row.files:,}" if folder else "", Tone.DIM)),
        line((stat.filemode(_TYPES.get(row.kind, stat.S_IFREG) | row.mode), Tone.DIM)),
        line((f"{row.uid}:{row.gid}", Tone.DIM)),
    )


def totals(tree: FileNode) -> str:
    """How much a tree holds, in words."""
    return f"{bytes_text(tree.size_bytes)} in {tree.files:,} {'file' if tree.files == 1 else 'files'}"


__all__ = ["FILE_COLUMNS", "MARKS", "ROWS", "FileRow", "file_rows", "totals"]
