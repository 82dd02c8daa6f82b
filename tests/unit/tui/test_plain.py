"""ASCII for terminals that have nothing else: same width, nothing left over."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from tui.plain import HANDLER, ascii_text
from tui.plain_screen import AsciiFilter
from widgets.text import width_of


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20))
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    plain = ascii_text(text)
    assert plain.isascii()
    if not text.isascii():
        assert len(plain) == sum(width_of(character) for character in text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("┌─┐│╭╯", "+-+|++"), ("● up · 3…", "* up . 3~"), ("Größe", "Gro?e"), ("▁▄█", "_-#"), ("a", "a")],
)
def test_the_signs_of_the_screen(text: str, plain: str) -> None:
    assert ascii_text(text) == plain


def test_segments_keep_their_styles() -> None:
    (out,) = AsciiFilter().apply([Segment("─")], Color.parse("black"))
    assert out.text == "-"


def test_a_latin_1_terminal_gets_what_it_has() -> None:
    assert "größe → 3".encode("latin-1", HANDLER) == "größe > 3".encode("latin-1")
    code = "import sys; sys.argv = ['tranship', '--demo', 'doctor']; from tui.__main__ import main; main()"
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, timeout=60)
    assert b"v engine demo-docker" in ran.stdout
    assert ran.stderr == b""
