"""JSON as rows that fold: which are open, which hold a text, what each shows. Pure; knows no widget."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from widgets.line import Line, Tone, line
from widgets.text import inert

Path = tuple[str | int, ...]
Mask = Callable[[str | int | None, str], str]
"""A value's name (or place) and its text to the text that may be shown."""
_LONG = 2_000  # characters of one value that are shown


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One row. path: of its value. holds: it has parts, which are shown where it is open."""

    path: Path
    holds: bool
    open: bool
    shown: Line


class JsonFold:
    """A value with some of its parts folded: at first all but the outermost. mask: hides secrets in a text."""

    def __init__(self, value: object, mask: Mask) -> None:
        self._value, self._mask = value, mask
        self._open: set[Path] = {()}
        self._rows: list[JsonRow] | None = None

    def rows(self) -> list[JsonRow]:
        """All rows in sight, from top to bottom."""
        if self._rows is None:
            self._rows = list(self._rows_of(self._value, (), None))[1:]
        return self._rows

    def set_value(self, value: object) -> None:
        """A newer value; what is open stays so."""
        self._value, self._rows = value, None

    def set_mask(self, mask: Mask) -> None:
        """Hide other things."""
        self._mask, self._rows = mask, None

    def set_open(self, path: Path, opened: bool) -> None:
        """Open or fold a value."""
        (self._open.add if opened else self._open.discard)(path)
        self._rows = None

    def set_all(self, opened: bool) -> None:
        """Open or fold all."""
        self._open = {()} | ({path for path, value in _walk(self._value, ()) if _holds(value)} if opened else set())
        self._rows = None

    def find(self, text: str) -> list[Path]:
        """Paths of what holds the text (any case) in its name or value, from top to bottom; what is above is opened."""
        needle = text.lower()
        if not needle:
            return []
        found = []
        for path, value in _walk(self._value, ()):
            name = str(path[-1]).lower() if path and isinstance(path[-1], str) else ""
            own = "" if _holds(value) else self._mask(path[-1] if path else None, str(value)).lower()
            if path and (needle in name or needle in own):
                found.append(path)
                self._open.update(path[:depth] for depth in range(len(path)))
        self._rows = None
        return found

    def _rows_of(self, value: object, path: Path, name: str | int | None) -> Iterator[JsonRow]:
        holds, opened = _holds(value), path in self._open
        indent = "  " * max(0, len(path) - 1)
        mark = ("▾ " if opened else "▸ ") if holds else "  "
        head = (name if isinstance(name, str) else f"[{name}]") if name is not None else ""
        parts = [(f"{indent}{mark}", Tone.DIM), (inert(head), Tone.INFO), (": ", Tone.DIM)]
        if holds:
            count = len(value)  # type: ignore[arg-type]  # what holds parts has a length
            word = ("key" if isinstance(value, dict) else "item") + ("s" if count != 1 else "")
            parts.append((f"{count} {word}", Tone.DIM))
        else:
            parts.append(self._leaf(value, name))
        yield JsonRow(path, holds, opened, line(*parts))
        if holds and opened:
            for key, part in _parts(value):
                yield from self._rows_of(part, (*path, key), key)

    def _leaf(self, value: object, name: str | int | None) -> tuple[str, Tone]:
        if isinstance(value, str):
            text = self._mask(name, value)[:_LONG]
            return inert(text) or "“”", Tone.PLAIN if text else Tone.DIM
        return json.dumps(value, default=str), Tone.DIM if value in (None, {}, []) else Tone.ACCENT


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _parts(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        yield from ((str(key), part) for key, part in value.items())
    elif isinstance(value, list):
        yield from enumerate(value)


def _walk(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    yield path, value
    for key, part in _parts(value):
        yield from _walk(part, (*path, key))
