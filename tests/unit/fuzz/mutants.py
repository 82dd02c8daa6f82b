"""Things that are nearly right: real answers and files with a few wrong parts. Holds no test."""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import strategies as st

from tests.thorough import ON

EXAMPLES = int(os.environ.get("TRANSHIP_FUZZ", "1500" if ON else "8"))
"""Of each parser and call. TRANSHIP_FUZZ: another number, for one run."""
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            -1,
            1 << 70,
            1e308,
            "",
            "0",
            "x",
            [],
            {},
            [None],
            [[]],
            {"": None},
            [{}],
            "sha256:",
            "\x00",
        ]
    ),
    st.text(max_size=8),
    st.floats(allow_nan=True),
)
"""What an engine has no reason to say, in the place of what it has."""
EVIL_NUMBERS = [
    b"-1",
    b"9" * 40,
    b"0x",
    b"1e999",
    b"nan",
    "²".encode(),
    b"\xff",
    b"\x00",
    b"\n",
    b"{",
    b"[" * 100_000,
    b":",
    b"=",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every part of a JSON value, without the whole."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, ...]] = []
    for key, part in parts:
        found.append((*path, key))
        found += places(part, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value, up to four of its parts replaced or taken away."""
    new = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 4))):
        ways = places(new)
        if not ways:
            return copy.deepcopy(draw(ODD))
        *most, last = draw(st.sampled_from(ways))
        part = new
        for key in most:
            part = part[key]
        if isinstance(part, dict) and draw(st.booleans()):
            del part[last]
        else:
            part[last] = copy.deepcopy(draw(ODD))
    return new


@st.composite
def bitten(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of the seeds with some pieces cut out, doubled, or put in; now and then anything at all."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 12)))
        what = draw(st.one_of(st.binary(max_size=6), st.sampled_from(EVIL_NUMBERS), st.just(bytes(data[at:end]) * 2)))
        data[at:end] = what
    return bytes(data)
