"""`tranship images` and `tranship image …` on the demo fleet: what they write, what they refuse, their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.demo import demo, document

IMAGE_KEYS = {
    "engine", "id", "tags", "digests", "created_at", "size_bytes", "why", "dangling", "containers", "base",
    "layers_bytes", "unique_bytes", "shared_bytes", "missing", "travels", "layers",
}  # fmt: skip
REDIS = "docker.io/library/redis:7"


def test_the_list_as_json() -> None:
    answer = document("images")
    images = answer["images"]
    assert all(set(image) == IMAGE_KEYS for image in images)
    redis = {image["engine"]: image for image in images if REDIS in image["tags"]}
    assert set(redis) == {"demo-docker", "demo-podman"}
    assert redis["demo-podman"]["containers"] == ["rag-redis"]
    for image in images:
        assert image["unique_bytes"] + image["shared_bytes"] == image["layers_bytes"]
        own = sum(layer["size_bytes"] for layer in image["layers"] if layer["own"])
        assert own == image["unique_bytes"]
    sums = {engine["engine"]: engine["stored_bytes"] for engine in answer["engines"]}
    assert 0 < sums["demo-docker"] < sum(i["size_bytes"] for i in images if i["engine"] == "demo-docker")
    assert redis["demo-docker"]["travels"] == {"demo-podman": {"bytes": 0, "missing": {}}}


def test_the_list_as_a_table() -> None:
    header, *rows = demo("images", "--engine", "demo-podman").stdout.splitlines()
    assert header.split() == ["ENGINE", "IMAGE", "ID", "SIZE", "UNIQUE", "USED", "BY", "AGE"]
    (row,) = [row for row in rows if " redis:7 " in row]
    assert row.split()[:2] == ["demo-podman", "redis:7"]
    assert "rag-redis" in row
    assert rows[-1].startswith("demo-podman: 10 images, ")
    assert "unused" in rows[-1]


def test_only_those_that_nothing_uses() -> None:
    images = document("images", "--unused")["images"]
    assert images
    assert all(not image["containers"] for image in images)
    assert document("images", "--dangling")["images"] == []


def test_an_engine_that_is_not_there() -> None:
    result = demo("images", "--engine", "nowhere")
    assert result.exit_code == 2
    assert "no engine is called" in result.stderr


def test_rm_needs_a_terminal_or_yes() -> None:
    result = demo("image", "rm", "redis:7", "--engine", "demo-docker")
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_rm_says_what_it_freed() -> None:
    result = demo("image", "rm", "redis:7", "--engine", "demo-docker", "--yes")
    assert result.exit_code == 0
    assert result.stdout == f"{REDIS} on demo-docker: removed\nThat freed 41 MiB.\n"
    (done,) = document("image", "rm", "redis:7", "--engine", "demo-docker", "--yes")["results"]
    assert (done["action"], done["name"], done["done"], done["error"]) == ("image.remove", REDIS, True, None)


def test_rm_of_one_that_is_used_is_refused_before_anything_is_removed() -> None:
    result = demo("image", "rm", "vllm/vllm-openai:v0.6.4", "postgres:16", "--engine", "demo-docker", "--yes")
    assert result.exit_code == 1
    assert "is used by mlops-postgres-1" in result.stderr
    assert "Next: " in result.stderr
    assert result.stdout == ""


def test_prune_removes_what_nothing_uses() -> None:
    assert demo("image", "prune", "--yes").stdout == "there is nothing to prune\n"
    unused = {image["id"] for image in document("images", "--unused", "--engine", "demo-docker")["images"]}
    results = document("image", "prune", "--all", "--yes", "--engine", "demo-docker")["results"]
    assert {result["id"] for result in results} == unused
    assert all(result["done"] for result in results)


def test_tag_and_untag() -> None:
    done = document("image", "tag", "redis:7", "team/cache", "--engine", "demo-docker")
    assert done["tag"] == "docker.io/team/cache:latest"
    taken = demo("image", "tag", "redis:7", "postgres:16", "--engine", "demo-docker")
    assert taken.exit_code == 1
    assert "the name of another image" in taken.stderr
    only = demo("image", "untag", "redis:7", "--engine", "demo-docker")
    assert only.exit_code == 1
    assert "only name" in only.stderr


def test_an_image_on_both_engines_needs_the_engine() -> None:
    result = demo("image", "tag", "redis:7", "x:1")
    assert result.exit_code == 2
    assert "say which with --engine" in result.stderr
    unknown = demo("image", "tag", "nothing:1", "x:1")
    assert unknown.exit_code == 1
    assert "`tranship images` lists all" in unknown.stderr


def test_save_and_load(tmp_path: Path) -> None:
    path = tmp_path / "redis.tar"
    saved = document("image", "save", "redis:7", str(path), "--engine", "demo-podman")
    assert saved["size_bytes"] == path.stat().st_size
    again = demo("image", "save", "redis:7", str(path), "--engine", "demo-podman")
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert document("image", "load", str(path), "--engine", "demo-docker")["loaded"] == [REDIS]
    unsaid = demo("image", "load", str(path))
    assert unsaid.exit_code == 2
    assert "--engine" in unsaid.stderr


def test_copy() -> None:
    there = document("image", "copy", "redis:7", "--from", "demo-docker", "--to", "demo-podman")
    assert (there["moved_bytes"], there["names"]) == (0, [REDIS])
    named = document("image", "copy", "redis:7", "--to", "demo-podman", "--as", "mirror/redis:7")
    assert named["names"] == ["docker.io/mirror/redis:7"]
    words = demo("image", "copy", "redis:7", "--to", "demo-podman")
    assert "it was there" in words.stdout


@pytest.mark.parametrize(
    "argv",
    [
        ("image", "rm", "redis:7", "--engine", "demo-docker", "--yes"),
        ("image", "tag", "redis:7", "x:1", "--engine", "demo-docker"),
        ("image", "copy", "redis:7", "--from", "demo-docker", "--to", "demo-podman"),
    ],
    ids=lambda argv: argv[1],
)
def test_read_only_refuses(argv: tuple[str, ...]) -> None:
    result = demo("--readonly", *argv)
    assert result.exit_code == 1
    assert "read-only" in result.stderr
