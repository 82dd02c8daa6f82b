"""A pull or push as it stands: what was asked, each layer, all bytes together. Pure; `after` makes the next of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import EngineId
from backends.model.transfer import LayerPhase, LayerProgress, Resolved, Said, TransferEvent, Transferred

_ON_THE_WAY = frozenset({LayerPhase.DOWNLOADING, LayerPhase.UPLOADING})


@dataclass(frozen=True, slots=True)
class TransferAsk:
    """What a person asked for. reference: as written. push: to the registry, else from it. See Engine.pull."""

    engine: EngineId
    reference: str
    push: bool = False
    platform: str = ""
    insecure: bool = False

    @property
    def verb(self) -> str:
        """ "pull" or "push"."""
        return "push" if self.push else "pull"


@dataclass(frozen=True, slots=True)
class LayerState:
    """One layer. sent_bytes: that have passed the wire; size_bytes: of all that pass, None where not told (yet).

    step_bytes, step_total_bytes: of what is done to it now (extracting), None where not told.
    """

    id: str
    phase: LayerPhase
    sent_bytes: int = 0
    size_bytes: int | None = None
    step_bytes: int | None = None
    step_total_bytes: int | None = None

    def after(self, event: LayerProgress) -> LayerState:
        """With what was just said of it."""
        phase, done, total = event.phase, event.done_bytes, event.total_bytes
        sent, size = self.sent_bytes, self.size_bytes
        if phase is LayerPhase.PRESENT:
            return LayerState(self.id, phase)  # nothing of it travels
        if phase in _ON_THE_WAY:
            size = total or size
            sent = max(sent, done or 0)
            size = max(size, sent) if size is not None else None  # engines send a little more than they announced
        elif phase is LayerPhase.RETRYING:
            sent = 0
        elif phase is not LayerPhase.WAITING and size is not None:
            sent = size
        return LayerState(self.id, phase, sent, size, done, total)


@dataclass(frozen=True, slots=True)
class TransferState:
    """A transfer. said: the engine's last line. error: with FAILED. bytes_per_s, eta_s: None where not known.

    done_bytes: that have passed. total_bytes: None until the size of each layer that travels is known: engines that
    bring a few at a time tell it late, and some never. most_at_once: layers that were on their way together.
    """

    ask: TransferAsk
    phase: Phase = Phase.STARTED
    layers: tuple[LayerState, ...] = ()
    meaning: Resolved | None = None
    said: str = ""
    result: Transferred | None = None
    error: BackendError | None = None
    bytes_per_s: float | None = None
    eta_s: float | None = None
    most_at_once: int = 0

    @property
    def under_way(self) -> bool:
        """It has not ended."""
        return self.phase in {Phase.STARTED, Phase.PROGRESS}

    @property
    def name(self) -> str:
        """In full where it is known."""
        return self.meaning.reference if self.meaning is not None else self.ask.reference

    @property
    def done_bytes(self) -> int:
        """Of all layers."""
        return sum(layer.sent_bytes for layer in self.layers)

    @property
    def complete(self) -> bool:
        """All layers are known: the engine names them at the beginning, or fewer are on their way than were before, so
        that none waits to be named.
        """
        if self.meaning is None or self.meaning.lists or self.phase is Phase.DONE:
            return True
        return len(self.layers) - self.ended_layers < self.most_at_once

    @property
    def known_bytes(self) -> int:
        """Of the layers whose size is known by now: at least so many pass."""
        return sum(layer.size_bytes or 0 for layer in self.layers)

    @property
    def total_bytes(self) -> int | None:
        """Of all layers that travel."""
        if not self.complete:
            return None
        sizes = [layer.size_bytes for layer in self.layers if not (layer.phase.ended and layer.size_bytes is None)]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    @property
    def ended_layers(self) -> int:
        """Of which nothing is left to do."""
        return sum(layer.phase.ended for layer in self.layers)

    def after(self, event: TransferEvent) -> TransferState:
        """With what the engine just said."""
        if isinstance(event, LayerProgress):
            layers = _with(self.layers, event)
            running = sum(not layer.phase.ended for layer in layers)
            return replace(self, phase=Phase.PROGRESS, layers=layers, most_at_once=max(running, self.most_at_once))
        if isinstance(event, Resolved):
            return replace(self, phase=Phase.PROGRESS, meaning=event)
        if isinstance(event, Said):
            return replace(self, phase=Phase.PROGRESS, said=event.text)
        # Docker with containerd's store names no layer after its download: it is unpacked by now. Podman counts the
        # configuration among the layers; its digest is the image's id.
        known = (layer for layer in self.layers if layer.id != event.image_id[: len(layer.id)])
        ended = tuple(layer if layer.phase.ended else replace(layer, phase=LayerPhase.DONE) for layer in known)
        return replace(self, phase=Phase.DONE, layers=ended, result=event, bytes_per_s=None, eta_s=None)


def _with(layers: tuple[LayerState, ...], event: LayerProgress) -> tuple[LayerState, ...]:
    for at, layer in enumerate(layers):
        if layer.id == event.id:
            return (*layers[:at], layer.after(event), *layers[at + 1 :])
    return (*layers, LayerState(event.id, event.phase).after(event))


__all__ = ["LayerState", "TransferAsk", "TransferState"]
