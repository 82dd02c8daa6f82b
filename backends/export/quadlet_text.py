"""Text of Quadlet unit files: values written so that the generator and systemd give back the same words. Pure.

Sources: podman-systemd.unit(5) of Podman 5.4; systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines": the
generator passes values on to ExecStart, where systemd puts in "%" specifiers and "$" variables, each escaped by itself
doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from backends.systemd_text import literal, quoted

_PLAIN = re.compile(r"[A-Za-z0-9_/@.:+-][A-Za-z0-9_/@.:=,+-]*")
"""What needs no quotes anywhere in a unit file."""


def line(text: str) -> str:
    """As `literal`, and on one line: of what no engine lets have another, as names and references."""
    return literal(" ".join(text.split()))


def word(text: str) -> str:
    """One word of a list of words, quoted where that is needed."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def words(texts: Iterable[str]) -> str:
    """A list of words."""
    return " ".join(word(text) for text in texts)


def bare(text: str) -> bool:
    """Whether a key that takes its value as it stands can have it: one line, no edges to be stripped, no escapes."""
    return bool(text) and text == text.strip() and "\\" not in text and text.isprintable() and text[0] not in "\"'"


def comment(text: str) -> str:
    """A line of comment, whatever the text holds: what ends a line anywhere is a space here."""
    return "# " + " ".join(text.split())


def section(name: str, lines: Iterable[str]) -> list[str]:
    """A section with its lines; none where it has none."""
    body = list(lines)
    return ["", f"[{name}]", *body] if body else []


__all__ = ["bare", "comment", "line", "literal", "section", "word", "words"]
