"""Text of Quadlet unit files: values written so that the generator and systemd give back the same words. Pure.

Sources: podman-systemd.unit(5) of Podman 5.4; systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines": the
generator passes values on to ExecStart, where systemd puts in "%" specifiers and "$" variables, each escaped by itself
doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9_/@.:+-][A-Za-z0-9_/@.:=,+-]*")
"""What needs no quotes anywhere in a unit file."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def literal(text: str) -> str:
    """The text with what systemd would replace in it doubled."""
    return text.replace("%", "%%").replace("$", "$$")


def line(text: str) -> str:
    """The same on one line: of what no engine lets have another, as names and references."""
    return literal(" ".join(text.split()))


def word(text: str) -> str:
    """One word of a list of words, quoted where that is needed. Control characters as systemd's octal escapes."""
    if _PLAIN.fullmatch(text):
        return text
    inner = "".join(_ESCAPES.get(one) or (f"\\{ord(one):03o}" if ord(one) < 32 else one) for one in literal(text))
    return f'"{inner}"'


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
