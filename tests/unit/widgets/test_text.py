"""Text from outside becomes inert and never takes more cells than asked for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.line import Span, Tone
from widgets.text import cut_end, cut_line, cut_middle, fit_line, harmless, inert, line_width, paragraph, wrap

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x07\x9c\r\n\t[];0123mJH\\\u202e\u200b\u200d\ufe0f日本語👩🏽é\u0301"),
    ),
    max_size=60,
)
WIDTH = st.integers(min_value=0, max_value=40)


@given(HOSTILE)
def test_inert_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    clean = inert(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in clean)
    assert not set(clean) & set("\u200b\u200d\u200e\u200f\u202a\u202d\u202e\u2066\u2069\ufeff\ufe0f")


@given(HOSTILE)
def test_inert_is_settled_after_one_pass(text: str) -> None:
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;owned\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bP1$qm\x1b\\b", "ab"),
        ("\x9b2Jx", "x"),
        ("a\r\nb\tc", "a b c"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("[b]markup[/b]", "[b]markup[/b]"),
        ("データ", "データ"),
    ],
)
def test_inert_examples(given_text: str, expected: str) -> None:
    assert inert(given_text) == expected


@given(HOSTILE, WIDTH)
def test_no_cut_exceeds_its_width(text: str, width: int) -> None:
    clean = inert(text)
    assert cell_len(cut_end(clean, width)) <= width
    assert cell_len(cut_middle(clean, width)) <= width


@given(st.lists(HOSTILE, max_size=4), WIDTH, st.sampled_from(["left", "right"]), st.sampled_from(["end", "middle"]))
def test_a_fitted_line_has_exactly_its_width(texts: list[str], width: int, align: str, cut: str) -> None:
    spans = tuple(Span(inert(text), Tone.PLAIN) for text in texts)
    fitted = fit_line(spans, width, align, cut)  # type: ignore[arg-type]  # sampled from the literals themselves
    assert line_width(fitted) == width


@given(HOSTILE, st.integers(min_value=2, max_value=40))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int) -> None:
    clean = inert(text)
    lines = wrap(clean, width)
    assert all(cell_len(part) <= width for part in lines)
    assert "".join("".join(lines).split()) == "".join(clean.split())


def test_a_huge_word_is_measured_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line once looked at all that was left: 100 000 characters took 27 seconds."""
    measured = 0

    def counted(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return cell_len(text)

    monkeypatch.setattr("widgets.text.cell_len", counted)
    word = "日" * 50_000
    assert "".join(wrap(word, 80)) == word
    assert measured < 20 * len(word)


def test_middle_cut_keeps_both_ends() -> None:
    assert cut_middle("llama-finetune-seed-1337", 13) == "llama-…d-1337"
    assert cut_middle("short", 13) == "short"
    assert cut_middle("データ前処理パイプライン", 9) == "デー…イン"


def test_several_spans_are_cut_at_the_end_only() -> None:
    spans = (Span("● ", Tone.OK), Span("unhealthy", Tone.BAD))
    assert cut_line(spans, 6, "middle") == (Span("● ", Tone.OK), Span("unh…", Tone.BAD))


def test_paragraph_is_inert_and_indented() -> None:
    assert paragraph("two\x1b[2J words", Tone.DIM, 12) == [(Span("  two", Tone.DIM),), (Span("  words", Tone.DIM),)]


@given(HOSTILE)
def test_what_the_last_gate_lets_through_takes_as_many_cells_and_is_obeyed_by_nobody(text: str) -> None:
    passed = harmless(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in passed)


@given(st.text(alphabet="ab \x1b\x07\x9b\r\n\t\u202e\u200b\xad\ufeff\udcff日", max_size=30))
def test_the_last_gate_changes_no_width(text: str) -> None:
    assert cell_len(harmless(text)) == sum(map(cell_len, text))
