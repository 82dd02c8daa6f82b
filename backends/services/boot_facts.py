"""Whether systemd starts an engine, or the containers of one, at boot: links of enabled units. Asks no engine.

Reads folders only, and changes nothing: call it in a thread. Source: systemctl(1), "enable": links in `.wants`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system", "run/systemd/system")
_USER = (".config/systemd/user",)
_USER_SYSTEM = ("etc/systemd/user", "usr/lib/systemd/user", "lib/systemd/user")
RESTART = "podman-restart.service"


@dataclass(frozen=True, slots=True)
class BootFacts:
    """systemd: it runs this machine. Each unit: the link that enables it, "" where there is none.

    docker: docker.service, or its socket (then the first who asks starts it: docker_by_socket). podman_restart: for
    root's containers; user_podman_restart: for this user's. user_docker: this user's rootless Docker.
    """

    systemd: bool
    docker: str = ""
    docker_by_socket: str = ""
    podman_restart: str = ""
    user_podman_restart: str = ""
    user_docker: str = ""


def read_boot(home: Path, root: Path = Path("/")) -> BootFacts:
    """Read them; blocks on small folders. root: for tests, another tree."""
    if not (root / "run/systemd/system").is_dir():
        return BootFacts(False)
    system = [root / place for place in _SYSTEM]
    user = [*(home / place for place in _USER), *(root / place for place in _USER_SYSTEM)]
    return BootFacts(
        True,
        docker=_enabled("docker.service", system),
        docker_by_socket=_enabled("docker.socket", system),
        podman_restart=_enabled(RESTART, system),
        user_podman_restart=_enabled(RESTART, user),
        user_docker=_enabled("docker.service", user),
    )


def _enabled(unit: str, folders: list[Path]) -> str:
    for folder in folders:
        try:
            links = [link for wants in sorted(folder.glob("*.wants")) if os.path.lexists(link := wants / unit)]
        except OSError:
            continue  # not ours to list: then nothing is known of it
        if links:
            return str(links[0])
    return ""


__all__ = ["RESTART", "BootFacts", "read_boot"]
