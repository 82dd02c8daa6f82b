"""What the adapter does with answers that a real engine of today does not give; errors in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from backends.engines.podman import PodmanEngine
from backends.engines.podman_errors import NOT_COPIED, explain
from backends.engines.podman_translate import changes_of, check_timeout_s, engine_info, restart_of
from backends.model.container import ChangedPath, ChangeKind
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import RestartName, RestartPolicy
from backends.wire.endpoint import Endpoint
from tests.unit.podman.recorded import recorded

_ENGINE = EngineId(EngineKind.PODMAN, "old")


class _Old:
    """Podman 5.0: it passes over what it does not know."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def change(self, _method: str, path: str, params: Mapping[str, Any], *, body: object) -> None:
        assert body == {}, "an empty body changes no limit"
        self.asked.append((path, dict(params)))

    async def get(self, _path: str) -> Any:
        return recorded("rootful", "inspect-plain")


async def test_a_service_that_passes_over_the_policy_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, old = PodmanEngine(_ENGINE, Endpoint.parse("unix:///nowhere")), _Old()
    info = recorded("rootful", "info")
    info["version"]["Version"] = "5.0.3"
    monkeypatch.setattr(engine, "_api", old)
    monkeypatch.setattr(engine, "_info", engine_info(info, local=True))
    await engine.set_restart("x", RestartPolicy())
    with pytest.raises(Unsupported) as caught:
        await engine.set_restart("x", RestartPolicy(RestartName.ON_FAILURE, 4))
    assert "5.0.3" in caught.value.title
    assert caught.value.engine == _ENGINE
    assert old.asked[-1] == ("/containers/x/update", {"restartPolicy": "on-failure", "restartRetries": 4})


def test_restart_policies_as_inspect_has_them() -> None:
    assert restart_of({}) == RestartPolicy()
    assert restart_of({"HostConfig": {"RestartPolicy": {"Name": "", "MaximumRetryCount": 0}}}) == RestartPolicy()


def test_what_is_mounted_is_no_change() -> None:
    entries = [
        {"Path": "/data", "Kind": 0},
        {"Path": "/data/x", "Kind": 1},
        {"Path": "/database", "Kind": 1},
        {"Path": "/t", "Kind": 1},
        {"Path": "/etc/gone", "Kind": 2},
    ]
    inspect = {"Mounts": [{"Destination": "/data/"}], "HostConfig": {"Tmpfs": {"/t": "rw"}}}
    assert changes_of(entries, inspect) == (
        ChangedPath("/database", ChangeKind.ADDED),
        ChangedPath("/etc/gone", ChangeKind.DELETED),
    )
    assert changes_of(None, {}) == ()


@pytest.mark.parametrize(
    ("check", "timeout_s"),
    [(None, None), ({}, None), ({"Test": ["NONE"]}, None), ({"Test": ["CMD", "x"], "Timeout": 2_500_000_000}, 2.5)],
)
def test_how_long_a_check_may_take(check: Any, timeout_s: float | None) -> None:
    assert check_timeout_s({"Config": {"Healthcheck": check}}) == timeout_s


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("network name x already used: network already exists", Conflict),
        ("subnet 198.18.77.0/24 is already used on the host or by another config", Conflict),
        ('"x" has associated containers with it. Use -f …: network is being used', Conflict),
        ("unable to find network with name or ID x: network not found", NotFound),
    ],
)
def test_networks_in_words(message: str, kind: type[BackendError]) -> None:
    error = explain(_ENGINE)(500, message)
    assert type(error) is kind
    assert (error.detail, error.engine) == (message, _ENGINE)


@pytest.mark.parametrize(
    "message",
    [
        "saving container ab state: writing container ab state: database or disk is full",
        "creating container storage: write /s/overlay-layers/.tmp-layers.json1: no space left on device",
        "payload does not match any of the supported image formats: * oci-archive: write /s/x: no space left on device",
    ],
)
def test_a_full_disk_is_told_as_one_whatever_it_was_met_in(message: str) -> None:
    error = explain(_ENGINE)(500, message)
    assert (type(error), error.title if error else "") == (Conflict, "The engine's disk is full")


def test_a_failed_copy_says_what_is_wrong_and_not_the_whole_request() -> None:
    request = 'copier.request{Request:"PUT", Root:"/", opts:copier.PutOptions{' + "x" * 900 + "}}: "
    error = explain(_ENGINE)(500, f"Error during bulk transfer for {request}lchown /a: invalid argument")
    assert type(error) is Protocol
    assert (error.title, error.detail) == (NOT_COPIED, "lchown /a: invalid argument")
