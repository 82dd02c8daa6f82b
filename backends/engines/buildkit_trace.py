"""BuildKit's account of a build: its protobuf messages as far as a person wants to know them. Pure; keeps nothing.

Two dozen lines of wire format in place of the protobuf package and generated code: three kinds of messages are read.
Sources: protobuf.dev/programming-guides/encoding; buildkit, api/services/control/control.proto (StatusResponse).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Vertex:
    """One piece of work. name: as BuildKit shows it. error: why it failed, "" where it did not (yet)."""

    digest: str
    name: str
    cached: bool
    started: bool
    completed: bool
    error: str


@dataclass(frozen=True, slots=True)
class Log:
    """What a piece of work printed. vertex: its digest."""

    vertex: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a piece of work: a layer that is brought, say. vertex: the digest of that work."""

    vertex: str
    id: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One StatusResponse."""

    vertices: list[Vertex] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)


def trace(data: bytes) -> Trace:
    """What such a message tells. Raises ValueError where it is none."""
    found = Trace()
    for number, value in _fields(data):
        if number == 1:
            found.vertices.append(_vertex(_bytes(value)))
        elif number == 2:
            found.parts.append(_part(_bytes(value)))
        elif number == 3:
            found.logs.append(_log(_bytes(value)))
    return found


def _vertex(data: bytes) -> Vertex:
    found = dict(_fields(data))
    return Vertex(_text(found, 1), _text(found, 3), bool(found.get(4)), 5 in found, 6 in found, _text(found, 7))


def _part(data: bytes) -> Part:
    found = dict(_fields(data))
    return Part(_text(found, 2), _text(found, 1))


def _log(data: bytes) -> Log:
    found = dict(_fields(data))
    return Log(_text(found, 1), _text(found, 4))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field's number and value, in order; the last of a number counts, where it may stand once."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = _FIXED.get(kind, 0)
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif not size:
            raise ValueError(f"a field of an unknown kind, {kind}")
        if at + size > len(data):
            raise ValueError("a field is cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is cut short, or too long")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where a message should")
    return value


def _text(found: dict[int, int | bytes], number: int) -> str:
    return _bytes(found.get(number, b"")).decode("utf-8", "replace")


__all__ = ["Log", "Part", "Trace", "Vertex", "trace"]
