"""Wheel and sdist: built, installed where nothing of this tree is seen, started, and upgraded over an older version."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("packaging")  # built once

ROOT = Path(__file__).resolve().parents[2]
OWN_UV = ROOT / ".tools" / "uv" / "bin" / "uv"
UV = str(OWN_UV) if OWN_UV.exists() else shutil.which("uv") or ""
# Of the user, not of the test: packages come from it, and from the network only where they are not there.
CACHE = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip() if UV else ""
OLDER = "0.0.9"
TIMEOUT_S = 120
ACT = """
import asyncio
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.services.audit import AuditLog, default_path
log = AuditLog(default_path())
key = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
log.record(OperationUpdate(1, "container.stop", key, "web", Phase.DONE))
asyncio.run(log.close())
"""
"""What a version writes down of an action on a real engine."""


def run(*argv: str | Path, cwd: Path | None = None, **environ: str) -> str:
    """Run to its good end; its stdout."""
    env = {**os.environ, "UV_CACHE_DIR": CACHE, "UV_PYTHON_DOWNLOADS": "never", **environ}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(source: Path, into: Path, *targets: str) -> None:
    """Build without the isolated environment of a front end: hatchling is the one of this environment."""
    wanted = [word for target in targets for word in ("-t", target)]
    run(sys.executable, "-m", "hatchling", "build", "-d", into, *wanted, cwd=source)


@dataclass(frozen=True)
class Built:
    """Both archives of this tree, what the sdist unpacks to, and the wheel of an older version."""

    wheel: Path
    sdist: Path
    unpacked: Path
    older: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out, "sdist", "wheel")
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    unpacked = out / sdist.name.removesuffix(".tar.gz")
    project = unpacked / "pyproject.toml"
    kept = project.read_text()
    project.write_text(re.sub(r'^version = ".*"$', f'version = "{OLDER}"', kept, count=1, flags=re.MULTILINE))
    build(unpacked, out / "older", "wheel")
    project.write_text(kept)
    (older,) = (out / "older").glob("*.whl")
    return Built(wheel, sdist, unpacked, older)


def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    build(built.unpacked, tmp_path, "wheel")
    (again,) = tmp_path.glob("*.whl")
    assert again.name == built.wheel.name
    with zipfile.ZipFile(built.wheel) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        assert [info.CRC for info in one.infolist()] == [info.CRC for info in other.infolist()]


def test_the_wheel_has_all_that_the_program_reads_and_nothing_of_the_tests(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = set(archive.namelist())
    rooms = ("backends", "widgets", "tui")
    tracked = subprocess.run(["git", "ls-files", *rooms], cwd=ROOT, capture_output=True, text=True).stdout.split()
    tracked = tracked or [name for name in names if name.startswith(rooms)]  # an sdist is no repository
    assert set(tracked) - names == set()
    assert {name.split("/")[0] for name in names if "tranship-" not in name} == set(rooms)
    shared = {name.split(".data/data/")[1] for name in names if ".data/data/" in name}
    assert {"share/man/man1/tranship.1", "share/applications/tranship.desktop"} < shared


def test_it_starts_from_a_clean_environment_and_an_upgrade_keeps_what_was_there(built: Built, tmp_path: Path) -> None:
    clean, elsewhere = tmp_path / "clean", tmp_path / "elsewhere"
    elsewhere.mkdir()
    python, tranship = clean / "bin" / "python", clean / "bin" / "tranship"
    # What uv.lock names for users, and nothing else: a dependency that is not declared fails here.
    locked = ("sync", "-q", "--frozen", "--no-dev", "--no-install-project", "--project", ROOT)
    run(UV, *locked, "--python", sys.executable, UV_PROJECT_ENVIRONMENT=str(clean))
    home = {name: str(tmp_path / name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}

    def install(wheel: Path) -> None:
        run(UV, "pip", "install", "-q", "--no-deps", "--python", python, wheel)

    def call(*argv: str) -> str:
        return run(tranship, *argv, cwd=elsewhere, **home)

    install(built.older)
    assert call("--version") == f"tranship {OLDER}\n"
    settings = tmp_path / "XDG_CONFIG_HOME" / "tranship" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('refresh_s = 2.0\n[keys]\n"container.stop" = "f8"\n')
    run(python, "-P", "-c", ACT, cwd=elsewhere, **home)
    before = {path: path.read_bytes() for path in tmp_path.glob("XDG_*/**/*") if path.is_file()}
    (trail,) = (path for path in before if path.name == "audit.jsonl")

    install(built.wheel)
    assert call("--version") == f"tranship {built.wheel.name.split('-')[1]}\n"
    assert {path: path.read_bytes() for path in before} == before
    run(python, "-P", "-c", ACT, cwd=elsewhere, **home)
    assert "2 lines in 1 file are whole and in order" in call("audit", "--verify")
    versions = [json.loads(line)["tranship"] for line in trail.read_text().splitlines()]
    assert versions == [OLDER, call("--version").split()[1]]
    files = json.loads(call("doctor", "--demo", "--json"))["files"]
    assert files["settings"] == str(settings)
    where = run(python, "-P", "-c", "import tui; print(tui.__file__)", cwd=elsewhere).strip()
    assert Path(where).is_relative_to(clean)
    assert (clean / "share" / "man" / "man1" / "tranship.1").read_text().startswith(".TH TRANSHIP 1")


def test_each_dependency_is_locked_by_its_hash_from_one_registry() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (own,) = (one for one in packages if one["name"] == "tranship")
    assert own["source"] == {"editable": "."}
    for one in packages:
        if one is not own:
            files = [*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ())]
            assert one["source"] == {"registry": "https://pypi.org/simple"}, one["name"]
            assert files, one["name"]
            assert all(file["hash"].startswith("sha256:") for file in files), one["name"]


def test_the_containerfile_takes_what_is_there_and_the_uv_of_the_makefile() -> None:
    text = (ROOT / "Containerfile").read_text()
    taken = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert set(taken) >= {"pyproject.toml", "uv.lock", "backends", "widgets", "tui", "packaging"}
    assert [word for word in taken if not (ROOT / word).exists()] == []
    (wanted,) = re.findall(r"^UV_VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"ARG UV_VERSION={wanted}\n" in text
