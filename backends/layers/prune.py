"""A tree without what nobody looks for: by words in the path, or only what a layer changed. Pure; may take a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from backends.layers.pace import AT_ONCE, Pace
from backends.layers.uncollected import uncollected
from backends.model.image_files import FileNode, Mark


def pruned(tree: FileNode, words: str = "", *, only_changes: bool = False, pace: Pace = AT_ONCE) -> FileNode:
    """The paths that hold all words (in any case), with the folders above them. Sizes stay those of the whole.

    Raises Stopped where the pace says so.
    """
    wanted = words.lower().split()
    if not wanted and not only_changes:
        return tree
    with uncollected():
        return _pruned(tree, wanted, pace, only_changes=only_changes)


def _pruned(tree: FileNode, wanted: list[str], pace: Pace, *, only_changes: bool) -> FileNode:
    listed = list(pace.over(_listed(tree)))
    kept: dict[int, list[FileNode]] = {}
    for place in pace.over(range(len(listed) - 1, 0, -1)):
        node, path, above = listed[place]
        below = kept.pop(place, None)
        fits = all(word in path for word in wanted) and not (only_changes and node.mark is Mark.SAME)
        if below or fits:
            # The order of the list is the reverse of each folder's own, and so is the order of this loop.
            whole = node if not node.children else replace(node, children=tuple(below or ()))
            kept.setdefault(above, []).append(whole)
    return replace(tree, children=tuple(kept.get(0, ())))


def _listed(tree: FileNode) -> Iterator[tuple[FileNode, str, int]]:
    """Every node with its path in small letters and the place of its folder; a folder before what is in it."""
    stack: list[tuple[FileNode, str, int]] = [(tree, "", -1)]
    for place in count():
        if not stack:
            return
        node, path, above = stack.pop()
        yield node, path, above
        stack.extend((child, f"{path}/{child.name.lower()}", place) for child in node.children)


__all__ = ["pruned"]
