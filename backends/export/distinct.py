"""Containers of several engines in one export: no two of one name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backends.export.exported import Member
from backends.export.unsaid import Ledger


def distinct(members: Sequence[Member], ledger: Ledger) -> list[Member]:
    """The same, a second one of a name with a number behind it, which is told."""
    taken = {member.spec.name for member in members}
    seen: set[str] = set()
    made = []
    for member in members:
        name, count = member.spec.name, 1
        while name in seen or (count > 1 and name in taken):
            count += 1
            name = f"{member.spec.name}-{count}"
        seen.add(name)
        if name != member.spec.name:
            ledger.differs(member.spec.name, "name", f"another is called so too: this one is called {name}", warn=True)
        made.append(replace(member, spec=replace(member.spec, name=name)))
    return made


__all__ = ["distinct"]
