"""A preset: what a kind of container needs, and why. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backends.draft.draft import Draft, about
from backends.draft.fields import BY_ID

_NO_REASONS: Mapping[tuple[str, str], str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Preset:
    """name: of its file, what a person types. title, what: for people. source: the file, for messages.

    draft: what it sets. reasons: why, by (field, text). training: its programs train on several GPUs, so that what
    such a training needs is looked at before the start.
    """

    name: str
    title: str
    what: str
    draft: Draft
    reasons: Mapping[tuple[str, str], str] = field(default_factory=lambda: _NO_REASONS)
    training: bool = False
    source: str = ""

    def why(self, field: str, text: str) -> str:
        """Why the field has this text, or one about the same thing; "" where the preset did not set it."""
        exact = self.reasons.get((field, text), "")
        if exact or not BY_ID[field].many:
            return exact
        subject = about(field, text)
        return next(
            (why for (own, said), why in self.reasons.items() if own == field and about(own, said) == subject), ""
        )


__all__ = ["Preset"]
