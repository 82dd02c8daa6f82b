"""References are written in full in one way only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.reference import Reference, full_reference, is_image_id, parse_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11", "docker.io/library/python:3.11"),
        ("test/busybox:1", "docker.io/test/busybox:1"),
        ("docker.io/python", "docker.io/library/python:latest"),
        ("index.docker.io/library/python", "docker.io/library/python:latest"),
        ("localhost/mine:1", "localhost/mine:1"),
        ("localhost:5000/mine", "localhost:5000/mine:latest"),
        ("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1"),
        ("[::1]:5000/x:1", "[::1]:5000/x:1"),
        (f"python@{DIGEST}", f"docker.io/library/python@{DIGEST}"),
        (f"python:3@{DIGEST}", f"docker.io/library/python:3@{DIGEST}"),
        ("UPPER/x", "UPPER/x:latest"),
    ],
)
def test_full(short: str, full: str) -> None:
    assert full_reference(short) == full


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "/",
        "Python",
        "a b",
        "python:",
        "python:a/b",
        "x@sha256:12",
        "a//b",
        "-x",
        "ab" * 32,
        DIGEST,
        "x" * 300,
        "a\n",
    ],
)
def test_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"is no valid|has no valid|is an image id"):
        full_reference(bad)


def test_ids_are_no_names() -> None:
    assert is_image_id("ab" * 32)
    assert is_image_id(DIGEST)
    assert not is_image_id("ab" * 31)


COMPONENT = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?", fullmatch=True)


@given(
    st.sampled_from(["docker.io", "localhost", "quay.io", "localhost:5000"]),
    st.lists(COMPONENT, min_size=1, max_size=3),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True).filter(str.isascii),
)
def test_full_is_a_fixed_point(domain: str, parts: list[str], tag: str) -> None:
    full = full_reference(f"{domain}/{'/'.join(parts)}:{tag}")
    assert full_reference(full) == full
    assert str(parse_reference(full)) == full


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    try:
        full = full_reference(text)
    except ValueError:
        return
    assert full_reference(full) == full
    assert isinstance(parse_reference(full), Reference)
