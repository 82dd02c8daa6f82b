"""The model's frozen dataclasses as JSON text and back, for journals, reports and archives. Opens no file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from backends.model.errors import Protocol

SCHEMA = 1
"""Of the text; raised where a field changes its meaning. A new field with a default needs no other number."""

T = TypeVar("T")


def _plain(value: object) -> object:
    """What msgspec does not know by itself."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


def _builtins(value: object) -> Any:
    return msgspec.to_builtins(value, enc_hook=_plain, str_keys=True)


def to_json(value: object) -> str:
    """A dataclass instance as text: {"schema": 1, "kind": its class, "value": its fields}.

    Pure ASCII, so that text which is no UTF-8 (lone surrogates) comes back as it was; bytes are base64, times ISO 8601.
    Raises TypeError for what has no such form (exceptions, open files).
    """
    try:
        plain = _builtins(value)
    except NotImplementedError as error:
        raise TypeError(f"{error} has no form in JSON") from error
    return json.dumps({"schema": SCHEMA, "kind": type(value).__name__, "value": plain}, separators=(",", ":"))


def from_json(kind: type[T], text: str) -> T:
    """The instance of `kind` that `to_json` wrote. Fields that the text lacks get their defaults.

    Raises Protocol where the text is none, of another schema or kind, lacks a field that has no default, has one that
    the class does not know, or has a value of another type.
    """
    title = f"this is no {kind.__name__} that can be read"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # json.JSONDecodeError is a ValueError
        raise Protocol(title, detail=f"no JSON: {error}") from error
    if not isinstance(data, dict) or data.keys() != {"schema", "kind", "value"}:
        raise Protocol(title, detail="schema, kind and value are expected, and nothing else")
    schema = data["schema"]
    if type(schema) is not int or schema != SCHEMA:
        newer = type(schema) is int and schema > SCHEMA
        hint = "a newer Tranship has written it: use that one" if newer else ""
        raise Protocol(title, detail=f"schema {schema!r:.40}, {SCHEMA} is expected", hint=hint)
    if data["kind"] != kind.__name__:
        raise Protocol(title, detail=f"it is a {data['kind']!r:.60}")
    try:
        value = msgspec.convert(data["value"], kind, str_keys=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Protocol(title, detail=str(error)) from error
    unknown = _unknown(data["value"], _builtins(value), "$")
    if unknown:
        raise Protocol(title, detail=f"unknown field {unknown}")
    return value


def _unknown(read: object, understood: object, path: str) -> str:
    """The first field that was read and not understood, "" where there is none: msgspec passes over such fields."""
    if isinstance(read, Mapping) and isinstance(understood, Mapping):
        for key, value in read.items():
            if key not in understood:
                return f"{path}.{key}"
            if found := _unknown(value, understood[key], f"{path}.{key}"):
                return found
    elif isinstance(read, list) and isinstance(understood, (list, tuple)):
        for index, (value, known) in enumerate(zip(read, understood, strict=True)):
            if found := _unknown(value, known, f"{path}[{index}]"):
                return found
    return ""


__all__ = ["SCHEMA", "from_json", "to_json"]
