"""`python -m tests.gpu.build FOLDER [PID …]`: a fake NVIDIA driver to try Tranship with, on a machine without a GPU.

Then: `LD_LIBRARY_PATH=FOLDER TRANSHIP_FAKE_NVML=FOLDER/scenario .venv/bin/tranship gpus`. FOLDER/scenario has two GPUs
with the given processes; scenario-8, scenario-16 and scenario-mig lie beside it. The file may be edited while Tranship
runs: see fake_nvml.c for its words. PIDs of real containers are joined to them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.gpu.scenario import machine, with_mig

SOURCE = Path(__file__).with_name("fake_nvml.c")
NAME = "libnvidia-ml.so.1"


def build(folder: Path, *, old: bool = False) -> Path:
    """Compile the library into the folder; returns it. old: without what drivers before 510 lack.

    Raises RuntimeError with the compiler's words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / NAME
    argv = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(made), str(SOURCE)]
    done = subprocess.run([*argv, *(["-DOLD"] if old else [])], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"gcc failed on {SOURCE.name}: {done.stderr[-2000:]}")
    return made


def environ(folder: Path, scenario: Path) -> dict[str, str]:
    """The variables that make a program load the fake library."""
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "TRANSHIP_FAKE_NVML": str(scenario)}


def main(argv: Sequence[str]) -> int:
    """Build, and write the scenarios."""
    if not argv:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder, pids = Path(argv[0]), [int(word) for word in argv[1:]] or [os.getppid()]
    build(folder)
    for made in (
        machine(folder / "scenario", 2, pids),
        machine(folder / "scenario-8", 8, pids),
        machine(folder / "scenario-16", 16, pids),
        with_mig(folder / "scenario-mig", pids),
    ):
        made.write()
    sys.stdout.write(f"LD_LIBRARY_PATH={folder} TRANSHIP_FAKE_NVML={folder / 'scenario'} .venv/bin/tranship gpus\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
