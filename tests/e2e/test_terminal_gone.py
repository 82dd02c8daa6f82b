"""A terminal that goes away without a signal (no controlling terminal, or SIGHUP ignored) ends the screen."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

TRANSHIP = str(Path(sys.executable).parent / "tranship")


def test_the_screen_ends_with_its_terminal() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [TRANSHIP, "--demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,  # Textual draws there
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,  # no controlling terminal: nobody sends it SIGHUP
    )
    os.close(theirs)
    try:
        seen = b""
        while b"demo-podman" not in seen:
            assert select.select([ours], [], [], 30)[0], f"no screen: {seen[-200:]!r}"
            seen += os.read(ours, 65536)
        os.close(ours)
        assert child.wait(timeout=30) == 129
    finally:
        child.kill()
        child.wait()
