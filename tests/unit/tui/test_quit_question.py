"""What is asked before the program ends while several things run: all of them are named, each with its end."""

from __future__ import annotations

from tui.screens.quit_question import quit_question
from tui.under_way import UnderWay
from widgets.dialogs import ConfirmDialog, content_of


def said(dialog: ConfirmDialog) -> str:
    """Its title and its lines."""
    return f"{dialog._title}\n{content_of(dialog._body).plain}"


def test_all_kinds_are_named_with_what_becomes_of_them() -> None:
    assert not UnderWay()
    told = said(quit_question(UnderWay(copies=["a:1"], transfers=["b:1"], sweeps=["grid"], trials=["web", "db"])))
    assert told.splitlines() == [
        "Quit while images are copied and pulled or pushed and a sweep runs and 2 trials run?",
        "a:1", "b:1", "grid", "web  measured", "db  measured",
        "Pulls and pushes are called off; layers that came whole may stay on the engine for the next try.",
        "The copy is called off: what was brought is removed.",
        "Runs under way are ended and removed. The same sweep again goes on from its results.",
        "A trial is called off: its copies and their volumes are removed, and what was measured is lost.",
    ]  # fmt: skip


def test_of_many_the_first_are_named() -> None:
    told = said(quit_question(UnderWay(builds=[f"image-{number}" for number in range(11)])))
    assert "and 3 more" in told
    assert "Builds are called off: what was brought is removed." in told
    assert "image-8" not in told
