"""An image whose layers have been read: trees, waste and hints, each made when it is asked for. Blocks; asks nobody.

pace: how the loops over its paths go on; they raise Stopped where it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from backends.layers.compare import compared
from backends.layers.grow import grown, text
from backends.layers.hints import hints_of
from backends.layers.overlay import Overlay
from backends.layers.pace import AT_ONCE, Pace
from backends.layers.table import LayerTable, TableWalk
from backends.layers.uncollected import uncollected
from backends.model.image import ImageFacts
from backends.model.image_files import FileDifference, FileNode, LayerHint, Offender, WasteReport


@dataclass(frozen=True, slots=True)
class ImageContents:
    """tables: base first, one for each of the facts' diff-IDs."""

    facts: ImageFacts
    tables: Sequence[LayerTable]

    def tree(self, layer: int | None = None, *, only_layer: bool = False, pace: Pace = AT_ONCE) -> FileNode:
        """The image up to a layer (0 = base, None = the last) with the marks of that layer.

        only_layer: of that layer only what it brought or removed. An image without layers has an empty root.
        """
        last = len(self.tables) if layer is None else layer + 1
        with _merged(self.tables[:last], pace) as overlay:
            return grown(overlay, only_top=only_layer)

    def layer_bytes(self) -> tuple[int, ...]:
        """Bytes of the files in each layer."""
        return tuple(table.size_bytes for table in self.tables)

    def waste(self, pace: Pace = AT_ONCE) -> WasteReport:
        """What later layers hide of earlier ones."""
        with _merged(self.tables, pace) as overlay:
            return waste_of(overlay)

    def hints(self, pace: Pace = AT_ONCE) -> tuple[LayerHint, ...]:
        """What could be left out for certain, largest first."""
        with _merged(self.tables, pace) as overlay:
            return hints_of(overlay)

    def against(self, other: ImageContents, pace: Pace = AT_ONCE) -> tuple[FileNode, tuple[FileDifference, ...]]:
        """What another image has differently: its tree with marks, and a list, largest first."""
        with _merged(self.tables, pace) as mine, _merged(other.tables, pace) as theirs:
            return compared(mine, theirs)


_EMPTY = TableWalk().table


@contextmanager
def _merged(tables: Sequence[LayerTable], pace: Pace) -> Iterator[Overlay]:
    """All layers merged, for a while."""
    with uncollected():
        overlay = Overlay(tables or [_EMPTY], pace)
        try:
            yield overlay
        finally:
            overlay.release()


def waste_of(overlay: Overlay) -> WasteReport:
    """What the layers of an overlay hide of each other."""
    least = sum(max(spot.least, 0) for spot in overlay.pace.over(overlay.root.below()))
    offenders = [
        Offender("/" + text(path), loss.wasted_bytes, loss.times, loss.files, loss.removed)
        for path, loss in overlay.losses.items()
    ]
    offenders.sort(key=lambda offender: (-offender.wasted_bytes, offender.path))
    return WasteReport(
        total_bytes=overlay.total_bytes,
        wasted_bytes=sum(offender.wasted_bytes for offender in offenders),
        efficiency=least / overlay.total_bytes if overlay.total_bytes else 1.0,
        offenders=tuple(offenders),
    )


__all__ = ["ImageContents", "waste_of"]
