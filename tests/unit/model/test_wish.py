"""Wishes for GPUs as text: each form both ways, and what is none said plainly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.codec import from_json, to_json
from backends.model.plan import Choices
from backends.model.wish import (
    ALL,
    KEEP,
    NONE,
    GpuWish,
    WishKind,
    first,
    read_wish,
    these,
    wish_text,
    wish_words,
)
from backends.model.workload import MOST_GPUS

INDEXES = st.integers(0, 9999).map(str)
PAIRS = st.tuples(INDEXES, INDEXES).map(":".join)
UUIDS = st.builds("{}-{}".format, st.sampled_from(["GPU", "MIG"]), st.uuids().map(str))
OLD_MIG = st.builds("MIG-GPU-{}/{}/{}".format, st.uuids(), st.integers(0, 9), st.integers(0, 9))
CDI = st.builds("{}={}".format, st.sampled_from(["nvidia.com/gpu", "amd.com/gpu", "a-b.example/x_y"]), INDEXES | UUIDS)
DEVICES = st.lists(INDEXES | PAIRS | UUIDS | OLD_MIG | CDI, min_size=1, max_size=6, unique=True)
WISHES = st.sampled_from([ALL, NONE, KEEP]) | st.integers(1, MOST_GPUS).map(first) | DEVICES.map(these)


@given(WISHES)
def test_what_is_written_is_read_as_the_same_wish(wish: GpuWish) -> None:
    assert read_wish(wish_text(wish)) == wish
    assert wish_words(wish)


@given(st.text(max_size=40))
def test_any_other_text_is_a_wish_or_is_refused_with_a_sentence(text: str) -> None:
    try:
        wish = read_wish(text)
    except ValueError as error:
        said = str(error)
    else:
        said = wish_text(wish)
        assert read_wish(said) == wish
    assert said


@given(WISHES)
def test_a_journal_keeps_the_wish(wish: GpuWish) -> None:
    assert from_json(Choices, to_json(Choices(gpus=wish))).gpus == wish


def test_a_journal_of_before_has_no_wish() -> None:
    old = to_json(Choices()).replace(to_json(KEEP).partition('"value":')[2][:-1], "").replace(',"gpus":', "")
    assert "gpus" not in old
    assert from_json(Choices, old) == Choices()


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("all", ALL),
        (" ALL ", ALL),
        ("none", NONE),
        ("keep", KEEP),
        ("1", first(1)),
        ("02", first(2)),
        ("device=1", these(["1"])),
        ('"device=0,1"', these(["0", "1"])),
        ("00, 1", these(["0", "1"])),
        ("0:1", these(["0:1"])),
        ("GPU-8d1b", these(["GPU-8d1b"])),
        ("nvidia.com/gpu=0", these(["nvidia.com/gpu=0"])),
        ("nvidia.com/gpu=0:1", these(["nvidia.com/gpu=0:1"])),
    ],
)
def test_forms_that_people_type(text: str, wish: GpuWish) -> None:
    assert read_wish(text) == wish


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty name is no GPU"),
        ("0", "none for no GPU"),
        ("-1", "'-1' is no GPU"),
        ("2000", "more GPUs than any machine has"),
        ("0,0", "0 is named twice"),
        ("1,01", "1 is named twice"),
        ("all,0", "'all' is no GPU"),
        ("0,", "an empty name"),
        ("some", "'some' is no GPU"),
        ("٣", "is no GPU"),
        ("nvidia.com/gpu=", "is no GPU"),
        ("GPU-\x1b[31m", "'GPU-\\x1b[31m' is no GPU"),
    ],
)
def test_what_is_no_wish_is_said_plainly(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_wish(text)


def test_no_device_at_all_is_no_gpu() -> None:
    assert these([]) == NONE
    assert GpuWish(WishKind.DEVICES, devices=("0",)) == these(["0"])
