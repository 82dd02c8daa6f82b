"""What volumes and networks differ in on their screens, and the questions before something is done to them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backends.model.ids import EngineId
from backends.model.network import NetworkSpec, Subnet
from backends.model.stores import NetworkRow, VolumeRow
from backends.model.values import Missing
from backends.model.workload import VolumeSpec
from widgets.format import bytes_text
from widgets.line import BLANK, Line, Tone, line
from widgets.store_rows import AnyRow, network_columns, network_facts, volume_columns, volume_facts
from widgets.table_layout import Column
from widgets.text import inert

if TYPE_CHECKING:
    from widgets.dialogs import Choice, ChoiceDialog, ConfirmDialog, InputDialog

_NAMED = 10  # in a question
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
"""What both engines take. Sources: moby, volume/names; containers/podman, libpod/define, NameRegex."""
NAMELESS, UNUSED = "nameless", "unused"


@dataclass(frozen=True, slots=True)
class Kind:
    """Volumes, or networks. asks: what is typed to make one. spec: of what was typed."""

    word: str
    plural: str
    title: str
    lost: str
    asks: str
    columns: Callable[[int], tuple[Column, ...]]
    facts: Callable[[AnyRow, datetime], list[tuple[str, str]]]
    spec: Callable[[str], VolumeSpec | NetworkSpec]


def _volume_facts(row: AnyRow, now: datetime) -> list[tuple[str, str]]:
    return volume_facts(row, now) if isinstance(row, VolumeRow) else []


def _network_facts(row: AnyRow, now: datetime) -> list[tuple[str, str]]:
    return network_facts(row, now) if isinstance(row, NetworkRow) else []


def _network_spec(text: str) -> NetworkSpec:
    name, *ranges = text.split()
    return NetworkSpec(name, subnets=tuple(Subnet(one) for one in ranges))


VOLUMES = Kind(
    "volume",
    "volumes",
    "Volumes",
    "Their data is lost.",
    "name",
    volume_columns,
    _volume_facts,
    lambda text: VolumeSpec(text.strip()),
)
NETWORKS = Kind(
    "network",
    "networks",
    "Networks",
    "",
    "name, and perhaps an address range: lab 10.9.8.0/24",
    network_columns,
    _network_facts,
    _network_spec,
)


def kept_words(kind: Kind, row: AnyRow) -> str:
    """Why it is not removed."""
    if not row.users:
        return f"{row.key.name} is the engine's own {kind.word}, and stays."
    some = ", ".join(row.users[:3]) + (", …" if len(row.users) > 3 else "")
    return f"{row.key.name} is used by {some}: remove the containers first."


def _named(rows: Sequence[AnyRow]) -> list[Line]:
    named = []
    for row in rows[:_NAMED]:
        size = row.size_bytes if isinstance(row, VolumeRow) else None
        taken = "" if size is None or isinstance(size, Missing) else f"  {bytes_text(size)}"
        named.append(line(inert(row.key.name), (f" on {inert(row.key.engine.name)}{taken}", Tone.DIM)))
    more = len(rows) - _NAMED
    return [*named, line((f"and {more} more", Tone.DIM))] if more > 0 else named


def removal(kind: Kind, rows: Sequence[AnyRow]) -> ConfirmDialog:
    """Whether these are to go."""
    from widgets.dialogs import ConfirmDialog

    one = rows[0].key
    question = f"Remove {one.name} on {one.engine}?" if len(rows) == 1 else f"Remove {len(rows)} {kind.plural}?"
    note = [BLANK, line((kind.lost.replace("Their", "Its") if len(rows) == 1 else kind.lost, Tone.STRONG))]
    body = [*_named(rows), *(note if kind.lost else [])]
    return ConfirmDialog(question, body, yes="Remove", no="Keep", destructive=True)


def pruned(rows: Sequence[AnyRow], which: str) -> list[AnyRow]:
    """Those that a pruning takes."""
    return [row for row in rows if row.removable and (which == UNUSED or _nameless(row))]


def _nameless(row: AnyRow) -> bool:
    return isinstance(row, VolumeRow) and row.volume.anonymous


def prunings(kind: Kind, rows: Sequence[AnyRow]) -> list[Choice]:
    """The prunings that would take something, each another number."""
    from widgets.dialogs import Choice

    nameless, unused = pruned(rows, NAMELESS), pruned(rows, UNUSED)
    offers = []
    if nameless and len(nameless) < len(unused):
        offers.append(Choice(NAMELESS, "Those that nobody named", f"{len(nameless)} unused"))
    if unused:
        offers.append(Choice(UNUSED, f"All {kind.plural} that no container uses", f"{len(unused)}"))
    return offers


def choice(title: str, choices: Sequence[Choice]) -> ChoiceDialog:
    """One of several."""
    from widgets.dialogs import ChoiceDialog

    return ChoiceDialog(title, choices)


def engine_choice(title: str, engines: Sequence[EngineId]) -> ChoiceDialog:
    """One of the engines."""
    from widgets.dialogs import Choice, ChoiceDialog

    return ChoiceDialog(title, [Choice(engine.name, engine.name) for engine in engines])


def naming(kind: Kind, engine: EngineId, taken: Collection[str]) -> InputDialog:
    """What it is to be called; a name that is taken is refused while it is typed."""
    from widgets.dialogs import InputDialog

    def wrong(text: str) -> str:
        words = text.split()
        if not words:
            return ""
        if words[0] in taken:
            return f"{words[0]} exists already on {engine}"
        if not _NAME.match(words[0]):
            return "letters, digits, “_”, “.” and “-”, beginning with a letter or digit"
        return _wrong_ranges(kind, words[1:])

    return InputDialog(f"A new {kind.word} on {engine}", placeholder=kind.asks, validate=wrong)


def _wrong_ranges(kind: Kind, words: Sequence[str]) -> str:
    if words and kind is VOLUMES:
        return "a name has no spaces"
    for word in words:
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            return f"{error}"
    return ""


__all__ = [
    "NETWORKS",
    "VOLUMES",
    "Kind",
    "choice",
    "engine_choice",
    "kept_words",
    "naming",
    "pruned",
    "prunings",
    "removal",
]
