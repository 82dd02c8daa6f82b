"""The fixture of a cluster that runs; imported by those who use it, since others need not load its client. No test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster.server import FakeCluster


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    """A cluster that runs."""
    made = FakeCluster()
    await made.start()
    yield made
    await made.close()


__all__ = ["cluster"]
