"""An image scanned by Trivy or Grype, where one is on this machine. They get the image as its engine saves it.

The archive lies in a folder of mode 0700 while they run, and is removed. They fetch their databases by themselves.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backends.engine import Engine
from backends.migration.unbroken import unbroken
from backends.model.errors import BackendError
from backends.security.finding import SecurityFinding, Severity
from backends.security.scan import Weakness, by_layer, read_grype, read_trivy
from backends.services.local_program import run_program
from backends.streams import batches

TIMEOUT_S = 900.0
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Scanner:
    """A program that scans. options: before the archive, with "{}" where its path belongs. read: its JSON."""

    name: str
    options: tuple[str, ...]
    read: Callable[[str], tuple[Weakness, ...]]
    program: str = ""


SCANNERS = (
    Scanner(
        "trivy",
        ("image", "--quiet", "--format", "json", "--scanners", "vuln,secret", "--input", "{}"),
        read_trivy,
    ),
    Scanner("grype", ("--quiet", "--output", "json", "docker-archive:{}"), read_grype),
)
"""The first that is there. Sources: trivy.dev "trivy image"; github.com/anchore/grype README."""
INSTALL = "trivy.dev/latest/getting-started/installation, or github.com/anchore/grype#installation"


def scanner() -> Scanner | None:
    """The one of this machine, None where there is none."""
    for one in SCANNERS:
        found = shutil.which(one.name)
        if found:
            return Scanner(one.name, one.options, one.read, found)
    return None


def none_there() -> SecurityFinding:
    """What is said where there is none."""
    return SecurityFinding(
        "scan-none", Severity.INFO, "its image was not scanned: neither Trivy nor Grype is on this machine", "PATH",
        "trivy, grype: not found", "Known vulnerabilities and forgotten secrets of its layers are not seen.",
        f"Install one: {INSTALL}.", "",
    )  # fmt: skip


async def scan(engine: Engine, image: str, by: Scanner, *, timeout_s: float = TIMEOUT_S) -> tuple[SecurityFinding, ...]:
    """Its findings, a layer each. image: id or name. Raises what the engine raises; BackendError where the program
    fails, says nothing that can be read, or takes too long."""
    with tempfile.TemporaryDirectory(prefix="tranship-scan-") as folder:
        archive = Path(folder) / "image.tar"
        try:
            await _saved(engine, image, archive)
            text = await _run(
                [by.program, *(one.replace("{}", str(archive)) for one in by.options)], by.name, timeout_s
            )
        finally:
            await unbroken(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))  # many GB are not gone at once
    try:
        found = await asyncio.to_thread(by.read, text)
    except ValueError as error:
        raise BackendError(str(error), hint=f"run {by.name} by hand", engine=engine.id) from error
    report = await engine.image_layers(image)
    return tuple(by_layer(found, report.layers, by.name))


async def _saved(engine: Engine, image: str, archive: Path) -> None:
    """The image as its engine saves it. Raises BackendError where there is no room for it."""
    try:
        with archive.open("wb") as file:
            async with engine.export_image(image) as chunks:
                async for piece in batches(chunks, _PIECE_BYTES):
                    await asyncio.to_thread(file.write, piece)
    except OSError as error:
        title = f"a copy of the image could not be written: {error.strerror}"
        hint = "TMPDIR says where it is put while it is scanned"
        raise BackendError(title, detail=str(archive), hint=hint, engine=engine.id) from error


async def _run(argv: list[str], name: str, timeout_s: float) -> str:
    try:
        code, out, err = await run_program(argv, timeout_s=timeout_s)
    except TimeoutError as error:
        raise BackendError(f"{name} did not end within {timeout_s:g} s", hint=f"run {name} by hand") from error
    except OSError as error:
        raise BackendError(f"{name} cannot be started", detail=str(error), hint=f"run {name} by hand") from error
    if code:
        last = err.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise BackendError(
            f"{name} ended with exit code {code}",
            detail=last[0] if last else "",
            hint=f"run {name} by hand: it may lack its database, or a way to the network",
        )
    return out.decode("utf-8", "replace")


__all__ = ["SCANNERS", "Scanner", "none_there", "scan", "scanner"]
