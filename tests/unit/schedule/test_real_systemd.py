"""Units as systemd runs them, word for word, by a service manager of the test's own.

The manager is `systemd --user`, in a mount namespace where /run says that the machine was booted with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backends.schedule.plan import Schedule
from tests.thorough import thorough

MANAGER = Path("/lib/systemd/systemd")
ODD = "we b%é'\"$x ${HOME}"
WISH = Schedule(ODD, "podman", "Mon..Fri 02:30", "/srv/back ups/%h", 7)
WORDS = ["backup", "--keep", "7", "--", ODD, "/srv/back ups/%h", "", "tab\there", "back\\slash;"]
TIMEOUT_S = 60

_BOOTED = """
set -e
mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system /run/u/systemd; chmod 700 /run/u
up=/sys/fs/cgroup$([ -d /sys/fs/cgroup/systemd ] && echo /systemd); own=$up/tranship-test-$$; manager=
ended() {
  [ -z "$manager" ] || { kill $manager; wait $manager || true; }
  echo $$ > "$up/cgroup.procs"; find "$own" -depth -type d -exec rmdir {} + || true
}
trap ended EXIT
mkdir "$own"; echo $$ > "$own/cgroup.procs"
export XDG_RUNTIME_DIR=/run/u
"$MANAGER" --user --log-target=null & manager=$!
n=0; until systemctl --user list-timers >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 200 ] || exit 77; sleep 0.05; done
PATH="$PROGRAMS:$PATH" "$@"
"""
_DOES = """
import json, subprocess, sys
from pathlib import Path
from backends.schedule import install
from backends.schedule.plan import units
from tests.unit.schedule.test_real_systemd import WISH, WORDS
program, where = sys.argv[1], Path(sys.argv[2])
install.install_units(WISH, units(WISH, [program, *WORDS], {"VALUE": "a b%c\\"d$e"}), where)
[found] = install.installed(where)
subprocess.run(["systemctl", "start", f"{WISH.unit}.service"], check=True)
gone = install.remove(WISH.name, "podman", where)
print(json.dumps({"next": found.next, "gone": len(gone), "left": [path.name for path in where.rglob("tranship-*")]}))
"""


@pytest.mark.parametrize("odd", thorough(ODD))
def test_a_service_manager_runs_them_word_for_word(tmp_path: Path, odd: str) -> None:
    assert WISH.name == odd
    systemctl = shutil.which("systemctl")
    if os.getuid() or systemctl is None or not MANAGER.exists():
        pytest.skip("a service manager of one's own needs root, and systemd (Debian: apt install systemd)")
    programs = tmp_path / "bin"
    programs.mkdir()
    asked = {
        "systemctl": f'exec {systemctl} --user "$@"',
        "noted": f'printf "%s\\0" "$@" > {tmp_path}/words; printf "%s" "$VALUE" > {tmp_path}/value',
    }
    for name, body in asked.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    where = tmp_path / "home/.config/systemd/user"
    argv = [
        "unshare",
        "-m",
        "sh",
        "-c",
        _BOOTED,
        "sh",
        sys.executable,
        "-c",
        _DOES,
        str(programs / "noted"),
        str(where),
    ]
    environ = {**os.environ, "HOME": str(tmp_path / "home"), "MANAGER": str(MANAGER), "PROGRAMS": str(programs)}
    environ.pop("XDG_CONFIG_HOME", None)
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode == 77:
        pytest.skip("no service manager could be started here")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["gone"], told["left"]) == (1, [])
    assert "02:3" in told["next"], "the timer has a next time"
    assert (tmp_path / "words").read_text().split("\0")[:-1] == WORDS
    assert (tmp_path / "value").read_text() == 'a b%c"d$e'
