"""Shortens what tests on the demo fleet would only wait out. Takes no wait away, and changes no real engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.engines import demo_fleet
from backends.engines.demo_actions import Role
from backends.migration.resume import resume
from backends.migration.run import run_migration
from backends.migration.together import resume_together, run_together

HEALTHY_S = 0.05
WATCH_S = 0.02
_role_of = demo_fleet.role_of


def _soon_healthy(image: str) -> Role:
    """What the program of an image does, its health check's first result there almost at once."""
    role = _role_of(image)
    return replace(role, check=replace(role.check, first_s=HEALTHY_S)) if role.check is not None else role


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one test: copies in the demo are soon healthy and shortly watched, and what is busy is soon tried again.

    Each wait is still there, and is waited out: only shorter.
    """
    monkeypatch.setattr(demo_fleet, "role_of", _soon_healthy)
    monkeypatch.setattr("backends.migration.rollback.RETRY_EVERY_S", 0.005)
    for carry_out in (run_migration, resume, run_together, resume_together):
        defaults = carry_out.__kwdefaults__
        assert defaults is not None
        assert "watch_s" in defaults
        monkeypatch.setitem(defaults, "watch_s", WATCH_S)
