"""From a merged tree to the model's: what a layer did to each path, and how much lies below it. Pure."""

from __future__ import annotations

from backends.layers.overlay import Overlay, Spot
from backends.layers.table import Entry
from backends.model.image_files import FileKind, FileNode, Mark

KINDS = (
    FileKind.FOLDER,
    FileKind.FOLDER,
    FileKind.FILE,
    FileKind.SYMLINK,
    FileKind.HARD_LINK,
    FileKind.DEVICE,
    FileKind.PIPE,
)
"""By Entry."""


def text(name: bytes) -> str:
    """A name as text: bytes that are no UTF-8 as escapes."""
    return name.decode("utf-8", "backslashreplace")


def grown(overlay: Overlay, *, only_top: bool) -> FileNode:
    """The tree with the marks of the overlay's last layer. only_top: without what that layer did not touch."""
    top = overlay.top
    waiting: dict[Spot | None, list[FileNode]] = {}
    for spot in overlay.pace.over(reversed(list(overlay.pace.over(overlay.root.below())))):
        children = waiting.pop(spot, [])
        shown = spot.alive or (spot.was and spot.touched == top)
        if not shown or (only_top and spot.touched != top and not children and spot.parent is not None):
            continue
        waiting.setdefault(spot.parent, []).append(_node(overlay, spot, children))
    return waiting[None][0]


def _node(overlay: Overlay, spot: Spot, children: list[FileNode]) -> FileNode:
    mark = _mark(overlay, spot, children)
    if not children or mark is Mark.REMOVED:
        return node_of(overlay, spot, children, mark, children)
    return node_of(overlay, spot, children, mark, [child for child in children if child.mark is not Mark.REMOVED])


def node_of(overlay: Overlay, spot: Spot, children: list[FileNode], mark: Mark, counted: list[FileNode]) -> FileNode:
    """A node from what stands at a path. counted: those of the children whose bytes are its own too."""
    layer, row = spot.layer if spot.layer > 0 else 0, spot.entry
    table = overlay.tables[layer]
    kind = table.kinds[row] if spot.layer >= 0 else Entry.IMPLIED
    size_bytes, files = table.sizes[row], 1
    if kind <= Entry.FOLDER:
        size_bytes, files = sum([child.size_bytes for child in counted]), sum([child.files for child in counted])
    link = table.links.get(row)
    return FileNode(
        text(spot.name),
        KINDS[kind],
        mark,
        size_bytes,
        files,
        table.modes[row],
        table.uids[row],
        table.gids[row],
        table.mtimes[row],
        text(link) if link else "",
        layer,
        tuple(sorted(children, key=_name)) if children else (),
    )


def _name(node: FileNode) -> str:
    return node.name


def _mark(overlay: Overlay, spot: Spot, children: list[FileNode]) -> Mark:
    if not spot.alive:
        return Mark.REMOVED
    touched = spot.touched == overlay.top
    if touched and not spot.was:
        return Mark.ADDED
    folder = overlay.kind(spot) <= Entry.FOLDER
    if touched and (spot.altered or not folder):
        return Mark.CHANGED
    return Mark.CHANGED if any(child.mark is not Mark.SAME for child in children) else Mark.SAME


__all__ = ["KINDS", "grown", "node_of", "text"]
