"""What a draft refers to outside itself: this person's environment, files and folders. Reads files when asked."""

from __future__ import annotations

import os
from pathlib import Path

from backends.draft.spec import Around
from backends.model.fleet import EngineView
from tui.here import here


def around_of(engine: EngineView | None) -> Around:
    """For a container on that engine: "~" and "." are this machine's where the engine is on it."""
    local = engine is not None and engine.info is not None and engine.info.local
    return Around(
        os.environ,
        lambda path: Path(os.path.expanduser(path)).read_text(encoding="utf-8"),
        home=str(Path.home()) if local else "",
        folder=str(here()) if local else "",
    )


__all__ = ["around_of"]
