"""What images share equals what a naive model of two stores says: sets of whole layer prefixes, and nothing clever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.migration.ways import finds_in_order, present_layers
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import Image, Layer
from backends.model.image_sharing import ImageShare
from backends.model.values import Count, Missing
from backends.services.image_sharing import NOT_TOLD, StoredImage, Target, analysed, freed_bytes, stored_bytes

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
SIZES = {name: 2**at for at, name in enumerate("abcdefgh")}
"""Bytes of each layer: powers of two, so that a sum says which layers it is of."""
BUILT = datetime(2026, 1, 1, tzinfo=UTC)


def _image(
    number: int, engine: EngineId, layers: str, *, name: str = "", age: int = 0, size: int = 1000
) -> StoredImage:
    made = tuple(Layer(f"RUN {one}", one, SIZES[one], BUILT) for one in layers)
    tags = (name,) if name else ()
    created = BUILT - timedelta(days=age)
    return StoredImage(Image(ImageKey(engine, f"{number:064x}"), tags, size, created), made)


def _stores() -> st.SearchStrategy[list[StoredImage]]:
    one = st.tuples(st.sampled_from([DOCKER, PODMAN]), st.text("abcdefgh", max_size=5), st.booleans())
    return st.lists(one, max_size=8).map(
        lambda drawn: [
            _image(number, engine, layers, name=f"name-{number}:1" if named else "")
            for number, (engine, layers, named) in enumerate(drawn)
        ]
    )


def _layers(one: StoredImage) -> str:
    assert not isinstance(one.layers, Missing)
    return "".join(layer.diff_id for layer in one.layers)


def _prefixes(text: str) -> set[str]:
    return {text[:length] for length in range(1, len(text) + 1)}


def _held(stored: list[StoredImage], engine: EngineId, *, but: frozenset[ImageKey] = frozenset()) -> set[str]:
    """Every prefix that some image of the engine has: what its store holds."""
    kept = [_layers(one) for one in stored if one.image.key.engine == engine and one.image.key not in but]
    return {prefix for layers in kept for prefix in _prefixes(layers)}


def _bytes(prefixes: set[str]) -> int:
    return sum(SIZES[prefix[-1]] for prefix in prefixes)


TARGETS = (Target(DOCKER), Target(PODMAN))


@given(_stores())
@settings(max_examples=150, deadline=None)
def test_unique_and_shared_are_what_the_store_would_lose_and_keep(stored: list[StoredImage]) -> None:
    for one, share in zip(stored, analysed(stored, TARGETS), strict=True):
        key = one.image.key
        before, after = _held(stored, key.engine), _held(stored, key.engine, but=frozenset({key}))
        assert share.unique_bytes == _bytes(before - after)
        assert share.total_bytes == sum(SIZES[layer] for layer in _layers(one))
        assert share.shared_bytes == sum(SIZES[layer] for layer in _layers(one)) - _bytes(before - after)
        for layer in share.layers:
            assert set(layer.holders) == {other.image.key for other in stored if layer.diff_id in _layers(other)}


@given(_stores(), st.data())
@settings(max_examples=150, deadline=None)
def test_removing_several_frees_what_no_other_holds(stored: list[StoredImage], data: st.DataObject) -> None:
    keys = [one.image.key for one in stored]
    gone = frozenset(data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else ())
    lost = sum(_bytes(_held(stored, engine) - _held(stored, engine, but=gone)) for engine in (DOCKER, PODMAN))
    shares = analysed(stored, TARGETS)
    assert freed_bytes(shares, gone) == lost
    assert stored_bytes(shares) == {engine: _bytes(_held(stored, engine)) for engine in {key.engine for key in keys}}


@given(_stores())
@settings(max_examples=150, deadline=None)
def test_what_travels_is_what_the_migration_finds_missing(stored: list[StoredImage]) -> None:
    for one, share in zip(stored, analysed(stored, TARGETS), strict=True):
        (target,) = {DOCKER, PODMAN} - {one.image.key.engine}
        there = [tuple(_layers(other)) for other in stored if other.image.key.engine == target]
        present = present_layers(tuple(_layers(one)), there, in_order=finds_in_order(target))
        lacking = [SIZES[layer] for at, layer in enumerate(_layers(one)) if at not in present]
        assert share.travels == {target: sum(lacking)}


@given(_stores())
@settings(max_examples=150, deadline=None)
def test_the_base_is_the_named_image_with_the_most_layers_that_it_begins_with(stored: list[StoredImage]) -> None:
    for one, share in zip(stored, analysed(stored, TARGETS), strict=True):
        fitting = [
            len(_layers(other))
            for other in stored
            if other.image.tags and _layers(other) in _prefixes(_layers(one)) - {_layers(one)}
        ]
        assert (share.base is None) == (not fitting)
        if share.base is not None:
            base = next(other for other in stored if other.image.key == share.base)
            assert len(_layers(base)) == max(fitting)
            assert share.base_name == base.image.tags[0]


def _by_number(stored: list[StoredImage], number: int, *targets: Target) -> ImageShare:
    return analysed(stored, targets or TARGETS)[number]


def test_a_base_on_the_own_engine_comes_first_and_a_copy_of_the_image_is_none() -> None:
    base_there, base_here = _image(0, PODMAN, "ab", name="a:1"), _image(1, DOCKER, "ab", name="b:1")
    built = _image(2, DOCKER, "abc", name="c:1")
    copy = _image(3, PODMAN, "abc", name="c:1")
    stored = [base_there, base_here, built, copy]
    assert _by_number(stored, 2).base_name == "b:1"
    assert _by_number(stored, 3).base_name == "a:1"
    assert _by_number(stored, 0).base is None


def test_of_two_with_the_same_layers_the_older_one_is_the_base() -> None:
    stored = [_image(0, DOCKER, "ab", name="old:1", age=9), _image(1, DOCKER, "ab", name="settings:1")]
    assert _by_number(stored, 1).base_name == "old:1"
    assert _by_number(stored, 0).base is None


def test_the_same_layer_on_another_one_lies_twice_in_a_store() -> None:
    """Both engines keep a layer for each chain: that another image has the same diff-ID saves no room."""
    stored = [_image(0, DOCKER, "ac", name="a:1"), _image(1, DOCKER, "bc", name="b:1")]
    share = _by_number(stored, 0)
    assert share.unique_bytes == SIZES["a"] + SIZES["c"]
    assert share.others == {stored[1].image.key}


def test_a_whole_image_travels_where_only_whole_ones_can() -> None:
    stored = [_image(0, DOCKER, "abc", size=777), _image(1, PODMAN, "ab"), _image(2, DOCKER, "ab", size=55)]
    only_whole = Target(PODMAN, frozenset({DOCKER}))
    assert _by_number(stored, 0, only_whole).travels == {PODMAN: 777}
    assert _by_number(stored, 2, only_whole).travels == {PODMAN: 0}, "the same image is there"


def _unsized(one: StoredImage) -> StoredImage:
    assert not isinstance(one.layers, Missing)
    return replace(one, layers=(replace(one.layers[0], size_bytes=None), *one.layers[1:]))


def test_a_size_that_is_not_told_is_missing_and_not_nothing() -> None:
    stored = [_unsized(_image(0, DOCKER, "ab")), _image(1, DOCKER, "ac")]
    share = _by_number(stored, 0)
    sizes: list[Count] = [share.total_bytes, share.shared_bytes, share.layers[0].size_bytes, share.travels[PODMAN]]
    assert sizes == [NOT_TOLD] * 4
    assert share.unique_bytes == SIZES["b"], "what is shared counts for nothing there"


@pytest.mark.parametrize("gone", [0, 1], ids=["itself", "one beside it"])
def test_an_image_that_cannot_be_read_may_hold_any_layer(gone: int) -> None:
    unread = replace(_image(0, DOCKER, "", name="odd:1"), layers=Missing("garbled"))
    stored = [unread, _image(1, DOCKER, "ab"), _image(2, PODMAN, "ab")]
    shares = analysed(stored, TARGETS)
    unique = shares[gone].unique_bytes
    assert isinstance(unique, Missing)
    assert "garbled" in unique.reason
    assert isinstance(freed_bytes(shares, {shares[gone].image.key}), Missing)
    assert shares[1].total_bytes == SIZES["a"] + SIZES["b"]
    assert shares[2].unique_bytes == SIZES["a"] + SIZES["b"], "the other engine's store has nothing to do with it"
