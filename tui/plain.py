"""Text for terminals that have ASCII only: each character becomes one that says the same, as many cells wide. Pure."""

from __future__ import annotations

import codecs
import unicodedata

from widgets.text import width_of

_SAME = {
    "…": "~", "·": ".", "→": ">", "←": "<", "↑": "^", "↓": "v", "“": '"', "”": '"', "\u2018": "'", "’": "'",
    "✕": "x", "✗": "x", "✓": "v", "°": "'", "▲": "^", "▼": "v", "▶": ">", "◀": "<", "▸": ">", "◂": "<", "▾": "v",
    "×": "x", "–": "-", "—": "-", "●": "*", "○": "o", "◌": "o", "◐": "%", "◒": "%", "◍": "!", "≥": ">", "≤": "<",
    "≠": "!", "≈": "~", "•": "*", "↻": "@", "↷": "@", "▌": ">", "▎": "|", "▏": "|", "▕": "|", "▐": "|", "█": "#",
}  # fmt: skip
_BLOCKS = dict(zip("▁▂▃▄▅▆▇", "__.--=+", strict=True))
_SHADES = {"░": ".", "▒": ":", "▓": "#", "━": "=", "╸": "=", "╌": "."}


def _ascii(character: str) -> str:
    known = _SAME.get(character) or _BLOCKS.get(character) or _SHADES.get(character)
    if known:
        return known
    if "\u2500" <= character <= "\u257f":  # box drawing
        name = unicodedata.name(character, "")
        if "HORIZONTAL" in name and "VERTICAL" not in name and " AND " not in name:
            return "-"
        return "|" if "VERTICAL" in name and "HORIZONTAL" not in name and " AND " not in name else "+"
    if "\u2580" <= character <= "\u259f":  # what is left of the block elements
        return "#"
    if "\u2800" <= character <= "\u28ff":  # braille, as plots draw with
        return " " if character == "\u2800" else ":"
    base = unicodedata.normalize("NFKD", character)[:1]
    plain = base if base.isascii() and base.isprintable() and base else "?"
    return plain.ljust(width_of(character), "?") if width_of(character) else ""


class _Table(dict[int, str]):
    """For str.translate: each character is looked at once."""

    def __missing__(self, point: int) -> str:
        self[point] = chr(point) if point < 0x80 else _ascii(chr(point))
        return self[point]


_TABLE = _Table()


def ascii_text(text: str) -> str:
    """The text in ASCII, as many cells wide."""
    return text if text.isascii() else text.translate(_TABLE)


def _handle(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return ascii_text(error.object[error.start : error.end]), error.end


HANDLER = "tranship-ascii"
"""Name for the `errors` of a text stream: what its encoding has not is written as ASCII."""
codecs.register_error(HANDLER, _handle)
