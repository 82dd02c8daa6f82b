"""Image references, written in full: what "python:3.11" means on every engine. Pure; asks no registry.

Source of the rules: github.com/distribution/reference, normalize.go (ParseNormalizedNamed, TagNameOnly) and its
grammar in reference.go. Short names become docker.io ones, as Docker reads them; Podman's "localhost/x" stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

DEFAULT_DOMAIN = "docker.io"
_OLD_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
DEFAULT_TAG = "latest"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", re.ASCII)
_IMAGE_ID = re.compile(r"[a-f0-9]{64}", re.ASCII)
_NAME_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in its parts. tag, digest: "" where not said."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Without tag and digest: "docker.io/library/python"."""
        return f"{self.domain}/{self.path}"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def is_image_id(text: str) -> bool:
    """Whether it is an image id (64 hex digits, with or without "sha256:") and no name."""
    return _IMAGE_ID.fullmatch(text.removeprefix("sha256:")) is not None


def parse_reference(text: str) -> Reference:
    """Read a reference as people write it. Raises ValueError, with a message for people, where it is none."""
    if is_image_id(text):
        raise ValueError(f"{text!r} is an image id, not a name")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError(f"{text!r} has no valid digest")
    domain, slash, path = rest.partition("/")
    if not slash or not (
        "." in domain or ":" in domain or domain == "localhost" or domain.lower() != domain or domain.startswith("[")
    ):
        domain, path = DEFAULT_DOMAIN, rest
    if domain == _OLD_DOMAIN:
        domain = DEFAULT_DOMAIN
    path, colon, tag = path.partition(":")
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = _OFFICIAL + path
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(f"{text!r} has no valid tag")
    if not _DOMAIN.fullmatch(domain) or not _PATH.fullmatch(path) or len(domain) + len(path) >= _NAME_LIMIT:
        raise ValueError(f"{text!r} is no valid image name")
    return Reference(domain, path, tag, digest)


def full_reference(text: str) -> str:
    """ "python" → "docker.io/library/python:latest"; a name with a digest only gets no tag.

    Raises ValueError where it is no name (an image id, capital letters, ...).
    """
    reference = parse_reference(text)
    if not reference.tag and not reference.digest:
        reference = replace(reference, tag=DEFAULT_TAG)
    return str(reference)


__all__ = ["DEFAULT_DOMAIN", "DEFAULT_TAG", "Reference", "full_reference", "is_image_id", "parse_reference"]
