"""An engine's lists, read row by row: what cannot be read of one row costs that part alone, and is told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from backends.model.container import Container
from backends.model.events import EngineEvent
from backends.model.image import Image
from backends.model.network import Network
from backends.model.values import NOT_ALL_READ
from backends.model.workload import Volume
from backends.wire.failures import MISSHAPEN

Json = Mapping[str, Any]
R = TypeVar("R", Container, EngineEvent, Image, Network, Volume)

_WORDS = 200
"""Characters of an error that are told: some repeat what they could not read."""


def entries_of(answer: object) -> Sequence[Any]:
    """The entries of a list; null is an empty one. Raises TypeError for what is none."""
    if answer is None:
        return ()
    if not isinstance(answer, list):
        raise TypeError(f"a list was to come, not {type(answer).__name__}")
    return answer


def rows_of(answer: object, read: Callable[[Json], R], *named: str) -> list[R]:
    """A row for each entry of a list. read, named: as for `row_of`. Raises TypeError for what is no list."""
    return [row_of(entry, at, read, *named) for at, entry in enumerate(entries_of(answer), start=1)]


def row_of(entry: Any, at: int, read: Callable[[Json], R], *named: str) -> R:
    """The row of an entry; where that is misshapen, of its parts that can be read, and `why` names the others.

    read: reads an entry, which may lack all but what is named, the keys by which it is known. at: its place in the
    list, from 1; where not even a name can be read, "?" and that place stand for it.
    """
    try:
        _names(entry, named)
        return read(entry)
    except MISSHAPEN:
        return _salvaged(entry, at, read, named)


def _names(entry: Any, named: Sequence[str]) -> None:
    for key in named:
        if not isinstance(entry[key], str):
            raise TypeError(f"{key} is no text")


def _salvaged(entry: Any, at: int, read: Callable[[Json], R], named: Sequence[str]) -> R:
    parts = entry if isinstance(entry, Mapping) else {}
    wrong = [] if parts is entry else [f"the whole ({type(entry).__name__})"]
    known: dict[str, Any] = {}
    for key in named:
        known[key] = parts.get(key)
        if not isinstance(known[key], str):
            wrong.append(f"{key} ({'no text' if key in parts else 'missing'})")
            known[key] = f"?{at}"
    kept = dict(known)
    for key in parts.keys() - known.keys():
        try:
            read({**known, key: parts[key]})
        except MISSHAPEN as error:
            wrong.append(f"{key} ({type(error).__name__}: {str(error)[:_WORDS]})")
        else:
            kept[key] = parts[key]
    try:
        row = read(kept)
    except MISSHAPEN as error:  # parts that do not go together
        wrong.append(f"{type(error).__name__}: {str(error)[:_WORDS]}")
        row = read(known)
    return replace(row, why=f"{NOT_ALL_READ}: {', '.join(sorted(wrong))}")


def text_of(entry: Json, key: str) -> str:
    """A text of an entry; "" where it is absent or null. Raises TypeError for anything else."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


__all__ = ["entries_of", "row_of", "rows_of", "text_of"]
