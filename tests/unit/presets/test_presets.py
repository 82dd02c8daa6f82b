"""Preset files: those that come along are whole, and a wrong one is refused with its file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.draft.draft import draft_of, laid_over
from backends.draft.spec import Around, read_draft
from backends.model.errors import NotFound
from backends.presets.preset import Preset
from backends.presets.read import PresetError, read_preset
from backends.presets.shelf import read_shelf

GOOD = """\
title = "Mine"
what = "For me."

[image]
value = "docker.io/me/mine:1"
why = "it is mine"

[[ports]]
value = "8888:8888"
why = "to look at"

[[ports]]
value = "9999:9999"
why = "to measure"
"""
WANTED = "cuda jax jupyter mlflow pytorch ray tensorboard tensorflow tf-serving tgi triton vllm".split()  # noqa: SIM905 - as the issue names them


def packaged() -> tuple[Preset, ...]:
    """Those that come along."""
    return read_shelf(Path("/nonexistent")).presets


def test_all_that_were_promised_are_there() -> None:
    shelf = read_shelf(Path("/nonexistent"))
    assert [preset.name for preset in shelf.presets] == WANTED
    assert shelf.errors == ()


@pytest.mark.parametrize("preset", packaged(), ids=lambda preset: preset.name)
def test_each_is_whole_and_says_why(preset: Preset) -> None:
    read = read_draft(laid_over(preset.draft, draft_of(name=preset.name)), Around())
    assert read.wrong == {}
    assert preset.draft.one("gpus")
    assert preset.draft.one("image").count("/") >= 2, "a full reference, the same on every engine"
    for field, texts in preset.draft.texts.items():
        for text in texts:
            assert len(preset.why(field, text)) > 10


@pytest.mark.parametrize("preset", [one for one in packaged() if one.training], ids=lambda preset: preset.name)
def test_those_that_train_have_shared_memory(preset: Preset) -> None:
    assert preset.draft.one("shm_size") or preset.draft.one("ipc") == "host"


def test_a_port_that_moved_keeps_its_reason() -> None:
    preset = read_preset("mine", GOOD, "mine.toml")
    assert preset.why("ports", "8889:8888") == "to look at"
    assert preset.why("ports", "1:1") == ""
    assert preset.why("image", "other") == ""


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        ('title = "Mine"', 'titel = "Mine"', "mine.toml:1: unknown key “titel”", "title"),
        ("[image]", "[imgae]", "mine.toml:4: unknown key “imgae”", "image"),
        ('why = "it is mine"', 'because = "it is mine"', "mine.toml:6: unknown key “because”", "value, why"),
        ('"9999:9999"', '"http:9999"', "mine.toml:12: ports: 'http:9999' is no port", ""),
        ('what = "For me."', "what = 3", "mine.toml:2: what must be text", ""),
        ('what = "For me."', "", "mine.toml: “what” is missing", ""),
        ('why = "to measure"', "", 'mine.toml:12: ports needs why = "…"', ""),
        ("[image]", "[name]", "mine.toml:4: unknown key “name”", ""),
        ("[image]", "[image", "mine.toml: not valid TOML", ""),
        ('what = "For me."', 'what = "For me."\nimage = "x"', "mine.toml: not valid TOML", ""),
        ('what = "For me."', 'what = "For me."\ntraining = "yes"', "mine.toml:3: training must be true or false", ""),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, says: str, hint: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(PresetError) as refused:
        read_preset("mine", text, "mine.toml")
    assert refused.value.title.startswith(says)
    assert hint in refused.value.hint


def test_ones_own_stand_beside_and_above(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "jupyter.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text("nonsense")
    (tmp_path / "Vllm.toml").write_text(GOOD)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "notes.txt").write_text("no preset")
    shelf = read_shelf(tmp_path)
    assert shelf.get("jupyter").title == "Mine"
    assert shelf.get("mine").draft.all("ports") == ("8888:8888", "9999:9999")
    assert [Path(error.title.partition(":")[0]).name for error in shelf.errors] == [
        "Vllm.toml",
        "bad.toml",
        "binary.toml",
    ]
    with pytest.raises(PresetError):
        shelf.get("bad")
    with pytest.raises(NotFound) as absent:
        shelf.get("pytorhc")
    assert "pytorch" in absent.value.hint


def test_a_folder_that_cannot_be_read_is_an_error_of_the_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Path.iterdir

    def refused(folder: Path) -> Iterator[Path]:
        if folder == tmp_path:
            raise PermissionError("not yours")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    shelf = read_shelf(tmp_path)
    assert shelf.presets
    assert [error.detail for error in shelf.errors] == ["not yours"]
