"""The SSH forward, with a stand-in for the ssh program: argv, start, failure, end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from backends.model.errors import Denied, Unreachable, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.wire import ssh
from backends.wire.endpoint import Endpoint
from backends.wire.ssh import SshForward

ENGINE = EngineId(EngineKind.DOCKER, "gpu01")

LISTEN = """
import signal, socket, sys
where = sys.argv[sys.argv.index("-L") + 1].split(":")[0]
server = socket.socket(socket.AF_UNIX)
server.bind(where)
server.listen()
signal.pause()
"""
REFUSE = "import sys; sys.exit('me@gpu01: Permission denied (publickey).')"
FAIL = "import sys; sys.exit('ssh: Could not resolve hostname gpu01')"


def program(folder: Path, code: str) -> str:
    path = folder / "fake-ssh"
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o700)
    return str(path)


async def test_it_listens_and_ends(tmp_path: Path) -> None:
    forward = SshForward(Endpoint.parse("ssh://me@gpu01"), ENGINE, program=program(tmp_path, LISTEN))
    path = Path(await forward.ensure())
    assert path.is_socket()  # noqa: ASYNC240 - a test, nothing else runs in this loop
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert await forward.ensure() == str(path)
    await forward.close()
    await forward.close()
    assert not path.parent.exists()


@pytest.mark.parametrize(("code", "kind"), [(REFUSE, Denied), (FAIL, Unreachable)])
async def test_failures(tmp_path: Path, code: str, kind: type[Exception]) -> None:
    forward = SshForward(Endpoint.parse("ssh://me@gpu01"), ENGINE, program=program(tmp_path, code))
    with pytest.raises(kind, match="gpu01"):
        await forward.ensure()
    await forward.close()


async def test_no_ssh_installed(tmp_path: Path) -> None:
    forward = SshForward(Endpoint.parse("ssh://me@gpu01"), ENGINE, program=str(tmp_path / "none"))
    with pytest.raises(Unsupported, match="not installed"):
        await forward.ensure()
    await forward.close()


def test_argv() -> None:
    endpoint = Endpoint.parse("ssh://me@gpu01:2222/run/user/1/podman.sock", identity="/home/me/.ssh/key")
    line = SshForward(endpoint, ENGINE).argv(Path("/t/s"))
    assert line[:3] == ["ssh", "-N", "-T"]
    assert line[-2:] == ["--", "me@gpu01"]
    assert line[line.index("-p") + 1] == "2222"
    assert line[line.index("-i") + 1] == "/home/me/.ssh/key"
    assert line[line.index("-L") + 1] == "/t/s:/run/user/1/podman.sock"
    assert "BatchMode=yes" in line
    assert os.sep not in line[-1]


async def test_a_login_that_takes_long_goes_on_for_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow names, a second factor on a key, a jump host: what was begun is not begun anew by each try."""
    monkeypatch.setattr(ssh, "OPEN_TIMEOUT_S", 0.1)
    go = tmp_path / "go"
    slow = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n{LISTEN}"
    forward = SshForward(Endpoint.parse("ssh://me@gpu01"), ENGINE, program=program(tmp_path, slow))
    with pytest.raises(Unreachable, match="has not come through to me@gpu01"):
        await forward.ensure()
    before = forward._process
    go.touch()
    monkeypatch.setattr(ssh, "OPEN_TIMEOUT_S", 20.0)
    await forward.ensure()
    assert forward._process is before
    await forward.close()


async def test_podmans_socket_is_that_of_the_user_there(tmp_path: Path) -> None:
    answer = "print('socket=none\\nuid=1007\\nruntime=/run/user/1007')"
    code = f"import sys\nif '-L' not in sys.argv: {answer}; sys.exit()\n{LISTEN}"
    endpoint = Endpoint.parse("ssh://Gpu01", far_socket="")
    forward = SshForward(endpoint, EngineId(EngineKind.PODMAN, "far"), program=program(tmp_path, code))
    await forward.ensure()
    assert forward.argv(Path("/t"))[-3:] == ["/t:/run/user/1007/podman/podman.sock", "--", "Gpu01"]
    await forward.close()
