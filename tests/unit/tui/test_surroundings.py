"""What the environment says of the terminal."""

from __future__ import annotations

import pytest

from tui.surroundings import examine_terminal, plain_borders, too_small


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "en_US.utf8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_CTYPE": "POSIX"}, True),
        ({}, False),
        ({"LANG": "C", "TRANSHIP_ASCII": "0"}, False),
        ({"LANG": "C.UTF-8", "TRANSHIP_ASCII": "1"}, True),
    ],
)
def test_borders_by_the_locale(environ: dict[str, str], plain: bool) -> None:
    assert plain_borders(environ) is plain


def test_what_doctor_says_of_a_terminal() -> None:
    well = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}
    assert examine_terminal(well) == []
    assert [one.command for one in examine_terminal({**well, "TMUX": "x"})] == ["tmux set -s set-clipboard on"]
    assert len(examine_terminal({"LANG": "C", "TERM": "dumb", "STY": "x"})) == 3


def test_too_small_is_a_sentence() -> None:
    assert too_small(80, 24) == ""
    assert "39×24" in too_small(39, 24)
