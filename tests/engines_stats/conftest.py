"""Containers that are removed after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines_stats.busy import Containers
from tests.real import RealEngines


@pytest.fixture
def containers(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Containers]:
    made = Containers(real_engines, run_label)
    yield made
    made.remove_all()
