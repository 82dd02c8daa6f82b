"""The settings file: what is read, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.ids import EngineKind
from tui.config import ConfigError, EngineSetting, Settings, default_path, load, nearest, parse

FULL = """
readonly = true
refresh_s = 2
idle_gpu_minutes = 30
theme = "nord"

[keys]
"container.stop" = "s,f8"

[[engines]]
name = "docker-gpu01"
kind = "docker"
url = "tcp://gpu01:2376"
tls_dir = "/certs"

[[engines]]
name = "podman-lab"
kind = "podman"
url = "ssh://me@lab"
"""


def test_full_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FULL)
    assert load(path) == Settings(
        engines=(
            EngineSetting("docker-gpu01", EngineKind.DOCKER, "tcp://gpu01:2376", "/certs"),
            EngineSetting("podman-lab", EngineKind.PODMAN, "ssh://me@lab"),
        ),
        readonly=True,
        refresh_s=2.0,
        idle_gpu_minutes=30.0,
        theme="nord",
        keys={"container.stop": "s,f8"},
    )


def test_default_file_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path() == tmp_path / "tranship" / "config.toml"
    assert load() == Settings()


def test_default_file_is_read_where_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "tranship").mkdir()
    (tmp_path / "tranship" / "config.toml").write_text("readonly = true")
    assert load().readonly is True


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("readnly = true", "unknown key “readnly”", "“readonly”"),
        (
            "zzz = 1",
            "unknown key “zzz”",
            "known here: engines, idle_gpu_minutes, keys, kubernetes, notify",
        ),
        ("demo = true", "unknown key “demo”", ""),
        ("readonly = 1", "readonly must be true or false", ""),
        ("refresh_s = true", "refresh_s must be a number of seconds", ""),
        ("refresh_s = 0", "refresh_s must be from 0.1 to 60 seconds", ""),
        ("refresh_s = nan", "refresh_s must be from 0.1 to 60 seconds", ""),
        ("idle_gpu_minutes = 'x'", "idle_gpu_minutes must be a number of minutes", ""),
        ("idle_gpu_minutes = -1", "idle_gpu_minutes must be from 0 to 10080 minutes", ""),
        ("theme = 3", "theme must be text", ""),
        ("keys = 3", "keys must be a table", ""),
        ("[keys]\na = 3", "keys.a must be text", ""),
        ("engines = 3", "engines must be tables", "[[engines]]"),
        ("engines = [3]", "engines[0] must be a table", "[[engines]]"),
        ('[[engines]]\nname="a"\nkind="docker"', "engines[0]: “url” is missing", ""),
        ('[[engines]]\nname="a"\nkind="lxc"\nurl="u"', "engines[0].kind must be one of: docker, podman", ""),
        ('[[engines]]\nname="a"\nknid="docker"\nurl="u"', "engines[0]: unknown key “knid”", "“kind”"),
        (
            '[[engines]]\nname="a"\nkind="docker"\nurl="u"\n[[engines]]\nname="a"\nkind="podman"\nurl="v"',
            "two engines are called “a”",
            "",
        ),
        ("readonly =", "not valid TOML", ""),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, title: str, hint: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert title in caught.value.title
    assert str(path) in caught.value.title
    assert hint in caught.value.hint


def test_unreadable_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'theme = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


def test_nearest_name() -> None:
    assert nearest("thme", ["theme", "keys"]) == "theme"
    assert nearest("xyzzy", ["theme", "keys"]) == ""


_SCALARS: st.SearchStrategy[Any] = st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_TABLES = st.dictionaries(st.sampled_from(["name", "kind", "url", "x"]), _SCALARS, max_size=3)
_VALUES: st.SearchStrategy[Any] = _SCALARS | _TABLES | st.lists(_SCALARS | _TABLES, max_size=3)
_KEYS = st.sampled_from(["engines", "readonly", "refresh_s", "theme", "keys", "demo", "name", ""])


def _settings_or_title(data: dict[str, Any]) -> Settings | str:
    try:
        return parse(data, "config.toml")
    except ConfigError as error:
        return error.title


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_whatever_toml_holds_gives_settings_or_a_config_error(data: dict[str, Any]) -> None:
    outcome = _settings_or_title(data)
    if isinstance(outcome, str):
        assert outcome.startswith("config.toml")
    else:
        assert outcome.demo is False
        assert 0.1 <= outcome.refresh_s <= 60
