"""`tranship run` and `presets` on the demo fleet."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.demo import demo, document

IMAGE = "pytorch/pytorch:2.5.1-cuda12.4"
DOCKER = ("--engine", "demo-docker")


def run_json(*argv: str, code: int = 0) -> dict[str, Any]:
    """The answer of `tranship run`, whose options stand before the image."""
    result = demo("--json", "run", *argv)
    assert result.exit_code == code, result.stderr
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return answer


def test_a_container_is_made_and_runs() -> None:
    answer = run_json(*DOCKER, "--name", "mine", "-e", "A=1", "-p", "18080:80", "--gpus", "1", IMAGE, "sleep", "60")
    assert answer["container"]["state"] == "running"
    assert answer["container"]["name"] == "mine"
    assert answer["container"]["command"] == ["sleep", "60"]
    assert answer["container"]["gpus"] == ["nvidia.com/gpu=0"]
    assert answer["command"][:3] == ["docker", "run", "--detach"]
    assert answer["error"] is None


def test_the_line_is_printed_and_nothing_made() -> None:
    result = demo("run", *DOCKER, "--print", "--memory", "2g", IMAGE, "python", "-c", "print(1)")
    assert result.exit_code == 0
    words = shlex.split(result.stdout.replace(" \\\n", " "))
    assert words[:5] == ["docker", "run", "--detach", "--name", "pytorch"]
    assert words[-4:] == [f"docker.io/{IMAGE}", "python", "-c", "print(1)"]


def test_a_preset_says_why_and_proposes_free_ports() -> None:
    """The demo's jupyter-lab has 8888 already."""
    result = demo("run", *DOCKER, "--preset", "jupyter", "--image", IMAGE, "--print")
    assert result.exit_code == 0
    assert "shared memory 2g: multiprocessing" in result.stderr
    assert "--publish 127.0.0.1:8889:8888" in result.stdout
    answer = run_json(*DOCKER, "--preset", "jupyter", "--image", IMAGE, "--print")
    whys = {(one["field"], one["value"]): one["why"] for one in answer["settings"]}
    assert whys["shm_size", "2g"].startswith("multiprocessing")
    assert whys["image", IMAGE] is None


def test_as_another_one() -> None:
    answer = run_json("--like", "jupyter-lab", "--print")
    assert answer["name"] == "jupyter-lab-2"
    assert answer["engine"] == "demo-docker"
    assert [one["value"] for one in answer["settings"] if one["field"] == "ports"] != ["8888:8888"]


def test_what_blocks_is_said_before_anything_is_made() -> None:
    answer = run_json(*DOCKER, "--name", "trainer", "-p", "8888:80", "no/such:1", code=4)
    assert answer["container"] is None
    assert {one["field"] for one in answer["findings"] if one["severity"] == "block"} >= {"image", "ports"}


def test_a_gpu_that_is_not_there_is_refused() -> None:
    answer = run_json(*DOCKER, "--gpus", "7", IMAGE, code=4)
    assert [one["field"] for one in answer["findings"]] == ["gpus"]
    assert "none" in answer["findings"][0]["remedy"]


def test_readonly_refuses() -> None:
    result = demo("run", *DOCKER, "--readonly", IMAGE)
    assert result.exit_code == 1
    assert "read-only" in result.stderr


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "say which image"),
        ((IMAGE,), "--engine NAME (demo-docker, demo-podman)"),
        ((*DOCKER, "-p", "x:y", "-v", "bad", IMAGE), "--publish: "),
        ((*DOCKER, "--preset", "pytroch"), "did you mean “pytorch”?"),
        ((*DOCKER, "--image", "a:1", "b:2"), "--image goes with"),
        (("--engine", "nowhere", IMAGE), "nowhere"),
        ((*DOCKER, "--env-file", "/no/such", IMAGE), "cannot be read"),
    ],
)
def test_bad_usage_is_2(argv: tuple[str, ...], says: str) -> None:
    result = demo("run", *argv)
    assert result.exit_code == 2
    assert says in result.stderr


def test_secrets_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_hidden")
    argv = ("run", *DOCKER, "--preset", "vllm", "--image", IMAGE, "-e", "MY_PASSWORD=hidden2", "--print")
    for result in (demo(*argv), demo(*argv, "--json")):
        assert result.exit_code == 0
        assert "hf_hidden" not in result.output
        assert "hidden2" not in result.output
    assert os.environ["HF_TOKEN"] == "hf_hidden"
    assert tmp_path.exists()


def test_presets_are_listed_and_shown() -> None:
    assert "jupyter" in demo("presets").stdout
    assert len(document("presets")["presets"]) == 12
    shown = document("presets", "pytorch")["preset"]
    assert shown["training"] is True
    assert all(one["why"] for one in shown["settings"])
    told = demo("presets", "pytorch").stdout
    assert "in a shell that stays" in told
    assert "\n\nImage  " in told


def test_a_wrong_preset_of_ones_own_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "tranship" / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('title = "Mine"\nwhat = "x"\n[shm]\nvalue = "1g"\nwhy = "so"\n')
    result = demo("presets")
    assert result.exit_code == 2
    assert "mine.toml:3: unknown key “shm”" in result.stderr
    assert "jupyter" in result.stdout
    assert demo("run", "--preset", "mine").exit_code == 2


def change_json(*argv: str, code: int = 0) -> dict[str, Any]:
    """The answer of `tranship change`."""
    result = demo("--json", "change", *argv)
    assert result.exit_code == code, result.stderr
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return answer


def test_a_container_is_changed_and_the_one_before_kept() -> None:
    answer = change_json("--yes", "--memory", "2g", "-e", "MODE=new", "tensorboard")
    assert answer["kept"] == "tensorboard-before"
    assert answer["container"]["name"] == "tensorboard"
    assert answer["container"]["state"] == "running"
    assert "--memory" in answer["command"]


def test_what_a_change_would_be_is_printed() -> None:
    result = demo("change", "--print", "-p", "6007:6006", "tensorboard")
    assert result.exit_code == 0
    assert "--publish 6007:6006" in result.stdout


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("--yes", "tensorboard"), 2, "say what is to change"),
        (("--memory", "2g", "tensorboard"), 2, "no terminal to ask on"),
        (("--yes", "--memory", "2g", "nobody"), 1, "no container “nobody”"),
        (("--yes", "--name", "jupyter-lab", "tensorboard"), 4, "is there already"),
        (("--yes", "--restart", "always", "--readonly", "tensorboard"), 1, "read-only"),
    ],
)
def test_a_change_that_cannot_be(argv: tuple[str, ...], code: int, says: str) -> None:
    result = demo("change", *argv)
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr


def test_no_change_is_no_change() -> None:
    result = demo("change", "--yes", "-p", "6006:6006", "tensorboard")
    assert result.exit_code == 0
    assert "so already" in result.stderr
