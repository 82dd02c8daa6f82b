"""Containers that are each made with one fault, on real engines by their own command lines: exactly that is found."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends.migration.trust import see_trust
from backends.security.trust import TrustOutcome, judge, read_policy
from backends.services.rootless import rootless_report
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
            ids = {made[row.name]: row.key.id for row in mine}
            moved = await rootless_report(engine, ids["privileged"], [], {})
        assert not errors
        assert moved.already is (kind == "podman-rootless")
        assert moved.already or any("privileged" in one.what for one in moved.changes)
        trust = see_trust(engine.id, engine.endpoint)
        assert trust is None if kind == "docker" else trust is not None and trust.path.endswith("policy.json")
        assert "hunter2" not in repr(reports)
        found = {made[report.name]: {one.id for one in report.findings} for report in reports}
        usual = found.pop("careful")
        assert usual <= {"image-unpinned", "image-old", "image-unsigned"}
        assert found == {case: {id} | usual for case, (_, id) in cases.items() if id}
    finally:
        await engine.close()


_OPEN, _REJECT = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]


@pytest.mark.engines
def test_a_policy_is_judged_as_podman_judges_it(real_engines: RealEngines, tmp_path: Path) -> None:
    """One image of the test registry, pulled by a Podman of its own home under each policy."""
    name = f"{real_engines.registry}/trust-{uuid.uuid4().hex[:8]}/app"
    host, space = real_engines.registry, name.rpartition("/")[0]
    wild = f"*.{host.partition(':')[0].partition('.')[2]}"
    policies: list[tuple[list[dict[str, str]], dict[str, list[dict[str, str]]]]] = [
        (_REJECT, {}),
        (_OPEN, {space: _REJECT}),
        (_REJECT, {wild: _OPEN}),
        (_REJECT, {wild: _REJECT, host: _OPEN, f"{name}:2": _REJECT}),
    ]
    own = tmp_path / ".config/containers"
    own.mkdir(parents=True)
    command = ["env", "-u", "CONTAINER_HOST", "-u", "DOCKER_HOST", f"HOME={tmp_path}"]
    real_engines.cli("podman", "push", "-q", "--tls-verify=false", "test/busybox:1", f"{name}:1")
    try:
        for default, scopes in policies:
            text = json.dumps({"default": default, "transports": {"docker": scopes}})
            (own / "policy.json").write_text(text)
            expected = judge(read_policy(text), f"{name}:1").outcome
            pull = (*command, "podman", "pull", "-q", "--tls-verify=false", f"{name}:1")
            if expected is TrustOutcome.ACCEPTS:
                real_engines.cli("engines-exec", *pull)
            else:
                with pytest.raises(subprocess.CalledProcessError) as refused:
                    real_engines.cli("engines-exec", *pull)
                assert "rejected by policy" in " ".join(refused.value.__notes__)
    finally:
        real_engines.cli("podman", "rmi", "--ignore", f"{name}:1")
