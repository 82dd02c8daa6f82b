"""Pulls and pushes: what a registry's images look like, and how far a layer's way is. Pure; asks no registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from backends.model.reference import DEFAULT_DOMAIN


class LayerPhase(StrEnum):
    """Where a layer is. The value is the word for people."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    VERIFYING = "verifying"
    DOWNLOADED = "downloaded"
    EXTRACTING = "extracting"
    UPLOADING = "uploading"
    COPYING = "copying"  # the engine says no bytes of it
    RETRYING = "retrying"
    DONE = "done"
    PRESENT = "already there"

    @property
    def ended(self) -> bool:
        """Nothing of the layer is left to do."""
        return self in {LayerPhase.DONE, LayerPhase.PRESENT}


@dataclass(frozen=True, slots=True)
class LayerProgress:
    """One layer. id: the engine's short digest of it. done_bytes, total_bytes: of this phase, None where not told."""

    id: str
    phase: LayerPhase
    done_bytes: int | None = None
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the engine's own about the whole transfer."""

    text: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name was taken to mean. candidates: all that it could have been, in the order tried. why: by what rule.

    lists: the engine names all layers before the first moves; False: each only when its turn comes.
    """

    reference: str
    candidates: tuple[str, ...] = ()
    why: str = ""
    lists: bool = True


@dataclass(frozen=True, slots=True)
class Transferred:
    """The last event. image_id: bare hex. digest: of the manifest, "" where not told. changed: False = it was there."""

    reference: str
    image_id: str
    digest: str = ""
    changed: bool = True


TransferEvent: TypeAlias = LayerProgress | Said | Resolved | Transferred


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on: "linux/arm64/v8"."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """The platforms that a registry has of an image. digest: of the index, or of the one manifest; "" where not told.

    single: it has one manifest only, no choice; platforms may be empty then, where the engine does not tell which.
    """

    reference: str
    platforms: tuple[Platform, ...]
    single: bool
    digest: str = ""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """A result of a search. name: to be pulled by. stars: None where the registry counts none."""

    name: str
    description: str = ""
    stars: int | None = None
    official: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """An entry of an engine's credential store. store: where it lies, for people. Never holds the secret."""

    registry: str
    username: str
    store: str

    @property
    def kept(self) -> str:
        """Where, for people; a file is not encrypted, as the engines themselves warn."""
        return f"kept in {self.store}" + (", unencrypted" if self.store.startswith("/") else "")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a registry wants to see. The secret is in no repr, and is never shown nor logged."""

    username: str
    secret: str = field(repr=False)


_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
"""Other names of architectures; source: containerd/platforms, database.go."""


def parse_platform(text: str) -> Platform:
    """Read "linux/arm64[/v8]" or "arm64" (of Linux). Raises ValueError, with a message for people."""
    parts = text.strip().lower().split("/")
    if not all(parts) or len(parts) > 3 or any(not part.replace("-", "").replace("_", "").isalnum() for part in parts):
        raise ValueError(f"{text!r} is no platform: write it as linux/amd64 or linux/arm64/v8")
    os, architecture, variant = ("linux", *parts, "") if len(parts) == 1 else (*parts, "")[:3]
    return Platform(os, _ARCHITECTURES.get(architecture, architecture), variant)


def registry_name(text: str) -> str:
    """A registry as people write it, as its host: "https://ghcr.io/" → "ghcr.io"; "" and Docker Hub's many names →
    "docker.io". Raises ValueError where it is none.
    """
    host = text.strip().removeprefix("https://").removeprefix("http://").split("/", 1)[0].lower()
    if not host and text.strip():
        raise ValueError(f"{text!r} is no registry: write its host, as in ghcr.io or localhost:5000")
    if any(sign.isspace() or sign in "@?#\\" for sign in host) or host.startswith("-"):
        raise ValueError(f"{text!r} is no registry: write its host, as in ghcr.io or localhost:5000")
    return DEFAULT_DOMAIN if host in {"", "index.docker.io", "registry-1.docker.io", "hub.docker.com"} else host


__all__ = [
    "Credentials",
    "FoundImage",
    "LayerPhase",
    "LayerProgress",
    "Login",
    "Platform",
    "PlatformReport",
    "Resolved",
    "Said",
    "TransferEvent",
    "Transferred",
    "parse_platform",
    "registry_name",
]
