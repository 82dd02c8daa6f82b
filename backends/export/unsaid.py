"""What a format cannot say, kept field by field, and told as findings and as comments. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from backends.model.plan import Finding, Severity
from backends.model.settings import HealthSpec, LogSpec
from backends.model.workload import WorkloadSpec

PLAIN = WorkloadSpec("", "", health=HealthSpec(()), log=LogSpec())
"""A recipe in which nothing is set."""


@dataclass(frozen=True, slots=True)
class Never:
    """A field that a format has no word for. path: as in the recipe. what: for people. remedy: what to do instead."""

    path: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One remark. who: the container. path: of the recipe's field, "" where it is about none."""

    who: str
    path: str
    finding: Finding


@dataclass(slots=True)
class Ledger:
    """Remarks of one export. target: the format's name, as people read it."""

    target: str
    entries: list[Entry] = field(default_factory=list)

    def cannot(self, who: str, path: str, what: str, remedy: str = "") -> None:
        """The format has no word for it: it is lost."""
        finding = Finding(Severity.WARN, f"{who}: {self.target} cannot say {what}", remedy=remedy)
        self._add(Entry(who, path, finding))

    def differs(self, who: str, path: str, what: str, remedy: str = "", *, warn: bool = False) -> None:
        """It is said, or happens, in another way. warn: somebody has to do something about it."""
        severity = Severity.WARN if warn else Severity.NOTE
        self._add(Entry(who, path, Finding(severity, f"{who}: {what}" if who else what, remedy=remedy)))

    def _add(self, entry: Entry) -> None:
        if entry not in self.entries:
            self.entries.append(entry)

    def never(self, who: str, spec: WorkloadSpec, table: Sequence[Never], *, remedies: bool = True) -> None:
        """Tell each field of the table that is set. remedies: whether what the table advises holds here."""
        for row in table:
            value = field_of(spec, row.path)
            if value != field_of(PLAIN, row.path):
                shown = f" ({value})" if isinstance(value, str | int) and not isinstance(value, bool) else ""
                self.cannot(who, row.path, f"{row.what}{shown}", row.remedy if remedies else "")
        for unknown in spec.unmapped:
            self.differs(who, "unmapped", f"{unknown.path} is not in the export: {unknown.reason}")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All, the heavier first."""
        order = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.NOTE: 2}
        found = dict.fromkeys(entry.finding for entry in self.entries)
        return tuple(sorted(found, key=lambda one: order[one.severity]))

    def comments(self) -> Iterator[str]:
        """The same as lines for the file."""
        return map(sentence, self.findings)


def sentence(finding: Finding) -> str:
    """A finding as a line for a file."""
    return f"{finding.title}." + (f" {finding.remedy}" if finding.remedy else "")


def field_of(spec: WorkloadSpec, path: str) -> Any:
    """The value at "resources.ulimits"; that of PLAIN within a health check or a log that is not there."""
    absent = getattr(spec, path.partition(".")[0]) is None and "." in path
    return attrgetter(path)(PLAIN if absent else spec)


__all__ = ["PLAIN", "Entry", "Ledger", "Never", "field_of", "sentence"]
