"""What only a thorough run tries (TRANSHIP_THOROUGH=1): more of what another case of the same test proves already.

CI has 15 minutes and two cores. A case may stand here only where each of its parts (a step, a direction, an engine) is
in a case that every run tries; CONTRIBUTING.md says when to run all.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
ON = os.environ.get("TRANSHIP_THOROUGH") == "1"


def thorough(*cases: T) -> list[T]:
    """The cases in a thorough run, else none."""
    return list(cases) if ON else []
