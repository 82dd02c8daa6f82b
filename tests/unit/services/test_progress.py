"""Speed and time left."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.services.progress import Pace, eta_s


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_steady_stream_has_its_speed() -> None:
    clock = Hand()
    pace = Pace(clock)
    assert pace.reached(0) is None
    for second in range(1, 20):
        clock.now = float(second)
        assert pace.reached(second * 1000) == pytest.approx(1000.0)


def test_a_stall_pulls_the_speed_down_and_a_new_step_forgets_it() -> None:
    clock = Hand()
    pace = Pace(clock)
    pace.reached(0)
    clock.now = 1.0
    before = pace.reached(1000)
    clock.now = 4.0
    stalled = pace.reached(1000)
    assert before is not None
    assert stalled is not None
    assert 0 < stalled < before
    pace.restart()
    assert pace.reached(0) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(0, 10**12))))
def test_no_course_makes_a_negative_speed_or_time(course: list[tuple[float, int]]) -> None:
    clock = Hand()
    pace = Pace(clock)
    for step, done in course:
        clock.now += step
        speed = pace.reached(done)
        left = eta_s(done, 10**12, speed)
        assert speed is None or speed >= 0
        assert left is None or left >= 0


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert eta_s(5, None, 10.0) is None
    assert eta_s(5, 10, None) is None
    assert eta_s(5, 10, 0.0) is None
    assert eta_s(12, 10, 1.0) == 0
