"""A file that is hidden until it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.export.exported import ExportFile
from backends.model.errors import Conflict, Denied
from backends.new_file import hidden, settle, write_new
from backends.services.export_files import write_files


def test_the_longest_name_has_a_hidden_one_too(tmp_path: Path) -> None:
    part = hidden(tmp_path / ("名" * 85))  # 255 bytes
    part.write_text("x")
    settle(part, tmp_path / ("名" * 85))
    assert [path.name for path in tmp_path.iterdir()] == ["名" * 85]


def no_links(*_: object) -> None:
    raise PermissionError("no hard links here")


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    place = tmp_path / "a"
    part = hidden(place)
    part.write_text("ours")
    settle(part, place)
    assert place.read_text() == "ours"
    part.write_text("again")
    with pytest.raises(Conflict):
        settle(part, place)
    assert (place.read_text(), part.exists()) == ("ours", True)


def test_no_file_is_written_where_one_has_no_name(tmp_path: Path) -> None:
    files = [ExportFile("a", "x"), ExportFile("../b", "x")]
    with pytest.raises(Denied):
        write_files(files, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_written_is_whole_or_nothing(tmp_path: Path) -> None:
    def cut_off() -> Iterator[str]:
        yield "one"
        raise OSError(28, "No space left on device")

    with pytest.raises(Denied, match="the log cannot be written"):
        write_new(tmp_path / "a.log", "the log", cut_off())
    assert list(tmp_path.iterdir()) == []
    write_new(tmp_path / "a.log", "the log", ("one\n", "tw\udcff\n"))
    assert (tmp_path / "a.log").read_text() == "one\ntw?\n"
    with pytest.raises(Conflict):
        write_new(tmp_path / "a.log", "the log", ())


def test_a_folder_that_is_not_there_is_named_and_no_room_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Denied) as refused:
        write_new(tmp_path / "no" / "a", "the text", ["x"])
    assert refused.value.hint == f"there is no folder {tmp_path / 'no'}: make it, or choose another place"
