"""What a person types as a regular expression: found as `re` finds it, and given up where it never ends."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import Refused
from backends.model.expression import BadPattern, Expression, refuse_slow

ENDLESS, LINE = "(a|aa)+$", "a" * 80 + "!"


PATTERNS = ("err|warn", "^a", "b$", r"\d+", "[a-c]x", r"(a)\1", "A", ".", r"\[")


@given(st.sampled_from(PATTERNS), st.text("aAbx1e\n[", max_size=9))
def test_it_finds_what_re_finds(pattern: str, line: str) -> None:
    assert Expression(pattern).found_in(line) == (re.search(pattern, line) is not None)
    smart = re.search(pattern, line, re.IGNORECASE if pattern == pattern.lower() else 0)
    assert Expression(pattern, smart_case=True).found_in(line) == (smart is not None)


def test_one_that_never_ends_is_given_up_and_told() -> None:
    endless = Expression(ENDLESS)
    assert endless.found_in("aa")
    refuse_slow(endless)
    assert not endless.found_in(LINE)
    assert endless.too_slow
    assert not endless.found_in("aa"), "no further line is looked at"
    with pytest.raises(Refused, match="too long"):
        refuse_slow(endless)


def test_what_is_none_is_told() -> None:
    with pytest.raises(BadPattern, match="no regular expression"):
        Expression("(")
    assert Expression("a") == Expression("a") != Expression("b")
