"""Volumes and ports of a move, one by one: what is chosen of each, as rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from backends.model.plan import Choices, PortChoice, VolumeChoice
from widgets.line import Line, Tone, line
from widgets.text import cut_end, cut_middle, inert, pad, width_of

VOLUME_WORDS = {VolumeChoice.COPY: "copied", VolumeChoice.SHARE: "shared", VolumeChoice.SKIP: "empty"}
ANY_FREE = 0
"""In place of a port: the engine chooses one."""
HIGHEST_PORT = 65535
_CHOSEN = 10  # cells of what is chosen
_SAID = {
    VolumeChoice.COPY: "its files are copied",
    VolumeChoice.SHARE: "both mount the same folder: same host only",
    VolumeChoice.SKIP: "the copy begins with an empty one",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a move can be asked of one by one. volumes: name → where it is mounted, for people. ports: of the host."""

    volumes: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.volumes or self.ports)


class PartRow(NamedTuple):
    """One row. volume: its name, or port: its number; both empty of a heading."""

    key: str
    text: Line
    volume: str = ""
    port: int | None = None

    @property
    def idle(self) -> bool:
        """It cannot be turned."""
        return not self.volume and self.port is None


def port_chosen(choices: Choices, port: int) -> int:
    """Which port of the host the copy has in place of this one, ANY_FREE where its engine chooses."""
    if choices.port is PortChoice.RANDOM:
        return ANY_FREE
    return choices.port_map.get(port, port) if choices.port is PortChoice.REMAP else port


def with_port(choices: Choices, parts: Parts, port: int, chosen: int) -> Choices:
    """The choices with another port for this one; all the same or all free are said as one choice."""
    wanted = {one: port_chosen(choices, one) for one in parts.ports} | {port: chosen}
    others = {old: new for old, new in wanted.items() if old != new}
    if not others:
        return replace(choices, port=PortChoice.SAME, port_map={})
    if all(new == ANY_FREE for new in wanted.values()):
        return replace(choices, port=PortChoice.RANDOM, port_map={})
    return replace(choices, port=PortChoice.REMAP, port_map=others)


def with_volume(choices: Choices, parts: Parts, volume: str, chosen: VolumeChoice) -> Choices:
    """The choices with another one for this volume; where all are alike, that is one choice."""
    wanted = {one: choices.for_volume(one) for one in parts.volumes} | {volume: chosen}
    if len(set(wanted.values())) == 1:
        return replace(choices, volume=chosen, volumes={})
    return replace(choices, volumes={one: choice for one, choice in wanted.items() if choice is not choices.volume})


def turned(choices: Choices, parts: Parts, row: PartRow, step: int) -> Choices:
    """The choices with the row's next one (step 1) or the one before (-1). Of a port: the same, then any free one."""
    if row.volume:
        members = list(VolumeChoice)
        at = members.index(choices.for_volume(row.volume))
        return with_volume(choices, parts, row.volume, members[(at + step) % len(members)])
    if row.port is None:
        return choices
    same = port_chosen(choices, row.port) == row.port
    return with_port(choices, parts, row.port, ANY_FREE if same else row.port)


def part_rows(choices: Choices, parts: Parts, width: int) -> list[PartRow]:
    """All rows, for so many cells."""
    names = [inert(name) for name in parts.volumes]
    cells = min(max([width_of(name) for name in names] + [6], default=6), max(12, width // 2 - _CHOSEN))
    rows: list[PartRow] = []
    if parts.volumes:
        rows.append(PartRow("volumes", line(("VOLUMES", Tone.HEADING))))
    for name, where in parts.volumes.items():
        choice = choices.for_volume(name)
        tone = Tone.PLAIN if choice is VolumeChoice.COPY else Tone.ACCENT
        said = f"{_SAID[choice]}  {inert(where)}".rstrip()
        rows.append(PartRow(f"volume {name}", _row(inert(name), VOLUME_WORDS[choice], tone, said, cells, width), name))
    if parts.ports:
        rows.append(PartRow("ports", line(("PORTS OF THE HOST", Tone.HEADING))))
    for port in parts.ports:
        chosen = port_chosen(choices, port)
        word = "same" if chosen == port else "any free" if chosen == ANY_FREE else str(chosen)
        said = "its engine chooses one" if chosen == ANY_FREE else ""
        tone = Tone.PLAIN if chosen == port else Tone.ACCENT
        rows.append(PartRow(f"port {port}", _row(str(port), word, tone, said, cells, width), port=port))
    return rows


def _row(name: str, chosen: str, tone: Tone, said: str, cells: int, width: int) -> Line:
    head = f"  {pad(cut_middle(name, cells), cells)}  "
    value = pad(chosen, _CHOSEN)
    return line(head, (value, tone), (cut_end(said, max(0, width - width_of(head) - _CHOSEN)), Tone.DIM))


def volumes_words(choices: Choices) -> str:
    """What is chosen of all volumes, in short."""
    several = f", {len(choices.volumes)} otherwise" if choices.volumes else ""
    return f"{VOLUME_WORDS[choices.volume]}{several}"


def ports_words(choices: Choices) -> str:
    """What is chosen of all ports, in short."""
    if choices.port is not PortChoice.REMAP:
        return "same" if choices.port is PortChoice.SAME else "any free"
    pairs: Sequence[tuple[int, int]] = sorted(choices.port_map.items())
    if len(pairs) > 2:
        return f"{len(pairs)} others"
    return ", ".join(f"{old}:{new or 'any free'}" for old, new in pairs)
