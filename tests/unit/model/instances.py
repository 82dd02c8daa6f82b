"""Any instance of a model dataclass, for property tests: every field is filled by its annotation."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

T = TypeVar("T")

TEXT = st.text(st.characters(), max_size=8)
"""Lone surrogates too: names with bytes that are no UTF-8 come in as these."""

_LEAVES: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**62), 2**62),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    type(None): st.none(),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def of_annotation(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the model's fields are annotated."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in _LEAVES:
        return _LEAVES[annotation]
    if origin in (Union, types.UnionType):
        return st.one_of(*(of_annotation(part) for part in parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(of_annotation(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(of_annotation(part) for part in parts))
    if origin is Mapping:
        key, value = (of_annotation(part) for part in parts)
        return st.dictionaries(key, value, max_size=2).map(MappingProxyType)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    assert dataclasses.is_dataclass(annotation), annotation
    assert isinstance(annotation, type)
    return st.deferred(lambda: instances(annotation))


@cache
def instances(kind: type[T]) -> st.SearchStrategy[T]:
    """Instances of a dataclass, no field left out."""
    hints = get_type_hints(kind)
    assert dataclasses.is_dataclass(kind)
    values = {field.name: of_annotation(hints[field.name]) for field in dataclasses.fields(kind)}
    return st.builds(kind, **values)
