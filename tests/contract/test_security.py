"""Containers that are each made with one fault, on real engines by their own command lines: exactly that is found."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from backends.services.security import look
from tests.contract.conftest import real_engine
from tests.real import RealEngines, host_port
from tests.thorough import thorough

_CAREFUL = {
    "user": ("--user", "1000"),
    "caps": ("--cap-drop", "ALL"),
    "setuid": ("--security-opt", "no-new-privileges"),
    "root": ("--read-only",),
    "pids": ("--pids-limit", "100"),
}
"""What a careful person gives to every container."""

_FAULTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "privileged": (("--privileged",), "privileged"),
    "capability": (("--cap-add", "SYS_ADMIN"), "cap-added"),
    "pid": (("--pid", "host"), "host-pid"),
    "ipc": (("--ipc", "host"), "host-ipc"),
    "network": (("--network", "host"), "host-network"),
    "uts": (("--uts", "host"), "host-uts"),
    "seccomp": (("--security-opt", "seccomp=unconfined"), "seccomp-off"),
    "sockets": (("--volume", "/var/run:/x"), "mount-engine-socket"),
    "files": (("--volume", "/:/x:ro"), "mount-root"),
    "settings": (("--volume", "/etc:/x"), "mount-system"),
    "kernel": (("--volume", "/proc:/x"), "mount-kernel"),
    "secret": (("--env", "DB_PASSWORD=hunter2-and-more"), "secret-env"),
}
_LEFT_OUT = {"caps": "cap-default", "setuid": "new-privileges", "root": "root-writable"}
"""A careful option that is not given, and what is found then."""
_UNMASKED = {"docker": "systempaths=unconfined", "podman": "unmask=ALL", "podman-rootless": "unmask=ALL"}
_AT_ONCE = 4


def _options(kind: str) -> dict[str, tuple[list[str], str]]:
    """By case: the options of its container, and the finding."""
    usual = [word for words in _CAREFUL.values() for word in words]
    cases = {case: ([*usual, *more], id) for case, (more, id) in _FAULTS.items()}
    cases["unmasked"] = ([*usual, "--security-opt", _UNMASKED[kind]], "paths-unmasked")
    cases["port"] = ([*usual, "--publish", f"{host_port()}:80"], "port-everywhere")
    for left_out, id in _LEFT_OUT.items():
        kept = [word for option, words in _CAREFUL.items() if option != left_out for word in words]
        cases[f"no {left_out}"] = (kept, id)
    as_root = [word for option, words in _CAREFUL.items() if option != "user" for word in words]
    cases["no user"] = (as_root, "root-mapped" if kind == "podman-rootless" else "root")
    return {"careful": (usual, ""), **cases}


@contextmanager
def _made(
    real: RealEngines, kind: str, label: Mapping[str, str], options: Mapping[str, list[str]]
) -> Iterator[dict[str, str]]:
    """A container for each case, by name; created and never started. All are removed afterwards."""
    labels = [word for pair in label.items() for word in ("--label", "=".join(pair))]
    names = {case: f"test-{case.replace(' ', '-')}-{uuid.uuid4().hex[:8]}" for case in options}

    def create(case: str) -> str:
        return real.cli(kind, "create", "--name", names[case], *labels, *options[case], "test/busybox:1", "true")

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(create, options))
        yield {name: case for case, name in names.items()}
    finally:
        real.cli(kind, "rm", "-f", *names.values())


@pytest.mark.engines
@pytest.mark.parametrize("kind", ["docker", "podman", *thorough("podman-rootless")])
async def test_each_fault_is_found_and_nothing_else(
    kind: str, real_engines: RealEngines, run_label: dict[str, str]
) -> None:
    urls = {"docker": real_engines.docker, "podman": real_engines.podman, "podman-rootless": real_engines.rootless}
    cases = _options(kind)
    engine = real_engine(kind, urls[kind])
    try:
        options = {case: words for case, (words, _) in cases.items()}
        with _made(real_engines, kind, run_label, options) as made:
            await engine.connect()
            mine = [row for row in await engine.list_containers() if row.name in made]
            reports, errors = await look(engine, mine)
        assert not errors
        assert "hunter2" not in repr(reports)
        found = {made[report.name]: {one.id for one in report.findings} for report in reports}
        usual = found.pop("careful")
        assert usual <= {"image-unpinned", "image-old"}
        assert found == {case: {id} | usual for case, (_, id) in cases.items() if id}
    finally:
        await engine.close()
