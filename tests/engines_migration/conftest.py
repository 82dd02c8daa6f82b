"""One yard for each test, cleared afterwards whatever happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines_migration.yard import Yard
from tests.real import RealEngines


@pytest.fixture
async def yard(real_engines: RealEngines, run_label: dict[str, str], tmp_path: Path) -> AsyncIterator[Yard]:
    """Room on the real engines."""
    made = Yard(real_engines, run_label, tmp_path)
    try:
        yield made
    finally:
        await made.clear()
