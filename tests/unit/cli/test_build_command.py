"""`tranship build` on the demo fleet."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.demo import demo, document


def folder(tmp_path: Path, text: str) -> str:
    (tmp_path / "Containerfile").write_text(text)
    (tmp_path / "a").write_text("a")
    return str(tmp_path)


def test_a_build_says_its_steps_and_the_image(tmp_path: Path) -> None:
    path = folder(tmp_path, "FROM redis:7\nRUN echo hello\nCOPY a /a\n")
    done = demo("build", path, "-t", "mine:1", "--engine", "demo-docker")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("mine:1 is built on demo-docker (")
    assert "[2/3] RUN echo hello\n  hello\n" in done.stderr
    answer = document("build", path, "-t", "mine:1", "-t", "other", "--engine", "demo-docker", "--label", "a=b")
    assert answer["names"] == ["docker.io/library/mine:1", "docker.io/library/other:latest"]
    assert [step["instruction"] for step in answer["steps"]] == ["FROM redis:7", "RUN echo hello", "COPY a /a"]
    assert set(answer) == {"schema", "action", "engine", "id", "names", "context_bytes", "steps", "error"}
    assert set(answer["steps"][0]) == {"stage", "number", "instruction", "cached", "took_s"}


def test_what_cannot_be_built_says_why(tmp_path: Path) -> None:
    path = folder(tmp_path, "FROM redis:7\nRUN echo before; exit 4\n")
    failed = demo("build", path, "--engine", "demo-docker")
    assert failed.exit_code == 1
    assert "Containerfile, line 2: step 2 of 2 ended with code 4" in failed.stderr
    assert document("build", path, "-e", "demo-docker", code=1)["error"]["kind"] == "Conflict"
    assert demo("build", path).exit_code == 2, "which engine?"
    assert demo("build", path, "-e", "demo-docker", "--build-arg", "A").exit_code == 2
    assert "no image name" in demo("build", path, "-e", "demo-docker", "-t", "A B").stderr
    assert "There is no folder" in demo("build", str(tmp_path / "x"), "-e", "demo-docker").stderr
    assert "read-only" in demo("--readonly", "build", path, "-e", "demo-docker").stderr
