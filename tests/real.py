"""Where the real engines of the tests are, and how they are brought up. May not import anything of Tranship."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ENGINES = Path(__file__).parent / "engines"
DEFAULT_DIR = Path("/tmp/tranship-engines")
UP_TIMEOUT_S = 600  # a cold start downloads and installs a Debian tree: about a minute, more on a slow mirror


@dataclass(frozen=True)
class RealEngines:
    """Running engines: docker, podman, rootless are socket URLs; ip is where published ports are reached."""

    docker: str
    podman: str
    rootless: str
    ip: str
    registry: str
    dir: Path

    @property
    def bin(self) -> Path:
        """Folder of the engines' own CLIs: docker, podman, podman-rootless, engines-exec."""
        return self.dir / "bin"

    def cli(self, engine: str, *argv: str, stdin: bytes | None = None) -> str:
        """Ask an engine itself: run its own CLI ("docker", "podman", "podman-rootless"); returns stdout.

        Raises subprocess.CalledProcessError, the CLI's own words as a note.
        """
        environ = {k: v for k, v in os.environ.items() if k not in {"CONTAINER_HOST", "DOCKER_CONTEXT"}}
        environ["DOCKER_HOST"] = self.docker
        done = subprocess.run(
            [str(self.bin / engine), *argv], env=environ, input=stdin, capture_output=True, timeout=120
        )
        try:
            done.check_returncode()
        except subprocess.CalledProcessError as error:
            error.add_note(done.stderr.decode(errors="replace"))
            raise
        return done.stdout.decode(errors="replace")


def _next(what: str) -> int:
    """0, 1, 2 …: no other test of this machine was given the same; workers and sessions count on in one locked file."""
    path = Path(tempfile.gettempdir()) / f"tranship-tests-{os.getuid()}.{what}"
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        number = int(file.read() or 0)
        file.seek(0)
        file.truncate()
        file.write(str(number + 1))
    return number


def host_port() -> int:
    """A host port that no other test was given.

    Between 20000 and 29999: below the ports that the kernel and the engines hand out (ip_local_port_range, 32768).
    """
    return 20_000 + _next("port") % 10_000


def address_range() -> str:
    """The first three numbers of a range of addresses that no other test was given: "10.203.7"."""
    return f"10.203.{_next('range') % 256}"


def required() -> bool:
    """CI demands the engines: then nothing that needs one may be skipped."""
    return os.environ.get("TRANSHIP_REQUIRE_ENGINES") == "1"


def _read_env(folder: Path) -> RealEngines | None:
    """The engines that `up` described in folder/env, None where it never ran there."""
    try:
        text = (folder / "env").read_text()
    except FileNotFoundError:
        return None
    words = text.replace("export ", "").replace("'", "").split()
    values = dict(word.split("=", 1) for word in words if "=" in word)
    return RealEngines(
        docker=values["DOCKER_HOST"],
        podman=values["CONTAINER_HOST"],
        rootless=values["CONTAINER_HOST_ROOTLESS"],
        ip=values["ENGINES_IP"],
        registry=values["ENGINES_REGISTRY"],
        dir=folder,
    )


def folder() -> Path:
    """Where the engines of this run live: $ENGINES_DIR, else /tmp/engines if it is there, else our own."""
    chosen = os.environ.get("ENGINES_DIR")
    if chosen:
        return Path(chosen)
    return Path("/tmp/engines") if Path("/tmp/engines/env").exists() else DEFAULT_DIR


def why_not() -> str:
    """Why the engines cannot be started here, "" where they can."""
    if os.geteuid() != 0:
        return "starting the test engines needs root (tests/engines/up)"
    if shutil.which("apt-get") is None:
        return "starting the test engines needs a Debian machine (tests/engines/up)"
    return ""


def bring_up() -> RealEngines:
    """Start the engines, or find them running (about a second then). Raises RuntimeError with up's own words."""
    where = folder()
    with Path(f"{where}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of one run begin at once
        return _up(where)


def _up(where: Path) -> RealEngines:
    done = subprocess.run([str(ENGINES / "up"), str(where)], capture_output=True, text=True, timeout=UP_TIMEOUT_S)
    found = _read_env(where)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"tests/engines/up failed ({done.returncode}): {done.stderr[-800:]}")
    return found
