"""Names of the host's users. May block: names may come from a directory server."""

from __future__ import annotations

import pwd
from collections.abc import Iterable
from functools import lru_cache


def user_names(ids: Iterable[int]) -> dict[int, str]:
    """A name for each id: the system's, or the id itself where it knows none."""
    return {id: _name(id) for id in set(ids)}


@lru_cache(maxsize=1024)
def _name(id: int) -> str:
    try:
        return pwd.getpwuid(id).pw_name
    except (KeyError, OverflowError):  # nobody has it: a user of a container's own, or no id at all
        return str(id)
