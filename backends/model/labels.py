"""The labels by which containers that Tranship makes for itself are known."""

from __future__ import annotations

HELPER_LABEL = "tranship.helper"
"""Label on containers that an adapter makes for a moment to reach a volume; its value is our process's number."""

HELPER_STARTED_LABEL = "tranship.helper.started"
"""Beside it: when that process began, in clock ticks since boot; a number alone may be another process's by now."""

TRIAL_LABEL = "tranship.trial"
"""Label on all that a trial or a sweep makes; its value tells the process that will remove it."""
