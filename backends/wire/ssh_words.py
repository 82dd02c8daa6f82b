"""What OpenSSH and a far machine say, as errors that name the next step: pure. Runs nothing.

OpenSSH speaks English whatever the locale, so that its own words can be told apart.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from backends.model.errors import BackendError, Denied, Unreachable
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import REMOTE_DOCKER_SOCKET, Endpoint

_DETAIL_LINES = 4
_SCRIPT = (
    's=none; if [ -S "$1" ]; then s=denied; fi; if [ -S "$1" ] && [ -w "$1" ]; then s=open; fi; echo "socket=$s"; '
    'for p in docker podman; do echo "$p=$(command -v "$p")"; done; '
    'u=$(id -u); echo "uid=$u"; echo "runtime=${XDG_RUNTIME_DIR:-/run/user/$u}"'
)


def destination(endpoint: Endpoint) -> list[str]:
    """The arguments of ssh that name the far machine: port and key where given, then "--" and "[user@]host"."""
    host, _, port = endpoint.address.rpartition(":")
    if not host or not port.isdigit() or host.endswith(":"):
        host, port = endpoint.address, ""
    user, at, name = host.rpartition("@")
    key = ["-i", endpoint.identity] if endpoint.identity else []
    return [*(["-p", port] if port else []), *key, "--", f"{user}{at}{name.strip('[]')}"]


def by_hand(endpoint: Endpoint, *options: str) -> str:
    """The command that a person types to log in there."""
    return shlex.join(["ssh", *options, *(word for word in destination(endpoint) if word != "--")])


def far_question(socket: str) -> str:
    """The command line, for whatever shell is there, whose answer `read_answer` reads. Changes nothing there."""
    return shlex.join(["sh", "-c", _SCRIPT, "tranship", socket])


def read_answer(text: str) -> Mapping[str, str]:
    """What the far machine answered: socket ("open", "denied", "none"), docker, podman (paths or ""), uid, runtime."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value.strip() for key, equals, value in pairs if equals}


def usual_socket(kind: EngineKind, answer: Mapping[str, str]) -> str:
    """The engine's socket of the user who logs in there, where the address names none."""
    if kind is EngineKind.DOCKER:
        return REMOTE_DOCKER_SOCKET
    if answer.get("uid", "") == "0":
        return "/run/podman/podman.sock"
    return f"{answer.get('runtime') or '/run/user/1000'}/podman/podman.sock"


def login_failure(words: str, endpoint: Endpoint, engine: EngineId) -> BackendError:
    """Why ssh did not come through. words: its stderr."""
    where, detail = endpoint.address, "\n".join(words.splitlines()[-_DETAIL_LINES:])
    try_it = f"Try it by hand: `{by_hand(endpoint)}`"

    def denied(title: str, hint: str) -> Denied:
        return Denied(title, detail=detail, hint=hint, engine=engine)

    def unreachable(title: str, hint: str) -> Unreachable:
        return Unreachable(title, detail=detail, hint=hint, engine=engine)

    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in words:
        host = destination(endpoint)[-1].rpartition("@")[2]
        hint = f"Was it set up anew? Then `ssh-keygen -R {shlex.quote(host)}` and `{by_hand(endpoint)}` once; else ask."
        return denied(f"The host key of {where} is another than before", hint)
    if "Host key verification failed" in words:
        hint = f"Run `{by_hand(endpoint)}` once, compare the fingerprint and accept it."
        return denied(f"The host key of {where} is not known here", hint)
    if "Too many authentication failures" in words:
        hint = "The agent has many keys: name the right one in ~/.ssh/config (IdentityFile, IdentitiesOnly yes)."
        return denied(f"{where} refuses the login", hint)
    if "Permission denied" in words:
        hint = f"Load your key: `ssh-add`. Tranship asks for no password; `{by_hand(endpoint)}` must need none."
        return denied(f"{where} refuses the login", hint)
    if "Could not resolve hostname" in words:
        host = destination(endpoint)[-1].rpartition("@")[2]
        return unreachable(
            f"There is no host {host}", f"`ssh -G {shlex.quote(host)}` shows what ~/.ssh/config makes of it."
        )
    if "Bad configuration option" in words or "Bad owner or permissions" in words:
        return denied("ssh refuses its own settings", "Correct the file that it names.")
    if "Connection refused" in words:
        return unreachable(f"No SSH server answers at {where}", "Start sshd there, or correct the port. " + try_it)
    if any(word in words for word in ("timed out", "No route to host", "Network is unreachable", "not responding")):
        return unreachable(f"{where} cannot be reached", "Check network and VPN. " + try_it)
    return unreachable(f"No SSH connection to {where}", try_it)


def slow_login(seconds: float, words: str, endpoint: Endpoint, engine: EngineId) -> BackendError:
    """ssh has been logging in for so long; it goes on meanwhile."""
    hint = f"It goes on by itself. `{by_hand(endpoint, '-v')}` shows what it waits for."
    detail = "\n".join(words.splitlines()[-_DETAIL_LINES:])
    title = f"ssh has not come through to {endpoint.address} in {seconds:.0f} s"
    return Unreachable(title, detail=detail, hint=hint, engine=engine)


def far_failure(
    answer: Mapping[str, str], socket: str, words: str, endpoint: Endpoint, engine: EngineId
) -> BackendError | None:
    """Why the engine cannot be reached there though the login works; None where the answer tells nothing.

    words: stderr of the forward.
    """
    host, tool = endpoint.address, engine.kind.value
    state = answer.get("socket", "")
    if "administratively prohibited" in words:
        hint = "Set `AllowStreamLocalForwarding yes` in its sshd_config and reload sshd."
        return Denied(f"{host} forbids the forwarding of sockets", detail=socket, hint=hint, engine=engine)
    if state == "denied":
        group = "Over there: `sudo usermod -aG docker $USER`, then `ssh -O exit` and log in anew."
        hint = group if tool == "docker" else "Use its rootless Podman: `systemctl --user enable --now podman.socket`."
        return Denied(f"No permission to open {socket} on {host}", hint=hint, engine=engine)
    if state == "none" and not answer.get(tool):
        title = f"{tool.capitalize()} is not installed on {host}"
        detail = f"no {socket}, and no `{tool}` in the PATH"
        return Unreachable(title, detail=detail, hint="Install it there, or name its socket in the URL.", engine=engine)
    if state == "open":
        hint = "Its service does not run there, or sshd forbids it: `AllowStreamLocalForwarding yes` in sshd_config."
        return Unreachable(f"Nobody answers through {socket} on {host}", detail=words, hint=hint, engine=engine)
    if state:
        user = "" if tool == "docker" or socket.startswith("/run/podman/") else " --user"
        unit = "docker" if tool == "docker" else "podman.socket"
        hint = f"Start it there: `systemctl{user} enable --now {unit}`, or name another socket in the URL."
        return Unreachable(f"Nothing listens at {socket} on {host}", hint=hint, engine=engine)
    return None


__all__ = [
    "by_hand",
    "destination",
    "far_failure",
    "far_question",
    "login_failure",
    "read_answer",
    "slow_login",
    "usual_socket",
]
