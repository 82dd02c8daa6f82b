"""The engines' credential stores: files and helpers are read, nothing is written, no secret is told."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from backends.engines.registry_store import CredentialStore, podman_files, run_program
from backends.model.errors import Denied
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import Credentials, Login, Platform, parse_platform, registry_name

ENGINE = EngineId(EngineKind.DOCKER, "docker")
HELPER = """#!/bin/sh
read -r asked
case "$1 $asked" in
    "get locked.example") echo "the vault is locked" >&2; exit 1;;
    "get help.example") echo '{"ServerURL":"help.example","Username":"ann","Secret":"from-the-helper"}';;
    "list "*) echo '{"help.example":"ann"}';;
    *) echo "credentials not found in native keychain"; exit 1;;
esac
"""


def auth(user: str, secret: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


def store(tmp_path: Path, content: object) -> CredentialStore:
    file = tmp_path / "config.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return CredentialStore(ENGINE, (tmp_path / "none.json", file))


def decoded(headers: dict[str, str]) -> Any:
    (value,) = headers.values()
    return json.loads(base64.urlsafe_b64decode(value))


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A credential helper called "test"."""
    path = tmp_path / "docker-credential-test"
    path.write_text(HELPER)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return "test"


def test_an_entry_of_the_file(tmp_path: Path) -> None:
    content = {"auths": {"ghcr.io": auth("ann", "x"), "https://index.docker.io/v1/": auth("hub", "y")}, "other": 1}
    known = store(tmp_path, content)
    assert decoded(known.header("ghcr.io"))["username"] == "ann"
    assert decoded(known.header("docker.io"))["password"] == "y"
    assert known.header("quay.io") == {}
    assert set(decoded(known.headers(["ghcr.io", "quay.io"]))) == {"ghcr.io"}
    file = str(tmp_path / "config.json")
    assert known.logins() == (Login("docker.io", "hub", file), Login("ghcr.io", "ann", file))


def test_the_nearest_of_podmans_entries(tmp_path: Path) -> None:
    known = store(tmp_path, {"auths": {"quay.io": auth("a", "1"), "quay.io/team": auth("b", "2")}})
    assert decoded(known.header("quay.io", "team/box"))["username"] == "b"
    assert decoded(known.header("quay.io", "others/box"))["username"] == "a"
    part = store(tmp_path, {"auths": {"quay.io/team": auth("b", "2")}})
    assert part.header("quay.io", "others/box") == {}, "the team's is for nobody else"


def test_podman_takes_no_store_of_dockers(tmp_path: Path) -> None:
    docker = store(tmp_path, {"credsStore": "not-there", "auths": {"ghcr.io": auth("ann", "x")}})
    with pytest.raises(Denied, match="docker-credential-not-there is not installed"):
        docker.header("ghcr.io")
    with pytest.raises(Denied, match="is not installed"):
        docker.logins()
    podman = CredentialStore(ENGINE, docker.files, ("auths", "credHelpers"))
    assert decoded(podman.header("ghcr.io"))["username"] == "ann"


def test_a_helper_is_asked(tmp_path: Path, helper: str) -> None:
    known = store(tmp_path, {"credHelpers": {"help.example": helper, "locked.example": helper}})
    assert decoded(known.header("help.example"))["Password"] == "from-the-helper"
    assert known.helper("help.example") == helper
    with pytest.raises(Denied, match="docker-credential-test failed") as caught:
        known.header("locked.example")
    assert caught.value.__cause__ is None
    listed = store(tmp_path, {"credsStore": helper})
    assert listed.logins() == (Login("help.example", "ann", "docker-credential-test"),)
    assert listed.header("unknown.example") == {}


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"auths": {"ghcr.io": {"auth": "no base64 $$"}}}', '{"auths": ["ghcr.io"]}', "[" * 60_000],
    ids=["cut", "list", "garbled", "shape", "deep"],
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: str) -> None:
    with pytest.raises(Denied, match="cannot be read"):
        store(tmp_path, content).header("ghcr.io")


def test_podmans_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert podman_files()[0] == tmp_path / "containers" / "auth.json"
    assert podman_files()[-1].name == "config.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "/x/auth.json")
    assert podman_files() == (Path("/x/auth.json"),)


async def test_a_secret_goes_by_standard_input_and_is_not_told() -> None:
    code, said = await run_program(["sh", "-c", "read -r s; echo got $s; exit 3"], ENGINE, stdin="s3cret")
    assert (code, said) == (3, "got …")
    assert "s3cret" not in repr(Credentials("ann", "s3cret"))


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", Platform("linux", "amd64")),
        ("arm64", Platform("linux", "arm64")),
        ("linux/x86_64", Platform("linux", "amd64")),
        (" Linux/ARM64/v8 ", Platform("linux", "arm64", "v8")),
    ],
)
def test_platforms(text: str, platform: Platform) -> None:
    assert parse_platform(text) == platform
    assert parse_platform(str(platform)) == platform


@pytest.mark.parametrize("text", ["", "/", "linux/", "a/b/c/d", "linux/a b", "linux/../x"])
def test_no_platforms(text: str) -> None:
    with pytest.raises(ValueError, match="no platform"):
        parse_platform(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("GHCR.io", "ghcr.io"),
        ("localhost:5000/x", "localhost:5000"),
    ],
)
def test_registries(text: str, name: str) -> None:
    assert registry_name(text) == name


@pytest.mark.parametrize("text", ["a b", "-u", "x?y", "user@host", "/"])
def test_no_registries(text: str) -> None:
    with pytest.raises(ValueError, match="no registry"):
        registry_name(text)
