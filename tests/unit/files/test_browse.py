"""Folders as find and stat tell them, and as a tar does: names that mean harm, folders that nobody listed."""

from __future__ import annotations

import pytest

from backends.model.errors import Unsupported
from backends.model.files import FileKind
from backends.services.browse import _entries, absolute
from tui.cli.cp import split_place


def test_rows_are_told_apart_by_a_mark_that_no_name_can_foresee() -> None:
    told = (
        b"abc|41ed|0|0|4096|1700000000|./folder\n"
        b"abc|81a4|7|8|12|1700000000|./with\nnewline|and bar\n"
        b"abc|81a4|0|0|1|99999999999999|./xyz|81a4|0|0|5|1|./fake\n"
        b"abc|a1ff|0|0|3|0|./li\xffnk\n"
        b"abc|2190|0|0|0|0|./tty\n"
    )
    found = {entry.name: entry for entry in _entries(told, "abc")}
    assert found["folder"].kind is FileKind.FOLDER
    plain = found["with\nnewline|and bar"]
    assert (plain.kind, plain.size_bytes, plain.mode, plain.uid, plain.gid) == (FileKind.FILE, 12, 0o644, 7, 8)
    assert found["xyz|81a4|0|0|5|1|./fake"].modified_at is None
    assert found["li\udcffnk"].kind is FileKind.LINK
    assert found["tty"].kind is FileKind.OTHER
    assert next(iter(found)) == "folder"


def test_a_stat_that_tells_something_else_is_none() -> None:
    """Then its tar is asked."""
    for told in (b"abc|41ed|0\n", b"abc|%f|0|0|1|2|./x\n"):
        with pytest.raises(Unsupported):
            _entries(told, "abc")


@pytest.mark.parametrize(
    ("path", "told"), [("", "/"), ("/", "/"), ("//a//b/", "/a/b"), ("../../etc", "/etc"), ("a/./b/..", "/a")]
)
def test_paths_are_absolute(path: str, told: str) -> None:
    assert absolute(path) == told


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("web:/data", ("web", "/data")),
        ("web:", ("web", "/")),
        ("web:a:b", ("web", "a:b")),
        ("./web:x", None),
        ("/a:b", None),
        ("a/b:c", None),
        ("plain", None),
        (":x", None),
    ],
)
def test_which_side_is_in_a_container(word: str, told: tuple[str, str] | None) -> None:
    assert split_place(word) == told
