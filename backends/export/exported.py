"""What an export is made of and what it gives: recipes in; files for another program out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.model.network import NetworkSpec
from backends.model.plan import Finding
from backends.model.workload import VolumeSpec, WorkloadSpec

PRIVATE_MODE = 0o600
"""Of a file that holds what looks secret."""


@dataclass(frozen=True, slots=True)
class Member:
    """One container that is exported.

    kind: of the engine that has it. volumes, networks: the named ones that it uses, as they are there. image: what its
    image says, None where that was not read. project: of Compose, pod: of Podman, "" = in none. needs: names of others
    that are to run before it.
    """

    spec: WorkloadSpec
    kind: EngineKind
    volumes: tuple[VolumeSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    image: ImageFacts | None = None
    project: str = ""
    pod: str = ""
    needs: tuple[str, ...] = ()

    def with_image_check(self) -> Member:
        """The same, with the health check of its image as its own, where what is made will not take it from there."""
        check = self.image.health if self.image is not None else None
        if check is None or self.spec.health is not None:
            return self
        return replace(self, spec=replace(self.spec, health=check))


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to write. name: without a folder. text: ends with a newline. mode: of the file, as chmod takes it."""

    name: str
    text: str
    mode: int = 0o644

    @property
    def shown(self) -> str:
        """The text for a screen: a file that only its owner may read is written, never shown."""
        return "# not shown: it holds what looks secret; it is there when written\n" if self.private else self.text

    @property
    def private(self) -> bool:
        """It holds what looks secret."""
        return self.mode == PRIVATE_MODE


@dataclass(frozen=True, slots=True)
class Exported:
    """What was made. findings: what the format cannot say, each also a comment in the file; and what to do first.

    commands: what a person runs to use the files, a line each.
    """

    files: tuple[ExportFile, ...]
    findings: tuple[Finding, ...] = ()
    commands: tuple[str, ...] = field(default=())
