"""docs/configuration.md is the settings' own words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tui.config import NOTICES, EngineSetting, Settings
from tui.settings_document import markdown

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()


def test_it_is_made_from_the_settings_of_today() -> None:
    assert markdown() == PAGE, "run `make docs`"


def test_each_key_stands_in_it_with_a_meaning() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line.split("|")[-2].strip()
        for line in PAGE.splitlines()
        if line.startswith("| `")
    }
    wanted = {field.name for kind in (Settings, EngineSetting) for field in fields(kind)} | NOTICES
    assert wanted - rows.keys() == {"demo", "engines", "keys", "notify"}  # an option, and tables of their own
    assert [name for name, meaning in rows.items() if not meaning] == []
