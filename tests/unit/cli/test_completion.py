"""What Tab offers, asked as the shells ask: by the console script's own variables."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli.completion import joined


def offered(*words: str, shell: str = "bash", **environ: str) -> list[str]:
    """The words that the shell is given; the last of words is the one being typed. Nothing else may be written."""
    asked = {
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TRANSHIP_COMPLETE": f"{shell}_complete",
    }
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['tranship']; from tui.__main__ import main; main()"],
        env={**os.environ, **asked, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stderr == ""
    return [line.partition(",")[2] if shell == "bash" else line for line in ran.stdout.splitlines() if line]


TRIES = 8


def soon(*words: str, shell: str = "bash", **environ: str) -> list[str]:
    """The first words that are offered: nothing is offered where the fleet is not read within LIMIT_S, which
    a busy machine may not give at the first time."""
    return next(filter(None, (offered(*words, shell=shell, **environ) for _ in range(TRIES))), [])


def test_containers_but_not_those_named_already() -> None:
    assert soon("tranship", "--demo", "stop", "mlops-minio-1", "mlops-") == ["mlops-mlflow-1", "mlops-postgres-1"]


def test_engines_and_projects() -> None:
    assert soon("tranship", "--demo", "stop", "-e", "demo-d") == ["demo-docker"]
    assert "mlops" in soon("tranship", "--demo", "stop", "--project", "")


def test_images_also_where_bash_took_them_apart_at_the_colon() -> None:
    assert soon("tranship", "--demo", "layers", "minio/") == ["minio/minio:latest"]
    assert soon("tranship", "--demo", "layers", "minio/minio", ":", "la") == ["latest"]
    assert soon("tranship", "--demo", "image", "rm", "minio/minio", ":") == ["latest"]


def test_an_engine_that_hangs_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    """Its socket accepts and never answers: the shell is not kept, whatever the engine does."""
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "s"))
        hung.listen()
        environ = {"TRANSHIP_ENGINES": f"hung=docker+unix://{tmp_path}/s", "DOCKER_HOST": "", "PATH": "/nowhere"}
        assert offered("tranship", "stop", "", **environ) == []


def test_zsh_and_fish_are_told_the_state_too() -> None:
    fish = soon("tranship", "--demo", "stop", "jupyter", shell="fish", COMP_CWORD="jupyter")
    assert any("jupyter-lab" in line for line in fish)


@pytest.mark.parametrize(
    ("words", "whole", "places"),
    [
        (["t", "a", ":", "b"], ["t", "a:b"], [0, 1, 1, 1]),
        (["t", "h", ":", "5", ":", "x", "c"], ["t", "h:5:x", "c"], [0, 1, 1, 1, 1, 1, 2]),
        (["t", "a", "b"], ["t", "a", "b"], [0, 1, 2]),
        (["t"], ["t"], [0]),
    ],
)
def test_words_are_put_together_at_colons(words: list[str], whole: list[str], places: list[int]) -> None:
    assert joined(words) == (whole, places)


def test_contexts_of_the_kubeconfig_where_no_cluster_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(
        "contexts: [{name: lab}, {name: prod}]\nusers: [{name: x, user: {exec: {command: 'false'}}}]"
    )
    (tmp_path / "b").write_text("contexts: [{name: live}]")
    (tmp_path / "bad").write_text("a: [")
    config = ":".join(str(tmp_path / name) for name in ("a", "bad", "none", "b"))
    assert offered("tranship", "ps", "--kube", "l", KUBECONFIG=config) == ["lab", "live"]
    assert offered("tranship", "export", "--context", "", KUBECONFIG=config) == ["lab", "live", "prod"]
