"""Lays layers on each other as overlay file systems do, and notes what each hides. Pure.

A removal (`.wh.NAME`) and an opaque folder (`.wh..wh..opq`) concern only what is below, wherever in the tar they stand.
Source: OCI image-spec 1.1, layer.md, "Applying Changesets".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backends.layers.pace import AT_ONCE, Pace
from backends.layers.table import WHITEOUT, Entry, LayerTable


class Spot:
    """A path of the merged tree; one that was removed stays, not alive.

    layer, entry: where what stands here (or stood last) comes from. touched: the last layer that did something to it;
    was: there was something here before that. altered: of a folder, its mode or owner changed by that.
    least: bytes of the smallest copy so far, 0 once it was removed, below 0 where only folders stood here.
    """

    __slots__ = ("alive", "altered", "children", "entry", "layer", "least", "name", "parent", "touched", "was")

    def __init__(self, name: bytes, parent: Spot | None, layer: int, entry: int, least: int) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[bytes, Spot] | None = None
        self.layer = layer
        self.entry = entry
        self.touched = layer
        self.alive = True
        self.was = False
        self.altered = False
        self.least = least

    def path(self) -> bytes:
        """From the root, without a slash in front."""
        parts = []
        spot: Spot = self
        while spot.parent is not None:
            parts.append(spot.name)
            spot = spot.parent
        return b"/".join(reversed(parts))

    def below(self) -> Iterator[Spot]:
        """This and all under it, removed ones too; a folder before what is in it."""
        stack = [self]
        while stack:
            spot = stack.pop()
            yield spot
            if spot.children:
                stack.extend(spot.children.values())


@dataclass(slots=True)
class Loss:
    """What was hidden at a path, or below it: bytes that no other name holds."""

    wasted_bytes: int = 0
    times: int = 0
    files: int = 0
    removed: bool = False


class Overlay:
    """The merged tree of the layers that were added so far.

    pace: of all loops over its paths. top: index of the last layer, -1 for none. losses: by path. again_bytes: by
    layer, of files that it holds once more with the content that they had below.
    """

    def __init__(self, tables: Iterable[LayerTable] = (), pace: Pace = AT_ONCE) -> None:
        self.pace = pace
        self.tables: list[LayerTable] = []
        self.top = -1
        self.root = Spot(b"", None, -1, 0, -1)
        self.losses: dict[bytes, Loss] = {}
        self.again_bytes: list[int] = []
        self.total_bytes = 0
        self._origins: dict[tuple[int, int], int] = {}
        self._names: dict[tuple[int, int], int] = {}
        for table in tables:
            self.add(table)

    def release(self) -> None:
        """Take it apart: paths know their folders and folders their paths, which only a search would free."""
        for spot in list(self.root.below()):
            spot.parent = spot.children = None

    def kind(self, spot: Spot) -> int:
        """What stands at a path, or stood there last: an Entry."""
        return self.tables[spot.layer].kinds[spot.entry] if spot.layer >= 0 else Entry.IMPLIED

    def size_bytes(self, spot: Spot) -> int:
        """Of the file there, or that was there last."""
        return self.tables[spot.layer].sizes[spot.entry] if spot.layer >= 0 else 0

    def add(self, table: LayerTable) -> None:
        """One layer more."""
        self.tables.append(table)
        self.top += 1
        self.again_bytes.append(0)
        self.total_bytes += table.size_bytes
        for row, kind in self.pace.over(enumerate(table.kinds)):
            if kind >= Entry.REMOVAL:
                self._remove(table, row, kind)
        placed: dict[int, Spot] = {0: self.root}
        self._onto_folder(self.root, 0)
        for row in self.pace.over(range(1, len(table))):
            if table.kinds[row] < Entry.REMOVAL:
                spot = self._place(placed[table.parents[row]], table, row)
                if table.kinds[row] <= Entry.FOLDER:
                    placed[row] = spot
        self._link(table)

    def _remove(self, table: LayerTable, row: int, kind: int) -> None:
        folder = self.find(table.path(table.parents[row]))
        if folder is None or not folder.children:
            return
        if kind == Entry.OPAQUE:
            self._hide(list(folder.children.values()), folder)
            return
        spot = folder.children.get(table.name(row).removeprefix(WHITEOUT))
        if spot is not None and spot.alive:
            self._hide([spot], spot)

    def find(self, path: bytes) -> Spot | None:
        """What is visible at a path; links are not followed."""
        spot = self.root
        for name in path.split(b"/") if path else ():
            found = spot.children.get(name) if spot.children else None
            if found is None or not found.alive:
                return None
            spot = found
        return spot

    def _hide(self, tops: Iterable[Spot], blamed: Spot) -> None:
        """Remove these with all below, as one loss at the path that is to blame."""
        top, lost, files = self.top, 0, 0
        for first in tops:
            for spot in first.below():
                if not spot.alive:
                    continue
                released = self._release(spot)
                lost, files = lost + released, files + (released > 0)
                spot.alive, spot.was, spot.touched, spot.least = False, True, top, min(spot.least, 0)
        self._lose(blamed, lost, files, removed=True)

    def _lose(self, spot: Spot, lost: int, files: int, *, removed: bool) -> None:
        if lost:
            loss = self.losses.setdefault(spot.path(), Loss())
            loss.wasted_bytes += lost
            loss.times += 1
            loss.files += files
            loss.removed = removed

    def _release(self, spot: Spot) -> int:
        """A name of a file goes: the bytes that can no more be seen by that."""
        kind = self.kind(spot)
        if kind not in (Entry.FILE, Entry.HARD_LINK):
            return 0
        key = (spot.layer, self._origins.get((spot.layer, spot.entry), spot.entry))
        left = self._names.get(key, 1) - 1
        if left:
            self._names[key] = left
            return 0
        self._names.pop(key, None)
        return self.tables[key[0]].sizes[key[1]]

    def _place(self, parent: Spot, table: LayerTable, row: int) -> Spot:
        name, layer = table.name(row), self.top
        if parent.children is None:
            parent.children = {}
        spot = parent.children.get(name)
        folder = table.kinds[row] <= Entry.FOLDER
        least = -1 if folder else table.sizes[row]
        if spot is None:
            spot = parent.children[name] = Spot(name, parent, layer, row, least)
            return spot
        if spot.alive:
            was_folder = self.kind(spot) <= Entry.FOLDER
            if folder and was_folder:
                self._onto_folder(spot, row)
                return spot
            if folder or was_folder:
                self._hide([spot], spot)
            else:
                self._overwrite(spot, table, row)
        spot.was = spot.alive or (spot.was and spot.touched == layer)
        spot.alive, spot.altered, spot.touched = True, True, layer
        spot.layer, spot.entry = layer, row
        if not folder:
            spot.least = min(spot.least, least) if spot.least >= 0 else least
        return spot

    def _onto_folder(self, spot: Spot, row: int) -> None:
        """A folder stands there already: its mode and owner may change, what is in it stays."""
        new = self.tables[-1]
        if new.kinds[row] == Entry.IMPLIED and spot.layer >= 0:
            return
        if spot.layer >= 0:
            old, entry = self.tables[spot.layer], spot.entry
            before = (old.modes[entry], old.uids[entry], old.gids[entry])
            spot.altered = before != (new.modes[row], new.uids[row], new.gids[row])
            spot.was = True
        spot.layer = spot.touched = self.top
        spot.entry = row

    def _overwrite(self, spot: Spot, table: LayerTable, row: int) -> None:
        old, entry = self.tables[spot.layer], spot.entry
        if old.kinds[entry] == table.kinds[row] == Entry.FILE and same_content(old, entry, table, row):
            self.again_bytes[-1] += table.sizes[row]
        lost = self._release(spot)
        self._lose(spot, lost, 1, removed=False)

    def _link(self, table: LayerTable) -> None:
        """Note which names of this layer are of the same file."""
        layer = self.top
        linked = [row for row, kind in enumerate(table.kinds) if kind == Entry.HARD_LINK]
        for row in linked:
            target = self.find(b"/".join(p for p in table.links.get(row, b"").split(b"/") if p not in (b"", b".")))
            if target is None or target.layer != layer or target.entry == row:
                continue  # it leads nowhere, or to a lower layer: it holds no bytes of its own
            origin = self._origins.get((layer, target.entry), target.entry)
            if table.kinds[origin] == Entry.FILE:
                self._origins[layer, row] = origin
                self._names[layer, origin] = self._names.get((layer, origin), 1) + 1


def same_content(first: LayerTable, one: int, second: LayerTable, other: int) -> bool:
    """Whether two files are the same, by size and CRC-32."""
    return first.sizes[one] == second.sizes[other] and first.checks[one] == second.checks[other]


__all__ = ["Loss", "Overlay", "Spot", "same_content"]
