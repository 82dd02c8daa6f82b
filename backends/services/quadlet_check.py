"""What Podman's own generator says of Quadlet files, where it is on this machine. Runs nothing that they describe."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backends.export.exported import Exported, ExportFile
from backends.model.plan import Finding, Severity
from backends.services.export_files import write_files
from backends.services.local_program import run_program

GENERATORS = (
    Path("/usr/libexec/podman/quadlet"),
    Path("/usr/lib/podman/quadlet"),
    Path("/usr/lib/systemd/system-generators/podman-system-generator"),
)
"""Where distributions have it. Source: podman's Makefile (LIBEXECPODMAN, SYSTEMDGENERATORSDIR)."""

_TIMEOUT_S = 30.0
_LOADING = "Loading source unit file"


def generator() -> tuple[str, ...]:
    """The generator of this machine as the beginning of a command line, () where there is none."""
    return next(((str(path),) for path in GENERATORS if os.access(path, os.X_OK)), ())


async def check(
    files: Sequence[ExportFile], *, user: bool, program: Sequence[str] | None = None
) -> tuple[tuple[Finding, ...], str]:
    """What it found wrong, and the services that it makes of the files, "" where it could not be asked.

    program: another generator than this machine's. Each file lies in a folder of mode 0700 while it runs.
    """
    argv = generator() if program is None else tuple(program)
    if not argv:
        title = "The units were not checked: Podman's generator is not on this machine"
        return (Finding(Severity.NOTE, title, remedy="Where Podman is: /usr/libexec/podman/quadlet -dryrun"),), ""
    with tempfile.TemporaryDirectory(prefix="tranship-quadlet-") as name:
        folder = Path(name)
        await asyncio.to_thread(write_files, files, folder)
        command, env = [*argv, "-dryrun", *(["-user"] if user else [])], {**os.environ, "QUADLET_UNIT_DIRS": name}
        try:
            code, out, err = await run_program(command, timeout_s=_TIMEOUT_S, env=env)
        except TimeoutError:
            return (Finding(Severity.WARN, "Podman's generator did not answer", detail=argv[0]),), ""
        except OSError as error:
            return (Finding(Severity.WARN, "Podman's generator cannot be started", detail=str(error)),), ""
    said = [line.partition("]: ")[2] or line for line in err.decode(errors="replace").splitlines()]
    wrong = [line for line in said if line and not line.startswith(_LOADING)]
    remedy = "Correct the file before it is used."
    findings = tuple(Finding(Severity.WARN, f"Podman's generator: {line}", remedy=remedy) for line in wrong)
    if code and not findings:
        findings = (Finding(Severity.WARN, f"Podman's generator failed with {code}", remedy=remedy),)
    return findings, out.decode(errors="replace")


async def checked(made: Exported, *, user: bool) -> Exported:
    """The units with what it found wrong before what they cannot say."""
    found, _ = await check(made.files, user=user)
    return replace(made, findings=(*found, *made.findings))


__all__ = ["check", "checked", "generator"]
