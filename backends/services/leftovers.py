"""What a killed Tranship has left behind: helper containers, private folders. Removes nothing."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.labels import HELPER_LABEL, HELPER_STARTED_LABEL
from backends.owner import is_gone
from backends.services.doctor import Diagnosis, Level
from backends.services.owned import nobodys

PREFIXES = ("tranship-ssh-", "tranship-podman-")
"""Folders that a process makes for its sockets; its number follows."""


def examine_leftovers(
    view: FleetView, environ: Mapping[str, str], *, proc: Path = Path("/proc"), temporary: Path | None = None
) -> list[Diagnosis]:
    """A note for each, with the command that removes it. Processes that live own what is theirs. Blocks on folders.

    proc, temporary: for tests, other folders than the machine's.
    """
    bases = {temporary or Path(tempfile.gettempdir()), Path(environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())}
    return [*_helpers(view, proc), *_copies(view, proc), *_folders(sorted(bases), proc)]


def _helpers(view: FleetView, proc: Path) -> Iterator[Diagnosis]:
    for container in sorted(view.containers.values(), key=lambda one: (one.key.engine, one.name)):
        owner = container.labels.get(HELPER_LABEL, "")
        engine = view.engines.get(container.key.engine)
        # The process of a helper on a far engine may be one of another machine: who knows whether it lives?
        local = engine is not None and engine.info is not None and engine.info.local
        if local and is_gone(owner, container.labels.get(HELPER_STARTED_LABEL, ""), proc):
            sentence = f"{container.name} on {container.key.engine}: a helper of a Tranship that is no more"
            yield Diagnosis("left over", Level.NOTE, sentence, f"`{_removal(container)}`")


def _copies(view: FleetView, proc: Path) -> Iterator[Diagnosis]:
    for container in sorted(view.containers.values(), key=lambda one: (one.key.engine, one.name)):
        engine = view.engines.get(container.key.engine)
        local = engine is not None and engine.info is not None and engine.info.local
        if local and nobodys(container.labels, proc):
            sentence = f"{container.name} on {container.key.engine}: of a trial or a sweep whose Tranship is no more"
            hint = f"the next trial or sweep there removes it with its volumes; now: `{_removal(container)}`"
            yield Diagnosis("left over", Level.NOTE, sentence, hint)


def _removal(container: Container) -> str:
    return shlex.join(["tranship", "rm", "--force", container.name, "--engine", container.key.engine.name])


def _folders(bases: Iterable[Path], proc: Path) -> Iterator[Diagnosis]:
    for base in bases:
        for prefix in PREFIXES:
            for folder in sorted(base.glob(f"{prefix}*")):
                owner = folder.name.removeprefix(prefix).partition("-")[0]
                try:
                    ours = folder.stat().st_uid == os.geteuid()
                except OSError:
                    continue  # gone meanwhile: then it is left no more
                if ours and is_gone(owner, proc=proc):
                    sentence = f"{folder}: a private folder of a Tranship that is no more"
                    yield Diagnosis("left over", Level.NOTE, sentence, f"`{shlex.join(['rm', '-r', str(folder)])}`")
