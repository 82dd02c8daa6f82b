"""What the audit trail says of units of containers that are put where systemd looks. Writes no unit itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backends.export.exported import ExportFile
from backends.model.container import Container
from backends.services.fleet import Fleet


@contextmanager
def installing(
    fleet: Fleet, containers: Sequence[Container], files: Sequence[ExportFile], folder: Path
) -> Iterator[None]:
    """While the files are written: a line for each container as it begins, and one at the end, however that comes.

    Raises Refused where all is read-only.
    """
    plan = {"folder": str(folder), "files": [file.name for file in files]}
    with ExitStack() as stack:
        for one in containers:
            stack.enter_context(fleet.operations.beside("container.install_units", one.key, one.name, plan=plan))
        yield


__all__ = ["installing"]
