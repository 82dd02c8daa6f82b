"""Room on the real engines for trials and sweeps, cleared afterwards whatever happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from backends.migration.images import ship
from backends.services import image_copies
from tests.engines_migration.yard import Yard
from tests.loopback import engines_pid, served_in
from tests.real import RealEngines


@pytest.fixture
async def yard(
    real_engines: RealEngines, run_label: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Yard]:
    """The registry of an image's copy is made reachable where the engines are."""
    monkeypatch.setattr(image_copies, "ship", partial(ship, serve=served_in(engines_pid(real_engines.dir))))
    made = Yard(real_engines, run_label, tmp_path)
    try:
        yield made
    finally:
        await made.clear()
