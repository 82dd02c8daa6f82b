"""Each engine's short name in the table: pure. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backends.model.fleet import EngineView
from backends.model.ids import EngineId, EngineKind
from widgets.line import Tone
from widgets.text import cut_middle, inert

MOST = 12  # cells of the longest badge
_SHORT = {EngineKind.DOCKER: "DKR", EngineKind.PODMAN: "PDM", EngineKind.KUBERNETES: "K8S", EngineKind.DEMO: "DEMO"}
_TONES = {EngineKind.PODMAN: Tone.PODMAN, EngineKind.KUBERNETES: Tone.CLUSTER}
ROOTLESS = "ʳ"  # set behind the name of a rootless engine; the status bar says the word


def _rootless(view: EngineView) -> bool:
    return view.info.rootless if view.info is not None else "rootless" in view.id.name


def _badge(view: EngineView) -> str:
    short = _SHORT[view.id.kind]
    if view.id.kind is EngineKind.DEMO and view.id.plays.value in view.id.name:
        short = f"{short}·{_SHORT[view.id.plays][0]}"
    return short + (ROOTLESS if _rootless(view) else "")


def badges(engines: Iterable[EngineView]) -> Mapping[EngineId, str]:
    """A badge for each engine: "DKR", "PDM", "PDMʳ" (rootless), "K8S", "DEMO·D".

    Two that would look alike get their names.
    """
    views = list(engines)
    plain = {view.id: _badge(view) for view in views}
    said = list(plain.values())
    return {
        engine: badge if said.count(badge) == 1 else cut_middle(inert(engine.name), MOST)
        for engine, badge in plain.items()
    }


def badge_tone(engine: EngineId) -> Tone:
    """The tone of an engine's badge: each kind has its own, a demo engine has that of what it plays."""
    return _TONES.get(engine.plays, Tone.DOCKER)
