"""Image references: which name the copy's image gets. Pure text; may not ask an engine."""

from __future__ import annotations

import re

_HEX = re.compile(r"(?:sha256:)?(?P<digits>[0-9a-f]{12,64})")


def is_id(reference: str, image_id: str) -> bool:
    """Whether a reference is no name but the image's id, whole or cut ("sha256:727a…", "727a96af347f")."""
    match = _HEX.fullmatch(reference)
    return match is not None and image_id.startswith(match["digits"])


def tag_of(reference: str, image_id: str) -> tuple[str, str]:
    """The full reference that an image can be tagged with, and why it differs from the one asked for.

    A digest ("name@sha256:…") names a registry's manifest, which no archive keeps: the tag before it stays, if there is
    one. Returns ("", reason) where the image has no name at all.
    """
    if not reference or is_id(reference, image_id):
        return "", "the source names its image by id only, so the copy is created from that id"
    name, at, _digest = reference.partition("@")
    if not at:
        return reference, ""
    if ":" in name.rpartition("/")[2]:
        return name, "an image archive does not keep the registry's digest; the tag stays"
    return "", "an image archive does not keep the registry's digest, so the copy is created from the image's id"
