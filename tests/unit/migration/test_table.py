"""The field table has every field of the recipe once, and the document is made from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from backends.migration.document import markdown
from backends.migration.rows import TABLE
from backends.migration.table import Row
from backends.model.workload import WorkloadSpec

DOCUMENT = Path(__file__).parents[3] / "docs" / "migration.md"
GROUPED = frozenset({"process", "network", "namespaces", "security", "resources", "health", "log"})
PLAIN = frozenset({str, int, bool, float})


def _dataclasses_in(annotation: Any) -> Iterator[type]:
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and dataclasses.is_dataclass(one):
            yield one
        elif one is not annotation:
            yield from _dataclasses_in(one)


def _paths() -> Iterator[str]:
    for name, annotation in get_type_hints(WorkloadSpec).items():
        if name not in GROUPED:
            yield name
            continue
        [group] = set(_dataclasses_in(annotation))
        yield from (f"{name}.{field.name}" for field in dataclasses.fields(group))


def test_every_field_of_the_recipe_has_one_row() -> None:
    rows = [row.path for row in TABLE]
    assert len(rows) == len(set(rows))
    assert set(rows) == set(_paths())


@pytest.mark.parametrize("row", [row for row in TABLE if row.subs], ids=lambda row: row.path)
def test_every_field_of_an_entry_is_said(row: Row) -> None:
    group, _, name = row.path.rpartition(".")
    hints = get_type_hints(WorkloadSpec)
    owner = next(_dataclasses_in(hints[group])) if group else WorkloadSpec
    [entry] = set(_dataclasses_in(get_type_hints(owner)[name]))
    assert set(row.subs) == {field.name for field in dataclasses.fields(entry)}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_the_document_names_every_field() -> None:
    text = markdown()
    assert [row.path for row in TABLE if f"`{row.path}`" not in text] == []
