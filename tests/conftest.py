"""Fixtures shared by all tests: the real engines, a private home, and a sweep of what tests left behind."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import real, thorough

RUN_ID = os.environ.get("TRANSHIP_TEST_RUN") or uuid.uuid4().hex[:10]
RUN_LABEL = "tranship.test"

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile(
    "tranship", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100 if thorough.ON else 50
)
settings.load_profile("tranship")

_WORKERS = {"engines_docker": "docker", "engines_podman": "podman", "engines_migration": "ways"}
"""Folders of tests whose every test runs on one worker, after each other: they share one engine. Others: "whole"."""

_MOVES = {"test_moves.py", "test_backup.py", "test_volumes.py"}
"""Half of the migration's tests by time, for another worker: all that they make has names of its own."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread the tests over workers (pytest -n N --dist loadgroup): what shares a real engine stays together.

    Only a thorough run has tests marked `thorough`, and those marked `one_podman` on both Podmans.
    """
    left = [] if thorough.ON else [one for one in items if one.get_closest_marker("thorough") or _second_podman(one)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
    for item in items:
        if not any(item.get_closest_marker(mark) for mark in ("engines", "e2e")):
            continue
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        engine = str(params.get("engine", ""))
        alone = item.path.name if folder == "faults" else ""  # each file has objects, and mostly engines, of its own
        own = "moves" if folder == "engines_migration" and item.path.name in _MOVES else _WORKERS.get(folder)
        group = own or alone or engine.removesuffix("-rootless") or "whole"
        item.add_marker(pytest.mark.xdist_group(group))


def _second_podman(item: pytest.Item) -> bool:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return item.get_closest_marker("one_podman") is not None and "podman-rootless" in params.values()


@pytest.fixture(scope="session")
def run_label() -> dict[str, str]:
    """The label that everything made on a real engine carries, so that it can be swept."""
    return {RUN_LABEL: RUN_ID}


@pytest.fixture(scope="session")
def real_engines() -> Iterator[real.RealEngines]:
    """Real Docker, Podman and rootless Podman; skipped with the reason where they cannot be had.

    With TRANSHIP_REQUIRE_ENGINES=1 (CI) there is no skipping: what is in the way fails the test.
    """
    reason = real.why_not()
    if reason and not real.required():
        pytest.skip(reason)
    try:
        engines = real.bring_up()
    except RuntimeError as error:
        if real.required():
            raise
        pytest.skip(f"the real engines did not come up: {error}")
    yield engines
    _sweep(engines)


def _sweep(engines: real.RealEngines) -> None:
    """Remove this run's containers and volumes, whatever happened to the tests that made them."""
    label = f"label={RUN_LABEL}={RUN_ID}"
    for engine in ("docker", "podman", "podman-rootless"):
        containers = engines.cli(engine, "ps", "-aq", "--filter", label).split()
        if containers:
            engines.cli(engine, "rm", "-f", "-v", *containers)
        volumes = engines.cli(engine, "volume", "ls", "-q", "--filter", label).split()
        if volumes:
            engines.cli(engine, "volume", "rm", "-f", *volumes)


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's real configuration, state or engine settings reach a test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    engines = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST", "REGISTRY_AUTH_FILE")
    for name in (*engines, "TRANSHIP_ENGINES", "TRANSHIP_KUBE", "KUBECONFIG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
