"""Pure: what engines say while they pull and push, as events. Docker's messages, which Podman speaks too, and Podman's.

Sources: moby distribution/pull_v2.go, push_v2.go, pkg/progress; podman pkg/api/handlers/utils/images.go; recorded from
Docker 26.1 and Podman 5.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backends.model.transfer import LayerPhase, LayerProgress, Said, TransferEvent

_PHASES = {
    "Pulling fs layer": LayerPhase.WAITING,
    "Waiting": LayerPhase.WAITING,
    "Preparing": LayerPhase.WAITING,
    "Downloading": LayerPhase.DOWNLOADING,
    "Verifying Checksum": LayerPhase.VERIFYING,
    "Download complete": LayerPhase.DOWNLOADED,
    "Extracting": LayerPhase.EXTRACTING,
    "Pull complete": LayerPhase.DONE,
    "Already exists": LayerPhase.PRESENT,
    "Pushing": LayerPhase.UPLOADING,
    "Pushed": LayerPhase.DONE,
    "Layer already exists": LayerPhase.PRESENT,
}
_DIGEST = re.compile(r"[Dd]igest: (sha256:[0-9a-f]{64})")
_UP_TO_DATE = "Image is up to date"
_BLOB = re.compile(r"Copying blob (?:sha256:)?([0-9a-f]{12})[0-9a-f]*(.*)")
_CONFIG = re.compile(r"Copying config (?:sha256:)?([0-9a-f]{12})")
_TRYING = re.compile(r"Trying to pull (\S+?)\.\.\.")
_ALIAS = re.compile(r'Resolved "?.*?"? as an alias \((.*)\)')
_SEARCH = re.compile(r'Resolving "?.*?"? using unqualified-search registries \((.*)\)')


def failure_of(message: Mapping[str, Any]) -> str:
    """The engine's words where the message says that it failed, else ""."""
    detail = message.get("errorDetail")
    told = detail.get("message") if isinstance(detail, Mapping) else None
    return str(message.get("error") or told or "").strip()


class DockerMessages:
    """Messages of one transfer, one after the other. unpacks: the engine says too when a layer is extracted."""

    def __init__(self, *, unpacks: bool = True) -> None:
        self._downloaded = LayerPhase.DOWNLOADED if unpacks else LayerPhase.DONE
        self.digest = ""
        self.changed = True

    def event(self, message: Mapping[str, Any]) -> TransferEvent | None:
        """What the message says, None where nothing that a person wants to know."""
        status, layer = str(message.get("status") or ""), str(message.get("id") or "")
        aux = message.get("aux")
        if isinstance(aux, Mapping):
            self.digest = str(aux.get("Digest") or self.digest)
        digest = _DIGEST.search(status)
        if digest is not None:
            self.digest = digest[1]
            return None
        if _UP_TO_DATE in status:
            self.changed = False
        phase = _phase(status)
        if not layer or phase is None:
            return Said(status) if status and not status.startswith("Pulling from") else None
        if phase is LayerPhase.DOWNLOADED:
            phase = self._downloaded
        detail = message.get("progressDetail")
        counts = detail if isinstance(detail, Mapping) else {}
        return LayerProgress(layer[:12], phase, _count(counts.get("current")), _count(counts.get("total")))


def _phase(status: str) -> LayerPhase | None:
    if status.startswith("Mounted from"):
        return LayerPhase.PRESENT
    return LayerPhase.RETRYING if status.startswith("Retrying in") else _PHASES.get(status)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


class PodmanLines:
    """Lines of one copy of Podman's ("Copying blob …"), which count no bytes.

    The config is copied when all blobs are: c/image copy/single.go, copyLayers before copyConfig.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, LayerPhase] = {}
        self.candidates: list[str] = []
        self.why = ""

    def events(self, line: str) -> list[TransferEvent]:
        """What the line says."""
        line = line.strip()
        blob, config, trying = _BLOB.match(line), _CONFIG.match(line), _TRYING.match(line)
        if blob is not None:
            phase = LayerPhase.PRESENT if "skipped" in blob[2] else LayerPhase.COPYING
            self._blobs[blob[1]] = phase
            return [LayerProgress(blob[1], phase)]
        if config is not None:
            return self._ended()
        if trying is not None:
            self.candidates.append(trying[1])
        elif (rule := _ALIAS.match(line)) is not None:
            self.why = f"an alias of {rule[1]}"
        elif (rule := _SEARCH.match(line)) is not None:
            self.why = f"the unqualified-search registries of {rule[1]}"
        return [Said(line)] if line else []

    def _ended(self) -> list[TransferEvent]:
        open_ = [blob for blob, phase in self._blobs.items() if not phase.ended]
        self._blobs |= dict.fromkeys(open_, LayerPhase.DONE)
        return [LayerProgress(blob, LayerPhase.DONE) for blob in open_]


__all__ = ["DockerMessages", "PodmanLines", "failure_of"]
