"""Which containers a filter text lets through: pure. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backends.model.container import Container
from widgets.format import state_parts


def _labels(container: Container) -> Iterable[str]:
    return (f"{key}={value}" for key, value in container.labels.items())


# What a word may be asked of: prefix before the colon → the texts that it is looked for in.
_FIELDS: dict[str, Callable[[Container], Iterable[str]]] = {
    "name": lambda c: (c.name,),
    "id": lambda c: (c.key.id,),
    "image": lambda c: (c.image,),
    "engine": lambda c: (c.key.engine.name, c.key.engine.kind.value),
    "state": lambda c: (c.state.value, state_parts(c)[1]),
    "health": lambda c: (c.health.value,),
    "project": lambda c: (c.project,),
    "label": _labels,
    "gpu": lambda c: c.gpus_given,
    "port": lambda c: (str(port.host_port) for port in c.ports if port.host_port is not None),
}
FIELDS: tuple[str, ...] = tuple(_FIELDS)
# Where a word without a prefix is looked for; ids only from their beginning, since they match too much.
_EVERYWHERE = ("name", "image", "engine", "state", "project", "label")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a filter: wanted, or (negated) not wanted, in one field or ("") everywhere."""

    text: str
    field: str = ""
    negated: bool = False

    def matches(self, container: Container) -> bool:
        """Whether this word lets the container through."""
        fields = (self.field,) if self.field else _EVERYWHERE
        found = any(self.text in text.lower() for field in fields for text in _FIELDS[field](container))
        if not self.field and len(self.text) >= 4:
            found = found or container.key.id.startswith(self.text)
        return found is not self.negated


def parse(text: str) -> tuple[Word, ...]:
    """The words of a filter: "train state:exited -label:keep". What is no field is part of the word ("python:3")."""
    words: list[Word] = []
    for raw in text.lower().split():
        negated = len(raw) > 1 and raw[0] in "-!"
        word = raw[1:] if negated else raw
        prefix, colon, rest = word.partition(":")
        if colon and prefix in _FIELDS:
            if rest:
                words.append(Word(rest, prefix, negated))
        else:
            words.append(Word(word, "", negated))
    return tuple(words)


def matches(words: tuple[Word, ...], container: Container) -> bool:
    """Whether every word lets the container through; no words let all through."""
    return all(word.matches(container) for word in words)
