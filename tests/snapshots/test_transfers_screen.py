"""Pictures of pulls and pushes, and of the question what to pull. States injected; nothing is transferred."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.model.errors import RateLimited
from backends.model.events import Phase
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import LayerPhase, LayerProgress, Resolved, Transferred
from backends.model.transfer_state import TransferAsk, TransferState
from tests.snapshots.still import still_app
from tests.snapshots.test_images_screen import there
from tests.snapshots.test_screens import Compare, colours, script
from tui.transfer_commands import TransferCommands

pytestmark = pytest.mark.usefixtures(colours.__name__)

DOCKER, PODMAN = EngineId(EngineKind.DEMO, "demo-docker"), EngineId(EngineKind.DEMO, "demo-podman")
MIB = 1 << 20


def states(_commands: TransferCommands) -> dict[int, TransferState]:
    """One under way, one pushed, one that failed, one that was cancelled."""
    pull = TransferState(TransferAsk(DOCKER, "vllm/vllm-openai:v0.7.0"))
    full = "docker.io/vllm/vllm-openai:v0.7.0"
    pull = pull.after(Resolved(full, (full,), "Docker Hub, as no registry is named"))
    for number, (phase, done, total) in enumerate(
        [
            (LayerPhase.PRESENT, None, None),
            (LayerPhase.EXTRACTING, 60 * MIB, 160 * MIB),
            (LayerPhase.DOWNLOADING, 900 * MIB, 2410 * MIB),
            (LayerPhase.DOWNLOADING, 1100 * MIB, 7020 * MIB),
            (LayerPhase.RETRYING, None, None),
        ]
    ):
        layer = f"{number:x}" * 12
        pull = pull.after(LayerProgress(layer, LayerPhase.DOWNLOADING, 1, total or 3 * MIB))
        pull = pull.after(LayerProgress(layer, phase, done, total))
    push = TransferState(TransferAsk(PODMAN, "quay.io/team/embedder:1.0", push=True))
    push = push.after(LayerProgress("a" * 12, LayerPhase.DONE)).after(
        Transferred("quay.io/team/embedder:1.0", "f" * 64, "sha256:" + "d" * 64)
    )
    limited = RateLimited("docker.io limits how often it is asked", hint="Wait a while.", engine=PODMAN)
    failed = replace(TransferState(TransferAsk(PODMAN, "alpine")), phase=Phase.FAILED, error=limited)
    off = replace(TransferState(TransferAsk(DOCKER, "redis:7")), phase=Phase.CANCELLED)
    return {4: replace(pull, bytes_per_s=85.0 * MIB, eta_s=89.0), 3: push, 2: failed, 1: off}


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_pulls_and_pushes(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(TransferCommands, "states", property(states))
    before = script("a", then=there, after=("v",))
    assert snap_compare(still_app(), terminal_size=size, run_before=before)


def test_what_to_pull_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    before = script("a", then=there, after=("p", *"python", "tab", "tab"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)
