"""A preset's TOML file to a `Preset`. Unknown keys are refused with the nearest name, file and line. Pure.

A file has `title`, `what`, perhaps `training`, and for each field of a draft that it sets a table with `value` and
`why`; an array of such tables where a field may be said several times.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from backends.draft.draft import draft_of
from backends.draft.fields import BY_ID
from backends.draft.spec import Around, read_draft
from backends.model.errors import Refused
from backends.presets.preset import Preset

_ABOUT = ("title", "what", "training")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_UNSET = frozenset({"name", "env_files"})
"""Fields that are a container's own, not of a kind of containers."""


class PresetError(Refused):
    """A preset's file cannot be used."""


def read_preset(name: str, text: str, source: str) -> Preset:
    """The preset of a file. name: without ".toml". source: the file's name, for messages. Raises PresetError."""
    if not _NAME.fullmatch(name):
        raise PresetError(f"{source}: a preset's name is small letters, digits and -", hint="rename the file")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{source}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise PresetError(f"{source}: its brackets nest too deep") from error
    file = _File(text, source)
    known = {*_ABOUT, *BY_ID} - _UNSET
    file.known(data, known)
    said: dict[str, tuple[str, ...]] = {}
    reasons: dict[tuple[str, str], str] = {}
    for key in (key for key in data if key in BY_ID):
        for value, why in file.settings(key, data[key]):
            said[key] = (*said.get(key, ()), value)
            reasons[(key, value)] = why
    preset = Preset(
        name, file.text(data, "title"), file.text(data, "what"), draft_of(**said), MappingProxyType(reasons),
        training=file.switch(data, "training"), source=source,
    )  # fmt: skip
    file.check(preset)
    return preset


class _File:
    """One file: knows where a key stands."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source

    def _at(self, key: str, occurrence: int = 0) -> str:
        """ "file:line" of a key, "file" where it cannot be found."""
        pattern = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(?:[=\].])")
        places = [number for number, line in enumerate(self._lines, start=1) if pattern.match(line)]
        return f"{self._source}:{places[min(occurrence, len(places) - 1)]}" if places else self._source

    def known(self, data: Mapping[str, Any], known: Collection[str]) -> None:
        for key in data:
            if key not in known:
                near = next(iter(difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.6)), "")
                hint = f"did you mean “{near}”?" if near else f"known here: {', '.join(sorted(known))}"
                raise PresetError(f"{self._at(key)}: unknown key “{key}”", hint=hint)

    def text(self, data: Mapping[str, Any], key: str) -> str:
        if key not in data:
            raise PresetError(f"{self._source}: “{key}” is missing")
        if not isinstance(data[key], str) or not data[key].strip():
            raise PresetError(f"{self._at(key)}: {key} must be text in quotes")
        return str(data[key]).strip()

    def switch(self, data: Mapping[str, Any], key: str) -> bool:
        value = data.get(key, False)
        if not isinstance(value, bool):
            raise PresetError(f"{self._at(key)}: {key} must be true or false")
        return value

    def settings(self, key: str, value: object) -> list[tuple[str, str]]:
        """Value and reason of a field, each of them where it has many."""
        many = BY_ID[key].many
        items = value if many and isinstance(value, list) else [value]
        found = []
        for place, item in enumerate(items):
            where = self._at(key, place)
            if not isinstance(item, dict):
                form = f"[[{key}]]" if many else f"[{key}]"
                raise PresetError(
                    f"{where}: {key} is a table", hint=f"write {form}, and below it value = … and why = …"
                )
            self.known(item, ("value", "why"))
            for part in ("value", "why"):
                if not isinstance(item.get(part), str) or not item[part].strip():
                    raise PresetError(f'{where}: {key} needs {part} = "…"')
            found.append((item["value"].strip(), item["why"].strip()))
        return found

    def check(self, preset: Preset) -> None:
        """Whether each text can be read at all, whatever the engine."""
        whole = {**preset.draft.texts, "name": ("preset",)}
        read = read_draft(draft_of(**whole), Around(home="/home", folder="/"))
        for (key, place), sentence in read.wrong.items():
            raise PresetError(f"{self._at(key, place)}: {key}: {sentence}")


__all__ = ["PresetError", "read_preset"]
