"""A machine's trees, for every test of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cgroups.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    """Makes a machine of one layout."""
    return lambda layout: Machine(tmp_path, layout)
