"""Work on large trees: in slices, and no longer than somebody waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from backends.layers.contents import ImageContents
from backends.layers.pace import AT_ONCE, SLICE, Pace, Stopped, in_slices
from backends.layers.prune import pruned
from tests.unit.layers.images import facts, layer, table

FILES = 4 * SLICE


@pytest.fixture(scope="module")
def image() -> ImageContents:
    below = layer({f"usr/lib/p{number // 100}/m{number}.py": b"" for number in range(FILES)})
    above = layer({f"usr/lib/p0/m{number}.py": b"x" for number in range(100)})
    return ImageContents(facts([]), [table(below), table(above)])


class Counted:
    """A pace that counts its slices, and stops before one of them."""

    def __init__(self, stop_before: int = 1 << 30) -> None:
        self.slices = 0
        self._stop_before = stop_before
        self.pace = Pace(self._between)

    def _between(self) -> None:
        self.slices += 1
        if self.slices == self._stop_before:
            raise Stopped


Work = Callable[[ImageContents, Pace], object]
WORK: dict[str, tuple[Work, int]] = {
    "tree": (lambda image, pace: image.tree(pace=pace), 3),  # merged, listed, grown
    "layer's tree": (lambda image, pace: image.tree(only_layer=True, pace=pace), 3),
    "waste": (lambda image, pace: image.waste(pace), 2),
    "hints": (lambda image, pace: image.hints(pace), 2),
    "comparison": (lambda image, pace: image.against(image, pace), 6),
    "filter": (lambda image, pace: pruned(image.tree(), "py", pace=pace), 2),
    "changes": (lambda image, pace: pruned(image.tree(), only_changes=True, pace=pace), 2),
}
"""What is done with each path, and how many times it is passed at least."""


@pytest.mark.parametrize("name", WORK)
def test_all_loops_over_the_paths_are_in_slices(image: ImageContents, name: str) -> None:
    work, times = WORK[name]
    counted = Counted()
    assert work(image, counted.pace) == work(image, AT_ONCE)
    assert counted.slices >= times * (FILES // SLICE)


@pytest.mark.parametrize("name", WORK)
def test_it_ends_between_two_slices(image: ImageContents, name: str) -> None:
    counted = Counted(stop_before=3)
    with pytest.raises(Stopped):
        WORK[name][0](image, counted.pace)
    assert counted.slices == 3


def test_a_slice_is_no_longer_than_said() -> None:
    counted = Counted()
    sliced = counted.pace.over(range(2 * SLICE + 1))
    seen = [counted.slices for _ in sliced]
    assert [seen.count(number) for number in (1, 2, 3)] == [SLICE, SLICE, 1]


async def test_whoever_does_not_wait_any_more_ends_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(pace: Pace) -> None:
        try:
            for number in pace.over(iter(int, 1)):  # without end
                begun.set()
                assert number == 0
        finally:
            ended.set()

    waiting = asyncio.create_task(in_slices(work))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(ended.wait, 10)


async def test_what_was_made_comes_back() -> None:
    assert await in_slices(lambda pace: sum(pace.over(range(3 * SLICE)))) == sum(range(3 * SLICE))
