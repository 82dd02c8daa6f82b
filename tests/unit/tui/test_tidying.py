"""The search for cyclic garbage: what lived through one is left out of the next, until nobody presses a key."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator

import pytest

from backends.layers import uncollected
from tui.saying import Saying


class Ring:
    """Garbage that only a search frees, once it is let go of."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def searched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No search but the test's own, none due by an earlier test; what is left out here is searched by others again."""
    monkeypatch.setattr(uncollected, "_due", False)
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()


def dropped_after_a_search() -> weakref.ref[Ring]:
    """A ring that one full search has found alive, and that nobody holds any more."""
    ring = Ring()
    gc.collect()
    return weakref.ref(ring)


async def test_what_lived_is_left_out_until_no_key_comes() -> None:
    app = Saying()
    async with app.run_test() as pilot:
        with app.tidied():
            ring = dropped_after_a_search()
            gc.collect()
            assert ring() is not None, "the second search did not look at it again"
            uncollected.searched_again()
            app._touched_at -= 60.0
            await pilot.press("x")
            app._search_in_silence()
            assert ring() is not None, "a key came just now"
            app._touched_at -= 60.0
            app._search_in_silence()
            assert ring() is None
            assert not uncollected.is_due()
    assert app._searched not in gc.callbacks


def test_many_searches_that_left_something_out_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.tidying._MANY", 3)
    monkeypatch.setattr("tui.tidying._TOO_MANY", 5)
    app = Saying()
    with app.tidied():
        ring = dropped_after_a_search()
        app._touched_at -= 60.0
        app._search_in_silence()
        assert ring() is not None, "one is not many"
        for _ in range(2):
            gc.collect()
        app._search_in_silence()
        assert ring() is None, "many, and nobody is there"
        app._touched_at = time.monotonic()
        ring = dropped_after_a_search()
        for _ in range(4):
            app._search_in_silence()
            assert ring() is not None, "somebody presses keys"
            gc.collect()
        app._search_in_silence()
        assert ring() is None, "too many to wait for a rest"
