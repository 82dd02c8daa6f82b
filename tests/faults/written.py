"""docs/reliability.md: the parts of it that scripts write. Measures nothing, and knows no fault."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import versions
from tests.real import RealEngines

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def write_part(part: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Put lines in place of those between the part's marks. ValueError where the page has no such part."""
    mark, end = f"<!-- part: {part} -->\n", "<!-- end -->"
    text = page.read_text(encoding="utf-8")
    new, found = re.subn(f"{re.escape(mark)}.*?{end}", lambda _: mark + "\n".join(lines) + f"\n{end}", text, flags=re.S)
    if not found:
        raise ValueError(f"{page} has no part {part}")
    page.write_text(new, encoding="utf-8")


def read_part(part: str, page: Path = PAGE) -> list[str]:
    """The lines between the part's marks. ValueError where the page has no such part."""
    mark = f"<!-- part: {part} -->\n"
    found = re.search(f"{re.escape(mark)}(.*?)\n?<!-- end -->", page.read_text(encoding="utf-8"), flags=re.S)
    if found is None:
        raise ValueError(f"{page} has no part {part}")
    return found[1].splitlines()


def told_by(real: RealEngines) -> str:
    """A line that tells when, and on what it was found."""
    made = ", ".join(f"{name} {value}" for name, value in versions(real).items())
    return f"*{datetime.now(UTC):%Y-%m-%d}. {made}.*"
