"""AMD's GPUs by the kernel's files (sysfs, fdinfo, KFD), and by amdsmi where it is installed. Changes no setting.

What the driver refuses is Missing with the reason. Read once: names, sizes and thresholds; every 2 s: temperature,
power, fan, clocks; every 10 s: errors; at each sample: use, memory and processes. A card that goes away keeps its place
with the reason, and is read again when it comes back.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backends.gpu import amd_card as card_files
from backends.gpu import amd_files as files
from backends.gpu.amd_link import LinkReader, Traffic
from backends.gpu.amd_processes import ProcessReader
from backends.gpu.amd_smi import AmdSmi
from backends.gpu.hidden import HIDDEN_NOTE, in_a_container
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.gpu.unread import unread
from backends.model.gpu import GpuDevice, GpuHealth, GpuProcess, GpuReading, GpuSnapshot, memory_percent
from backends.model.values import Missing

SLOW_TIER_S = 2.0
HEALTH_TIER_S = 10.0  # the driver asks the hardware for its error counters
SEARCH_S = 5.0  # between looks for cards that came, or came back

GONE = "the GPU is gone: the kernel does not show it any more"
GONE_HINT = "`dmesg` tells why; a reset or `modprobe amdgpu` may bring it back"
ASLEEP = "the GPU sleeps, and is not woken to be read"
ASLEEP_HINT = "it wakes when something uses it"
_NO_GPU = "the GPU is gone"
_NO_POWER = "the GPU sleeps"


@dataclass(slots=True)
class _Card:
    """One device. slow_at, health_at: clock seconds of their last read. gone: the kernel did not show it lately."""

    place: card_files.Place
    device: GpuDevice
    slow: card_files.Slow
    health: GpuHealth
    slow_at: float = float("-inf")
    health_at: float = float("-inf")
    gone: bool = False


class AmdProbe:
    """A GpuProbe. For one thread; PCIe traffic is read in another one that it starts and stops."""

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        smi: AmdSmi | None = None,
        link: LinkReader | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """root: for tests, another tree with the machine's layout (sys, proc, usr)."""
        self._root = root
        self._sys = root / "sys"
        self._smi = smi or AmdSmi()
        self._link = link or LinkReader()
        self._clock = clock
        self._processes = ProcessReader(root / "proc", self._sys, clock)
        self._cards: list[_Card] = []
        self._notes: tuple[str, ...] = ()
        self._hidden = False
        self._searched_at = float("-inf")

    def open(self) -> None:
        """Find the cards. VendorAbsent where there is none of AMD's, GpuAbsent where its driver is not loaded."""
        self.close()
        self._smi.open()
        self._hidden = in_a_container(self._root / "proc", self._root)
        self._search()
        if not self._cards:
            self.close()
            raise self._absence()

    def sample(self) -> GpuSnapshot:
        """All cards now. GpuAbsent where the driver was unloaded since it was opened."""
        if not self._cards:
            raise GpuAbsent("The AMD driver is not open")
        if self._clock() - self._searched_at >= SEARCH_S:
            self._search()
        self._look_for_cards()
        there = [card for card in self._cards if not card.gone]
        if not there and not (self._sys / "module" / card_files.DRIVER).exists():
            raise GpuAbsent("AMD's driver amdgpu was unloaded", hint="load it again: modprobe amdgpu")
        processes = self._processes.read({card.place.pci: card.device.uuid for card in there})
        readings = tuple(self._reading(card, processes.get(card.place.pci, ())) for card in self._cards)
        notes = (*self._notes, HIDDEN_NOTE) if self._hidden else self._notes
        return GpuSnapshot(readings, driver_version=self._version(), notes=notes)

    def close(self) -> None:
        """Stop the thread and let the library go; safe to call twice and when never opened."""
        self._link.stop()
        self._smi.close()
        self._cards = []
        self._searched_at = float("-inf")

    def _search(self) -> None:
        """New cards go behind those that are known, so that no card changes its index while the program runs."""
        self._searched_at = self._clock()
        found = card_files.places(self._sys)
        self._notes = tuple(
            f"the AMD GPU at {place.pci} is run by {place.driver or 'no driver'}, which tells no readings"
            for place in found
            if place.driver != card_files.DRIVER
        )
        known = {card.place.pci: card for card in self._cards}
        changed = not self._cards
        for place in found:
            card = known.get(place.pci)
            if place.driver == card_files.DRIVER and card is None:
                self._cards.append(self._new(place, len(self._cards)))
                changed = True
            elif card is not None and card.place.folder != place.folder:
                card.place, changed = place, True
        if changed:
            self._arrived()

    def _look_for_cards(self) -> None:
        """Mark those that went away, and begin anew with those that came back."""
        back = False
        for card in self._cards:
            gone = not card_files.is_there(card.place)
            if card.gone and not gone:
                card.slow_at = card.health_at = float("-inf")
                card.device, back = self._described(card.place, card.device.index), True
            card.gone = gone
        if back:
            self._arrived()

    def _arrived(self) -> None:
        self._processes.open(by_kfd=not self._hidden)
        self._link.start([card.place.folder for card in self._cards])

    def _new(self, place: card_files.Place, index: int) -> _Card:
        return _Card(place, self._described(place, index), card_files.Slow(), GpuHealth())

    def _described(self, place: card_files.Place, index: int) -> GpuDevice:
        names = self._root / card_files.MARKETING_NAMES
        device = card_files.describe(place, index, names, self._smi.name(place.pci))
        total = self._smi.memory_total_bytes(place.pci, device.memory_total_bytes)
        return replace(device, memory_total_bytes=total)

    def _reading(self, card: _Card, processes: tuple[GpuProcess, ...]) -> GpuReading:
        now = self._clock()
        if card.gone:
            return unread(card.device, now, _NO_GPU, condition=GONE, hint=GONE_HINT)
        if card_files.sleeps(card.place):
            return unread(card.device, now, _NO_POWER, condition=ASLEEP, hint=ASLEEP_HINT)
        if now - card.slow_at >= SLOW_TIER_S:
            card.slow, card.slow_at = card_files.slow(card.place), now
        if now - card.health_at >= HEALTH_TIER_S:
            card.health, card.health_at = card_files.health(card.place), now
        fast = self._smi.filled(card.place.pci, card_files.fast(card.place))
        return _whole(card, fast, self._link.traffic(card.place.folder), processes, self._processes.refused, now)

    def _version(self) -> str:
        """Of AMD's own packages; the driver that comes with the kernel has the kernel's."""
        version = files.read_text(self._sys / "module" / card_files.DRIVER / "version")
        return f"Linux {platform.release()}" if isinstance(version, Missing) else version

    def _absence(self) -> GpuAbsent:
        hidden = card_files.not_shown(self._sys)
        bare = [place.pci for place in hidden if not place.driver]
        if bare:
            return GpuAbsent(
                f"AMD GPU at {', '.join(bare)}, but its driver amdgpu is not loaded",
                hint="load it with `modprobe amdgpu`; where that fails, `dmesg` tells why",
            )
        if self._notes:
            return GpuAbsent(self._notes[0], hint="only the driver amdgpu tells readings: GCN cards and newer have it")
        if hidden:  # vfio-pci: kept for virtual machines, on purpose
            return VendorAbsent(f"The AMD GPU at {hidden[0].pci} is kept by {hidden[0].driver}")
        return VendorAbsent("No AMD GPU on this machine")


def _whole(
    card: _Card,
    fast: card_files.Fast,
    traffic: Traffic,
    processes: tuple[GpuProcess, ...],
    refused: str,
    now: float,
) -> GpuReading:
    total, used = card.device.memory_total_bytes, fast.memory_used_bytes
    free = total if isinstance(total, Missing) else used if isinstance(used, Missing) else max(0, total - used)
    return GpuReading(
        device=card.device,
        sampled_at=now,
        gpu_percent=fast.gpu_percent,
        memory_percent=memory_percent(used, total),
        memory_used_bytes=used,
        temperature_c=card.slow.temperature_c,
        power_w=card.slow.power_w,
        power_limit_w=card.slow.power_limit_w,
        fan_percent=card.slow.fan_percent,
        processes=processes,
        processes_refused=refused,
        memory_free_bytes=free,
        memory_reserved_bytes=card_files.KEPT_UNTOLD,
        memory_busy_percent=fast.memory_busy_percent,
        encoder_percent=card_files.VIDEO_UNTOLD,
        decoder_percent=card_files.VIDEO_UNTOLD,
        pcie_rx_bytes_s=traffic[0],
        pcie_tx_bytes_s=traffic[1],
        clocks=card.slow.clocks,
        health=card.health,
    )
