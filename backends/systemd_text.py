"""Words in systemd's unit files, written so that they come back as they were. Pure.

Sources: systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers".
"""

from __future__ import annotations

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def literal(text: str, *, variables: bool = True) -> str:
    """The text with what systemd would replace in it doubled. variables: where "$" is one, as on a command line."""
    text = text.replace("%", "%%")
    return text.replace("$", "$$") if variables else text


def quoted(text: str, *, variables: bool = True) -> str:
    """As one word, control characters as escapes. variables: as `literal` has it."""
    inner = "".join(
        _ESCAPES.get(one) or (f"\\x{ord(one):02x}" if ord(one) < 32 or ord(one) == 127 else one)
        for one in literal(text, variables=variables)
    )
    return f'"{inner}"'


__all__ = ["literal", "quoted"]
