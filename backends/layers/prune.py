"""A tree without what nobody looks for: by words in the path, or only what a layer changed. Pure; may take a second."""

from __future__ import annotations

from dataclasses import replace

from backends.layers.uncollected import uncollected
from backends.model.image_files import FileNode, Mark


def pruned(tree: FileNode, words: str = "", *, only_changes: bool = False) -> FileNode:
    """The paths that hold all words (in any case), with the folders above them. Sizes stay those of the whole."""
    wanted = words.lower().split()
    if not wanted and not only_changes:
        return tree
    with uncollected():
        return _pruned(tree, wanted, only_changes=only_changes)


def _pruned(tree: FileNode, wanted: list[str], *, only_changes: bool) -> FileNode:
    listed: list[tuple[FileNode, str, int]] = []
    stack: list[tuple[FileNode, str, int]] = [(tree, "", -1)]
    while stack:
        node, path, above = stack.pop()
        place = len(listed)
        listed.append((node, path, above))
        stack.extend((child, f"{path}/{child.name.lower()}", place) for child in node.children)
    kept: dict[int, list[FileNode]] = {}
    for place in range(len(listed) - 1, 0, -1):
        node, path, above = listed[place]
        below = kept.pop(place, None)
        fits = all(word in path for word in wanted) and not (only_changes and node.mark is Mark.SAME)
        if below or fits:
            # The order of the list is the reverse of each folder's own, and so is the order of this loop.
            kept.setdefault(above, []).append(replace(node, children=tuple(below or ())))
    return replace(tree, children=tuple(kept.get(0, ())))


__all__ = ["pruned"]
