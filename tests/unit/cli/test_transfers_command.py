"""pull, push, search, login and image platforms on the demo fleet: what they write, their exit codes, no secret."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner, Result

from backends.model.events import Phase
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import LayerPhase, LayerProgress, Resolved, Transferred
from backends.model.transfer_state import TransferAsk, TransferState
from tests.unit.cli.demo import demo, document
from tui.cli.root import tranship
from tui.cli.transfer_block import TransferBlock

ALPINE = "docker.io/library/alpine:latest"
RESULT_KEYS = {
    "action", "engine", "asked", "reference", "candidates", "platform", "image_id", "digest", "changed", "moved_bytes",
    "layers", "error",
}  # fmt: skip


def test_several_images_to_several_engines() -> None:
    results = document("pull", "alpine", "python:3.12-slim", "-e", "demo-docker", "-e", "demo-podman")["results"]
    assert all(set(result) == RESULT_KEYS for result in results)
    told = {(result["engine"], result["reference"]) for result in results}
    assert len(told) == 4
    assert ("demo-podman", ALPINE) in told
    assert all(result["error"] is None and result["changed"] for result in results)
    assert results[0]["moved_bytes"] == sum(layer["size_bytes"] for layer in results[0]["layers"])


def test_one_that_fails_does_not_keep_the_others() -> None:
    results = document("pull", "nosuch", "alpine", "-e", "demo-docker", code=1)["results"]
    assert [result["error"] is None for result in results] == [False, True]
    assert results[0]["error"]["kind"] == "NotFound"


def test_lines_for_people() -> None:
    result = demo("pull", "alpine", "-e", "demo-docker")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{ALPINE} sha256:")
    assert "(Docker Hub, as no registry is named)" in result.stderr
    assert "✓ ↓ alpine:latest  demo-docker  done, 8.0 MiB moved" in result.stderr
    assert "\x1b" not in result.stderr


def test_an_engine_must_be_said_where_there_are_several() -> None:
    result = demo("pull", "alpine")
    assert result.exit_code == 2
    assert "--engine" in result.stderr


@pytest.mark.parametrize("platform", ["linux/", "a b"])
def test_no_platform(platform: str) -> None:
    assert demo("pull", "alpine", "-e", "demo-docker", "--platform", platform).exit_code == 2


def test_a_platform_that_is_not_there() -> None:
    result = demo("pull", "vllm/vllm-openai:v0.7.0", "-e", "demo-docker", "--platform", "linux/arm64")
    assert result.exit_code == 1
    assert "for this platform" in result.stderr
    assert "--platform" in result.stderr


def test_a_digest_counts_more_than_a_tag() -> None:
    digest = "sha256:" + "a" * 64
    (result,) = document("pull", f"alpine:latest@{digest}", "-e", "demo-docker", code=1)["results"]
    assert result["reference"] == f"docker.io/library/alpine@{digest}"


def test_a_push() -> None:
    (result,) = document("push", "redis:7", "-e", "demo-podman")["results"]
    assert result["action"] == "image.push"
    assert result["digest"].startswith("sha256:")


def test_read_only() -> None:
    for command in (["pull", "alpine"], ["push", "redis:7"], ["logout", "ghcr.io"]):
        result = demo(*command, "--readonly", "-e", "demo-docker")
        assert result.exit_code == 1
        assert "read-only" in result.stderr


def test_platforms() -> None:
    answer = document("image", "platforms", "alpine", "-e", "demo-docker")
    assert answer["single"] is False
    assert [one["architecture"] for one in answer["platforms"]] == ["amd64", "arm64"]
    assert demo("image", "platforms", "alpine", "-e", "demo-docker").stdout == "linux/amd64\nlinux/arm64\n"


def test_search() -> None:
    answer = document("search", "python")
    assert {one["engine"] for one in answer["found"]} == {"demo-docker", "demo-podman"}
    assert {one["name"] for one in answer["found"]} == {"docker.io/library/python"}
    (header, row) = demo("search", "python", "-e", "demo-docker").stdout.splitlines()
    assert header.split() == ["ENGINE", "IMAGE", "STARS", "OFFICIAL", "DESCRIPTION"]
    assert row.split()[:4] == ["demo-docker", "python", "9800", "yes"]
    assert "no image fits" in demo("search", "nothing-like-it").stdout


def login(*argv: str, stdin: str) -> Result:
    return CliRunner().invoke(tranship, ["--demo", "login", *argv, "--password-stdin"], input=stdin)


def test_a_login() -> None:
    done = login("registry.example.com", "-u", "demo", "-e", "demo-docker", stdin="demo\n")
    assert done.exit_code == 0
    assert done.stdout == "demo is logged in to registry.example.com on demo-docker; kept in the demo's memory\n"
    refused = login("registry.example.com", "-u", "demo", "-e", "demo-docker", stdin="very-secret\n")
    assert refused.exit_code == 1
    assert "refuses this user name and password" in refused.stderr
    assert "very-secret" not in refused.output


def test_a_login_needs_an_account_a_password_and_a_registry() -> None:
    assert "--username" in demo("login", "ghcr.io", "-e", "demo-docker").stderr
    assert "--password-stdin" in demo("login", "ghcr.io", "-u", "ann", "-e", "demo-docker").stderr
    assert login("ghcr.io", "-u", "ann", "-e", "demo-docker", stdin="").exit_code == 2
    assert login("a b", "-u", "ann", "-e", "demo-docker", stdin="x").exit_code == 2


def test_no_logins() -> None:
    assert document("login", "--list")["logins"] == []
    assert "has no login for ghcr.io" in demo("logout", "ghcr.io", "-e", "demo-docker").stderr


def state(count: int) -> TransferState:
    """A pull of so many layers, half-way."""
    made = TransferState(TransferAsk(EngineId(EngineKind.DOCKER, "docker"), "box:1"))
    for at in range(count):
        made = made.after(LayerProgress(f"{at:012x}", LayerPhase.DOWNLOADING, 50, 100))
    return made


def test_the_block_is_drawn_over_itself_and_never_higher_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "10")
    out = io.StringIO()
    block = TransferBlock(out, living=True)
    block.show([state(3)])
    first = out.getvalue()
    assert first.count("\n") == 4
    block.show([state(30), state(30)])
    second = out.getvalue()[len(first) :]
    assert second.startswith("\x1b[4F\x1b[J")
    lines = second.removeprefix("\x1b[4F\x1b[J").splitlines()
    assert len(lines) <= 9
    assert sum("box:1" in one for one in lines) == 2, "both heads are there"
    assert any("more layers" in one for one in lines)
    assert all(len(one) < 80 for one in lines)


def test_without_a_terminal_there_is_a_line_for_each_turn() -> None:
    out, now = io.StringIO(), [0.0]
    block = TransferBlock(out, living=False, clock=lambda: now[0])
    made = state(2)
    for _ in range(5):
        block.show([made])
    assert out.getvalue().count("\n") == 1
    now[0] = 60.0
    block.show([made])
    assert out.getvalue().count("\n") == 2
    block.close([made.after(Transferred("docker.io/library/box:1", "a" * 64))])
    assert out.getvalue().count("done") == 1


def test_hostile_names_are_inert() -> None:
    out = io.StringIO()
    made = state(1).after(Resolved("evil\x1b[31m:1", ("a\x1b]0;x\x07",), "\x1b[2J"))
    TransferBlock(out, living=False).show([made])
    assert "\x1b" not in out.getvalue()
    assert made.phase is Phase.PROGRESS
