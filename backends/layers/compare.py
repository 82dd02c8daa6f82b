"""What two images have differently: one tree with marks, and a list. Pure.

Two files are the same where they are of the same layer, or agree in size, CRC-32, mode, owner and link; times do not
count, as a new build has new ones everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from backends.layers.grow import node_of, text
from backends.layers.overlay import Overlay, Spot, same_content
from backends.layers.table import Entry
from backends.model.image_files import FileDifference, FileNode, Mark

_Pair = tuple[Spot | None, Spot | None, int]


def compared(first: Overlay, second: Overlay) -> tuple[FileNode, tuple[FileDifference, ...]]:
    """The second image's tree, with what only the first has as removed; and the differences, largest first."""
    pairs = list(second.pace.over(_pairs(first, second)))
    children: dict[int, list[FileNode]] = {}
    marks: dict[int, Mark] = {}
    for index in second.pace.over(range(len(pairs) - 1, -1, -1)):
        one, other, parent = pairs[index]
        below = children.pop(index, [])
        marks[index] = mark = _mark(first, second, one, other, below)
        overlay, spot = (second, other) if other is not None else (first, one)
        assert spot is not None
        gone = mark is Mark.REMOVED
        counted = [child for child in below if gone or child.mark is not Mark.REMOVED]
        children.setdefault(parent, []).append(node_of(overlay, spot, below, mark, counted))
    differences = sorted(_differences(first, second, pairs, marks), key=lambda found: (-_moved(found), found.path))
    return children[-1][0], tuple(differences)


def _moved(found: FileDifference) -> int:
    return max(found.first_bytes or 0, found.second_bytes or 0)


def _pairs(first: Overlay, second: Overlay) -> Iterator[_Pair]:
    """Every path of either, a folder before what is in it, with the index of its folder's pair."""
    stack: list[_Pair] = [(first.root, second.root, -1)]
    for index in count():
        if not stack:
            return
        pair = stack.pop()
        yield pair
        here, there = _visible(pair[0]), _visible(pair[1])
        stack.extend((here.get(name), there.get(name), index) for name in here.keys() | there.keys())


def _visible(spot: Spot | None) -> dict[bytes, Spot]:
    if spot is None or not spot.children:
        return {}
    return {name: child for name, child in spot.children.items() if child.alive}


def _mark(first: Overlay, second: Overlay, one: Spot | None, other: Spot | None, below: list[FileNode]) -> Mark:
    if one is None:
        return Mark.ADDED
    if other is None:
        return Mark.REMOVED
    same = _same(first, second, one, other) and all(child.mark is Mark.SAME for child in below)
    return Mark.SAME if same else Mark.CHANGED


def _same(first: Overlay, second: Overlay, one: Spot, other: Spot) -> bool:
    if one.layer < 0 or other.layer < 0:
        return True  # the root of an image without layers
    here, there, row, line = first.tables[one.layer], second.tables[other.layer], one.entry, other.entry
    if here.diff_id == there.diff_id and row == line:
        return True
    kind, other_kind = here.kinds[row], there.kinds[line]
    if Entry.IMPLIED in (kind, other_kind):
        return kind <= Entry.FOLDER and other_kind <= Entry.FOLDER
    facts = (kind, here.modes[row], here.uids[row], here.gids[row], here.links.get(row))
    others = (other_kind, there.modes[line], there.uids[line], there.gids[line], there.links.get(line))
    return facts == others and same_content(here, row, there, line)


def _differences(
    first: Overlay, second: Overlay, pairs: list[_Pair], marks: dict[int, Mark]
) -> Iterator[FileDifference]:
    sizes: list[list[int]] = [[0, 0, 0] for _ in pairs]
    for index in second.pace.over(range(len(pairs) - 1, -1, -1)):
        one, other, parent = pairs[index]
        mine = sizes[index]
        spot, overlay = (other, second) if other is not None else (one, first)
        assert spot is not None
        mine[2] += overlay.kind(spot) > Entry.FOLDER
        mine[0] += first.size_bytes(one) if one is not None else 0
        mine[1] += second.size_bytes(other) if other is not None else 0
        if parent >= 0:
            sizes[parent] = [a + b for a, b in zip(sizes[parent], mine, strict=True)]
    for index, (one, other, parent) in second.pace.over(enumerate(pairs)):
        mark = marks[index]
        whole = mark in (Mark.ADDED, Mark.REMOVED) and (parent < 0 or marks[parent] is not mark)
        if whole or (mark is Mark.CHANGED and _own_change(first, second, one, other)):
            spot = other or one
            assert spot is not None
            before, after, files = sizes[index]
            yield FileDifference(
                "/" + text(spot.path()),
                mark,
                before if one is not None else None,
                after if other is not None else None,
                files,
            )


def _own_change(first: Overlay, second: Overlay, one: Spot | None, other: Spot | None) -> bool:
    """A folder whose files changed is not told of itself."""
    return one is not None and other is not None and not _same(first, second, one, other)


__all__ = ["compared"]
