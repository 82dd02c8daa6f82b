"""What a socket that cannot be opened is told as."""

from __future__ import annotations

import errno
import grp
import os
from pathlib import Path

import pytest

from backends.model.errors import Denied
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from backends.wire.failures import from_os_error

ENGINE = EngineId(EngineKind.DOCKER, "docker")


def _hint(url: str) -> str:
    error = from_os_error(PermissionError(errno.EACCES, "Permission denied"), Endpoint.parse(url), ENGINE)
    assert isinstance(error, Denied)
    return error.hint


def test_who_may_not_open_a_socket_is_told_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch(0o600)
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group(("docker", "x", 998, [])))
    found = os.stat(socket)
    monkeypatch.setattr(os, "stat", lambda _: os.stat_result((0o140660, *found[1:5], 998, *found[6:])))
    told = "Join the socket's group (`sudo usermod -aG docker $USER`, then log in again), or use a rootless engine."
    assert _hint(str(socket)) == told
    monkeypatch.setattr(os, "stat", lambda _: os.stat_result((0o140600, *found[1:5], 998, *found[6:])))
    assert _hint(str(socket)).startswith("Ask whoever owns the socket")
    monkeypatch.undo()
    assert _hint(str(tmp_path / "gone")).startswith("Ask whoever owns the socket")
    assert "firewall" in _hint("tcp://10.0.0.1:2375")
