"""Where signatures of an image are looked up: the files of registries.d, read and evaluated. Pure; opens no file.

Sources: containers-registries.d(5); github.com/containers/image, docker/registries_d.go (a scope may stand in one file
only; the most specific one decides; no tags, no wildcards).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.model.reference import parse_reference

_LOOKASIDE = ("lookaside", "sigstore")
"""The older name is still read."""
_BUILT_IN = (
    "in the engine's own folder only (/var/lib/containers/sigstore; rootless: ~/.local/share/containers/sigstore)"
)
_ATTACHMENTS = "use-sigstore-attachments"


@dataclass(frozen=True, slots=True)
class SignaturePlace:
    """What one scope says. lookaside: URL of a server or folder of signatures, "" = none said. attachments: signatures
    in the registry beside the image (sigstore) are read; None = not said. scope, file: where that stands."""

    lookaside: str = ""
    attachments: bool | None = None
    scope: str = ""
    file: str = ""

    @property
    def words(self) -> str:
        """For people: where signatures are looked up."""
        beside = "in the registry, beside the image (sigstore)" if self.attachments else ""
        own = f"at {self.lookaside}" if self.lookaside else ""
        where = " and ".join(part for part in (own, beside) if part) or _BUILT_IN
        said = f" ({self.file}, {self.scope})" if self.file else " (no file of registries.d says more)"
        return f"signatures are looked up {where}{said}"


@dataclass(frozen=True, slots=True)
class SignaturePlaces:
    """All files together. default: of what no scope names. problem: why containers/image refuses them, "" = none."""

    default: SignaturePlace = field(default_factory=SignaturePlace)
    scopes: Mapping[str, SignaturePlace] = field(default_factory=dict)
    problem: str = ""

    def of(self, reference: str) -> SignaturePlace:
        """That of an image, by its most specific scope. Raises ValueError where the reference is no name."""
        name = parse_reference(reference).name
        while name:
            if name in self.scopes:
                return self.scopes[name]
            name = name.rpartition("/")[0]
        return self.default


def read_places(files: Mapping[str, str]) -> SignaturePlaces:
    """From the files' texts by their names, in any order. What cannot be read is the problem, as it is for Podman."""
    import yaml  # 10 ms, and most machines are asked nothing of it

    default, scopes = SignaturePlace(), dict[str, SignaturePlace]()
    for name in sorted(files):
        try:
            told = yaml.safe_load(files[name])
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            return SignaturePlaces(problem=f"{name} is no YAML: {' '.join(str(error).split())}")
        if told is None:
            continue
        if not isinstance(told, dict) or not isinstance(told.get("docker") or {}, dict):
            return SignaturePlaces(problem=f"{name} is no registries.d configuration")
        if told.get("default-docker") is not None:
            if default.file:
                return SignaturePlaces(problem=f"{name} and {default.file} both have default-docker")
            default = _place(told["default-docker"], "default-docker", name)
        for scope, said in (told.get("docker") or {}).items():
            if scope in scopes:
                return SignaturePlaces(problem=f"{name} and {scopes[scope].file} both have {scope}")
            scopes[str(scope)] = _place(said, str(scope), name)
    return SignaturePlaces(default, scopes)


def _place(told: Any, scope: str, file: str) -> SignaturePlace:
    said = told if isinstance(told, dict) else {}
    lookaside = next((str(said[key]) for key in _LOOKASIDE if said.get(key)), "")
    beside = said.get(_ATTACHMENTS)
    return SignaturePlace(lookaside, beside if isinstance(beside, bool) else None, scope, file)


__all__ = ["SignaturePlace", "SignaturePlaces", "read_places"]
