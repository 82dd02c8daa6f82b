"""OpenSSH's words to errors with the next step: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import Denied, Unreachable
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from backends.wire.ssh_words import by_hand, far_failure, far_question, login_failure, read_answer, usual_socket

ENGINE = EngineId(EngineKind.DOCKER, "far")
PODMAN = EngineId(EngineKind.PODMAN, "far")
AT = Endpoint.parse("ssh://me@Gpu01:2222")
SOCKET = AT.remote_socket


@pytest.mark.parametrize(
    ("words", "kind", "title", "hint"),
    [
        ("me@gpu01: Permission denied (publickey).", Denied, "refuses the login", "`ssh-add`"),
        ("Received disconnect: Too many authentication failures", Denied, "refuses the login", "IdentitiesOnly"),
        ("Host key verification failed.", Denied, "not known here", "`ssh -p 2222 me@Gpu01` once"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            Denied,
            "is another than before",
            "ssh-keygen -R Gpu01",
        ),
        ("ssh: Could not resolve hostname gpu01: no", Unreachable, "There is no host Gpu01", "ssh -G Gpu01"),
        ("connect to host gpu01 port 2222: Connection refused", Unreachable, "No SSH server answers", "sshd"),
        ("connect to host gpu01 port 2222: Connection timed out", Unreachable, "cannot be reached", "VPN"),
        ("ssh: connect to host x port 22: No route to host", Unreachable, "cannot be reached", "VPN"),
        ("/home/me/.ssh/config: line 3: Bad configuration option: foo", Denied, "its own settings", "Correct"),
        ("", Unreachable, "No SSH connection", "ssh -p 2222 me@Gpu01"),
    ],
)
def test_login(words: str, kind: type[Exception], title: str, hint: str) -> None:
    error = login_failure(words, AT, ENGINE)
    assert isinstance(error, kind)
    assert title in error.title
    assert hint in error.hint
    assert error.engine == ENGINE


@pytest.mark.parametrize(
    ("engine", "answer", "kind", "title", "hint"),
    [
        (ENGINE, "socket=denied\ndocker=/bin/docker", Denied, "No permission", "usermod -aG docker"),
        (PODMAN, "socket=denied\npodman=/bin/podman", Denied, "No permission", "rootless"),
        (ENGINE, "socket=none\ndocker=\npodman=/bin/podman", Unreachable, "Docker is not installed", "Install"),
        (ENGINE, "socket=none\ndocker=/bin/docker", Unreachable, "Nothing listens", "enable --now docker"),
        (
            PODMAN,
            "socket=none\npodman=/bin/podman",
            Unreachable,
            "Nothing listens",
            "--user enable --now podman.socket",
        ),
        (ENGINE, "socket=open\ndocker=/bin/docker", Unreachable, "Nobody answers", "AllowStreamLocalForwarding"),
    ],
)
def test_far(engine: EngineId, answer: str, kind: type[Exception], title: str, hint: str) -> None:
    error = far_failure(read_answer(answer), SOCKET, "channel 2: open failed", AT, engine)
    assert isinstance(error, kind)
    assert title in error.title
    assert hint in error.hint


def test_a_forbidden_forward_and_an_answer_of_nothing() -> None:
    error = far_failure({"socket": "open"}, SOCKET, "open failed: administratively prohibited", AT, ENGINE)
    assert isinstance(error, Denied)
    assert "AllowStreamLocalForwarding" in error.hint
    assert far_failure(read_answer("Welcome to gpu01!"), SOCKET, "", AT, ENGINE) is None


def test_usual_sockets() -> None:
    assert usual_socket(EngineKind.DOCKER, {}) == "/var/run/docker.sock"
    assert usual_socket(EngineKind.PODMAN, {"uid": "0", "runtime": "/run/user/0"}) == "/run/podman/podman.sock"
    assert usual_socket(EngineKind.PODMAN, {"uid": "7", "runtime": "/run/user/7"}) == "/run/user/7/podman/podman.sock"


@given(st.text(max_size=60))
def test_no_word_of_a_far_machine_breaks_it(words: str) -> None:
    login_failure(words, AT, ENGINE)
    far_failure(read_answer(words), SOCKET, words, AT, PODMAN)
    assert by_hand(AT).startswith("ssh ")
    assert far_question(words)[:6] == "sh -c "
