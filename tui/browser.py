"""Whether there is a browser here, and opening an address in it. Touches no terminal."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

_TERMINAL_BROWSERS = frozenset({"w3m", "lynx", "links", "elinks", "www-browser"})
"""They would draw over the screen."""
_WAIT_S = 10.0


def opener(env: Mapping[str, str]) -> list[str]:
    """The program that opens an address, with its arguments; empty where no browser can be opened from here.

    $BROWSER comes first (VS Code's terminal sets it, and opens the address where its window is), then the desktop's.
    """
    told = env.get("BROWSER", "").split(":")[0]
    try:
        words = [word for word in shlex.split(told) if word != "%s"]
    except ValueError:
        words = []
    if words and words[0].rpartition("/")[2] not in _TERMINAL_BROWSERS and shutil.which(words[0], path=env.get("PATH")):
        return words
    desktop = sys.platform == "darwin" or env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")
    program = "open" if sys.platform == "darwin" else "xdg-open"
    return [program] if desktop and shutil.which(program, path=env.get("PATH")) else []


def open_address(address: str, env: Mapping[str, str]) -> str:
    """Open an http(s) address; returns what went wrong, "" where nothing did. Blocks: call it in a thread."""
    program = opener(env)
    if not program:
        return "there is no browser here"
    if not address.startswith(("http://", "https://")):
        return "a browser cannot open it"
    try:
        done = subprocess.run(
            [*program, address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_WAIT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return ""  # it runs: a browser that was not open before stays
    except OSError as error:
        return f"{program[0]}: {error.strerror or error}"
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    return "" if done.returncode == 0 else f"{program[0]} ended with {done.returncode}: {said}"
