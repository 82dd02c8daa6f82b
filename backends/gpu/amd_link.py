"""How much goes over the PCIe links of AMD's cards. One thread of its own; may not touch anything but pcie_bw.

The driver counts packets while the file is read, and for that the read sleeps a whole second (soc15_get_pcie_usage in
drivers/gpu/drm/amd/amdgpu/soc15.c): nothing else may wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from backends.gpu import amd_files as files
from backends.model.values import NOT_SAMPLED, Missing, Quantity

Traffic = tuple[Quantity, Quantity]
"""Bytes per second towards the GPU, and from it."""

_PAUSE_S = 1.0


class LinkReader:
    """Reads the cards' files in turn until it is stopped; `traffic` gives the last answer and never waits."""

    def __init__(self, pause_s: float = _PAUSE_S) -> None:
        """pause_s: between two rounds over all cards."""
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._latest: dict[Path, Traffic] = {}

    def start(self, folders: Sequence[Path]) -> None:
        """folders: the PCI devices'. Ends an earlier round; its thread ends by itself after at most one read."""
        self.stop()
        self._stop = threading.Event()
        latest: dict[Path, Traffic] = {}
        self._latest = latest
        if folders:
            work = partial(self._rounds, tuple(folders), self._stop, latest)
            threading.Thread(target=work, name="tranship-amd-pcie", daemon=True).start()

    def stop(self) -> None:
        """Safe to call twice, and when never started. Does not wait for the thread."""
        self._stop.set()

    def traffic(self, folder: Path) -> Traffic:
        """The last answer for this card."""
        return self._latest.get(folder, (NOT_SAMPLED, NOT_SAMPLED))

    def _rounds(self, folders: tuple[Path, ...], stop: threading.Event, latest: dict[Path, Traffic]) -> None:
        while not stop.is_set():
            for folder in folders:
                if stop.is_set():
                    return
                latest[folder] = _read(folder)
            if all(found[0] is files.NOT_TOLD for found in latest.values()):
                return  # none of these cards counts its packets, and none will
            stop.wait(self._pause_s)


def _read(folder: Path) -> Traffic:
    if files.read_text(folder / "power/runtime_status") == "suspended":
        return _ASLEEP, _ASLEEP
    text = files.read_text(folder / "pcie_bw")
    return (text, text) if isinstance(text, Missing) else files.link_bytes(text)


_ASLEEP = Missing("the GPU sleeps")
