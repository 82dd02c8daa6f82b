"""Tables and lines of `tranship layers`. Pure; text from images is made inert here or by the table."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence

from backends.model.image import Layer, LayerReport
from backends.model.image_comparison import ImageComparison
from backends.model.image_files import FileDifference, FileKind, FileNode, LayerHint, Mark, ReadProgress, WasteReport
from tui.cli.table import Column, table
from widgets.compare_lines import setting_text
from widgets.format import MISSING, bytes_text
from widgets.text import inert

LAYERS = (
    Column("#", align="right"),
    Column("SIZE", align="right"),
    Column("LAYER"),
    Column("MADE BY", give=1),
)
FILES = (
    Column("MODE"),
    Column("OWNER", align="right"),
    Column("SIZE", align="right"),
    Column("LAYER", align="right"),
    Column("PATH", give=1, cut="middle"),
)
DIFFERENCES = (
    Column(""),
    Column("SIZE", align="right"),
    Column("WAS", align="right"),
    Column("PATH", give=1, cut="middle"),
)
_WASTE = (Column("WASTED", align="right"), Column("TIMES", align="right"), Column("PATH", give=1, cut="middle"))
_HINTS = (
    Column("SIZE", align="right"),
    Column("WHAT"),
    Column("PATH", give=2, cut="middle"),
    Column("INSTEAD", give=1),
)
SHOWN_DIGITS = 12
SHOWN_OFFENDERS = 20
MARKS = {Mark.ADDED: "+", Mark.CHANGED: "~", Mark.REMOVED: "-", Mark.SAME: " "}
_TYPES = {
    FileKind.FOLDER: stat.S_IFDIR,
    FileKind.SYMLINK: stat.S_IFLNK,
    FileKind.DEVICE: stat.S_IFCHR,
    FileKind.PIPE: stat.S_IFIFO,
}


def real(report: LayerReport) -> int:
    """Steps that made a layer."""
    return sum(not layer.empty for layer in report.layers)


def layer_rows(report: LayerReport) -> list[tuple[str, ...]]:
    """A row for each step, base first."""
    return [_layer(number, layer) for number, layer in enumerate(report.layers, start=1)]


def _layer(number: int, layer: Layer) -> tuple[str, ...]:
    digest = layer.diff_id.removeprefix("sha256:")[:SHOWN_DIGITS]
    size = bytes_text(layer.size_bytes) if not layer.empty else MISSING
    return str(number), size, digest or MISSING, layer.command or layer.comment or MISSING


def paths(tree: FileNode) -> Iterator[tuple[str, FileNode]]:
    """Every path of a tree with its node, a folder before what is in it; the root is left out."""
    stack = [("", child) for child in reversed(tree.children)]
    while stack:
        above, node = stack.pop()
        path = f"{above}/{node.name}"
        yield path, node
        stack.extend((path, child) for child in reversed(node.children))


def file_rows(tree: FileNode) -> list[tuple[str, ...]]:
    """A row for each path that is visible in the image. The layer counts from 1, those without files left out."""
    return [
        (
            stat.filemode(_TYPES.get(node.kind, stat.S_IFREG) | node.mode),
            f"{node.uid}:{node.gid}",
            bytes_text(node.size_bytes),
            str(node.layer + 1),
            path + (f" → {node.link}" if node.link else ""),
        )
        for path, node in paths(tree)
        if node.mark is not Mark.REMOVED
    ]


def summary(waste: WasteReport) -> str:
    """The figures in one line."""
    share = f"{waste.wasted_share:.1%}"
    return (
        f"efficiency {waste.efficiency:.4f} · {bytes_text(waste.wasted_bytes)} ({share}) of "
        f"{bytes_text(waste.total_bytes)} wasted"
    )


def waste_lines(waste: WasteReport, hints: Sequence[LayerHint], width: int | None) -> list[str]:
    """The figures, the largest offenders, the hints. width: cells of the terminal, None = as wide as it takes."""
    lines = [summary(waste)]
    if waste.offenders:
        shown = waste.offenders[:SHOWN_OFFENDERS]
        cells = [(bytes_text(bad.wasted_bytes), str(bad.times), _offender(bad.path, bad.files)) for bad in shown]
        lines += ["", *table(_WASTE, cells, width)]
        if len(waste.offenders) > len(shown):
            lines.append(f"… and {len(waste.offenders) - len(shown)} more; --json has all")
    if hints:
        advice = [(bytes_text(hint.size_bytes), hint.title, hint.path, hint.remedy) for hint in hints]
        lines += ["", *table(_HINTS, advice, width)]
    return lines


def _offender(path: str, files: int) -> str:
    return f"{path} ({files} files)" if files > 1 else path


def difference_rows(found: Sequence[FileDifference]) -> list[tuple[str, ...]]:
    """A row for each path that differs."""
    return [
        (MARKS[one.mark], _bytes(one.second_bytes), _bytes(one.first_bytes), _offender(one.path, one.files))
        for one in found
    ]


def _bytes(count: int | None) -> str:
    return MISSING if count is None else bytes_text(count)


def difference_summary(first: str, second: str, found: Sequence[FileDifference]) -> str:
    """How many of each kind, in one line."""
    counts = {mark: sum(one.mark is mark for one in found) for mark in (Mark.ADDED, Mark.REMOVED, Mark.CHANGED)}
    told = ", ".join(f"{count} {mark.value}" for mark, count in counts.items())
    return inert(f"{second} against {first}: {told}" if found else f"{first} and {second} hold the same files")


def setting_lines(found: ImageComparison) -> Iterator[str]:
    """Each setting that differs, then how many layers both have."""
    for one in found.config:
        text = setting_text(one)
        yield f"{MARKS[one.mark]} {inert(one.setting)}" + (f": {text}" if text else "")
    same = sum(one.mark is Mark.SAME for one in found.layers)
    yield f"{same} of {len(found.second.layers)} layers are in both"


def progress_text(progress: ReadProgress) -> str:
    """How far the reading is."""
    read, size = bytes_text(progress.read_bytes), bytes_text(progress.total_bytes)
    return f"reading layers: {read} of about {size}, {progress.layers_known} of {progress.layers}"
