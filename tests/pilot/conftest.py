"""For the pilot tests: nothing is waited for that is proved elsewhere."""

from __future__ import annotations

import pytest

from tests.hurry import hurry


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `hurry`."""
    hurry(monkeypatch)
