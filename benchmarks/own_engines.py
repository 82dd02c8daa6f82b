"""Docker and Podman services of a benchmark's own: empty stores, and one network namespace for both. No measurement.

They run beside the shared test engines, from the same installation; with the benchmark's own priority (`nice`), so that
other work on the machine counts less.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from tests import real

_UP_S = 60.0
IMAGE = {"docker": "test/busybox:1", "podman": "docker.io/test/busybox:1"}

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_ENTER = f"exec nsenter -t {{pid}} -m -n -p -i -u -r -w env -u CONTAINER_HOST PATH={_PATH} TMPDIR={{folder}}/tmp"
_WRAPPERS = {
    "engines-exec": _ENTER + ' "$@"',
    "docker": _ENTER + ' DOCKER_HOST={docker} docker "$@"',
    "podman": _ENTER + ' PODMAN_IGNORE_CGROUPSV1_WARNING=1 podman --root {folder}/podman --runroot {folder}/run "$@"',
}
STORE = "containers-storage:[overlay@{0}/podman+{0}/run]"
"""Podman's store, as skopeo names it. Takes the folder."""


@contextmanager
def own_engines(shared: real.RealEngines, folder: Path) -> Iterator[real.RealEngines]:
    """Engines in that folder (below /tmp, and short), with one image with tar each; all of it goes with the context."""
    for name in ("bin", "tmp"):
        (folder / name).mkdir()
    urls = {"docker": f"unix://{folder}/d.sock", "podman": f"unix://{folder}/p.sock"}
    config = folder / "daemon.json"
    config.write_text("{}")
    argv = [
        *(str(shared.bin / "engines-exec"), "unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"),
        *("dockerd", "-H", urls["docker"], "--data-root", f"{folder}/docker", "--exec-root", f"{folder}/x"),
        *("-p", f"{folder}/d.pid", "--bridge=none", "--iptables=false", "--ip6tables=false"),
        *("--config-file", str(config)),
    ]
    with ExitStack() as stack:
        stack.callback(_remove, folder)
        docker = stack.enter_context(_service(argv, folder / "docker.log", urls["docker"]))
        (folder / "pid").write_text(f"{docker.pid}\n")
        words = {"pid": docker.pid, "folder": folder, "docker": urls["docker"]}
        for name, line in _WRAPPERS.items():
            path = folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{line.format(**words)}\n")
            path.chmod(0o755)
        argv = [str(folder / "bin" / "podman"), "system", "service", "-t", "0", urls["podman"]]
        stack.enter_context(_service(argv, folder / "podman.log", urls["podman"]))
        own = replace(shared, docker=urls["docker"], podman=urls["podman"], dir=folder)
        archive = subprocess.run(
            [str(shared.bin / "docker"), "-H", shared.docker, "save", IMAGE["docker"]], capture_output=True, check=True
        ).stdout
        for name in IMAGE:
            own.cli(name, "load", "-q", stdin=archive)
        yield own


@contextmanager
def _service(argv: list[str], log: Path, url: str) -> Iterator[psutil.Process]:
    """The process itself, below the one that entered the namespaces, once it listens.

    Raises RuntimeError with its words where it does not.
    """
    with log.open("ab") as words:
        entered = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True)
    try:
        end = time.monotonic() + _UP_S
        while not Path(url.removeprefix("unix://")).exists():
            if entered.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{url} did not come up: {log.read_text()[-800:]}")
            time.sleep(0.1)
        yield _family(entered)[1]
    finally:
        members = _family(entered) if entered.poll() is None else []
        for process in reversed(members):
            with contextlib.suppress(psutil.NoSuchProcess):  # it went with its parent
                process.terminate()
        psutil.wait_procs(members, timeout=20)
        entered.wait(timeout=20)


def _family(entered: subprocess.Popen[bytes]) -> list[psutil.Process]:
    root = psutil.Process(entered.pid)
    return [root, *root.children(recursive=True)]


def _remove(folder: Path) -> None:
    """What the services wrote; mounts of their namespaces may linger, what is below them stays."""
    shutil.rmtree(folder, ignore_errors=True)
