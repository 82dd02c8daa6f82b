"""The labels by which containers that Tranship makes for itself are known."""

from __future__ import annotations

HELPER_LABEL = "tranship.helper"
"""Label on containers that an adapter makes for a moment to reach a volume; its value is our process's number."""

TRIAL_LABEL = "tranship.trial"
"""Label on all that a trial or a sweep makes; its value tells the process that will remove it."""
