"""What runs in the background when the program is to end. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.move import Move


@dataclass(frozen=True, slots=True)
class UnderWay:
    """copies, builds, transfers: names of images that are copied, built, pulled or pushed. sweeps: their titles.

    trials: names of containers whose workload is measured.
    """

    moves: Sequence[Move] = ()
    copies: Sequence[str] = ()
    builds: Sequence[str] = ()
    transfers: Sequence[str] = ()
    sweeps: Sequence[str] = ()
    trials: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.moves or self.copies or self.builds or self.transfers or self.sweeps or self.trials)


__all__ = ["UnderWay"]
