"""One run of benchmarks.migrate as Markdown: ratios to the commands in a pipe, and what each way took besides time.

A part that was not measured is taken over from the file as it was: each stands between two marks, with its own date.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.layered import MIB
from benchmarks.movings import Taken

if TYPE_CHECKING:
    from benchmarks.large import LargeRow
    from benchmarks.migrate import ImageRow, Results, VolumeRow

INTRO = """# Moving images and volumes

`python -m benchmarks.migrate` (root on Debian) moves the same things by every way in turn, between a Docker and a
Podman of its own, and writes this file. Only the **ratios** of one run are claims. Times are medians.

*speed* is how many times faster than the engines' own commands in a pipe. *memory* is the sum of the highest resident
sizes of the programs that move (of Tranship: one Python process; the engines themselves are not counted). *disk* is
the most that lay in temporary folders: ours + Docker's + Podman's. Tranship's times begin when the plan is made and end
when the copy is proved: an image by its id, layers and platform, a volume by a digest of each file, read back. The
other ways prove nothing. What it costs the commands to enter the engines' namespaces is taken off.
"""


@dataclass(frozen=True)
class Move:
    """One image's move by the way that the plan chose, and by the others that a user has. Seconds, by way."""

    source: str
    target: str
    there: str
    ours_s: float
    rivals_s: dict[str, float]


PIPE = {"image": "save into load", "volume": "tar into tar"}
OURS = ("store", "registry", "archive", "tranship")


def _median(taken: list[Taken], name: str, entering_s: float) -> float:
    seconds = statistics.median(one.seconds for one in taken)
    return seconds if name in OURS else seconds - entering_s


def move_of(row: ImageRow, entering_s: float) -> Move:
    """A case in short."""
    seconds = {name: _median(taken, name, entering_s) for name, taken in row.taken.items()}
    rivals = {_command(row.source, row.target, name): took for name, took in seconds.items() if name not in OURS}
    return Move(row.source, row.target, row.case, seconds[row.way], rivals)


def _disk(taken: list[Taken]) -> str:
    places = {place: max(one.disk_bytes.get(place, 0) for one in taken) for one in taken for place in one.disk_bytes}
    return " + ".join(f"{size / MIB:.0f}" for size in places.values())


def _cells(taken: list[Taken], name: str, base_s: float, entering_s: float) -> str:
    seconds = _median(taken, name, entering_s)
    spread = f"{min(one.seconds for one in taken):.1f} to {max(one.seconds for one in taken):.1f}"
    memory = max(one.memory_bytes for one in taken) / MIB
    return f"{base_s / seconds:.1f}× | {seconds:.2f} | {spread} | {memory:.0f} | {_disk(taken)}"


def _images(results: Results) -> list[str]:
    if not results.images:
        return []
    lines = [
        f"## An image of {results.image_mib} MB in {results.layers} layers, each half random bytes, half text",
        "",
        "The plan's own choice is in **bold**. *there*: the layers that the target has when the move begins.",
        "",
        "| from → to | there | way | speed | s | least to most | memory, MB | disk, MB | moved, MB |",
        "|---|---|---|---:|---:|---|---:|---:|---:|",
    ]
    for row in results.images:
        base_s = _median(row.taken[PIPE["image"]], PIPE["image"], results.entering_s)
        for name in sorted(row.taken, key=lambda name: name not in OURS):
            lines.append(_image_line(row, name, base_s, results.entering_s))
    return lines


def _image_line(row: ImageRow, name: str, base_s: float, entering_s: float) -> str:
    taken = row.taken[name]
    shown = f"tranship, {name}" if name in OURS else _command(row.source, row.target, name)
    moved = taken[0].moved_bytes
    told = "–" if moved is None else f"{moved / MIB:.0f}"
    cells = _cells(taken, name, base_s, entering_s)
    way = f"**{shown}**" if name == row.way else shown
    return f"| {row.source} → {row.target} | {row.case} | {way} | {cells} | {told} |"


def _command(source: str, target: str, name: str) -> str:
    return f"`{source} save \\| {target} load`" if name == PIPE["image"] else name


def _volumes(results: Results) -> list[str]:
    if not results.volumes:
        return []
    lines = [
        "## A volume",
        "",
        "*stopped*: how long its container stands still, nothing having been written since the copy was begun.",
        "",
        "| from → to | volume | way | speed | s | least to most | memory, MB | disk, MB | stopped, s |",
        "|---|---|---|---:|---:|---|---:|---:|---:|",
    ]
    for row in results.volumes:
        lines += [_volume_line(row, name, results.entering_s) for name in sorted(row.taken, reverse=True)]
    return lines


def _volume_line(row: VolumeRow, name: str, entering_s: float) -> str:
    base_s = _median(row.taken[PIPE["volume"]], PIPE["volume"], entering_s)
    taken = row.taken[name]
    cells = _cells(taken, name, base_s, entering_s)
    told = [one.told["stopped_s"] for one in taken if "stopped_s" in one.told]
    stopped = statistics.median(told) if told else _median(taken, name, entering_s)
    return f"| {row.source} → {row.target} | {row.volume} | {name} | {cells} | {stopped:.2f} |"


def _large(results: Results) -> list[str]:
    if not results.large:
        return []
    lines = [
        "## Memory and disk, small and large",
        "",
        "What moves is never held: memory does not grow with the bytes. It grows with the number of files: of each,",
        "name, row and digest are kept, 1 to 1.5 KB in all. *disk* is ours + Docker's + Podman's: an image that goes",
        "by the registry lies in a folder of ours on its way, a volume nowhere.",
        "",
        "| from → to | what | s | MB/s | memory, MB | disk, MB |",
        "|---|---|---:|---:|---:|---:|",
    ]
    return lines + [_large_line(row) for row in results.large]


def _large_line(row: LargeRow) -> str:
    taken = row.taken
    rate = row.content_bytes / MIB / taken.seconds
    cells = f"{taken.seconds:.1f} | {rate:.0f} | {taken.memory_bytes / MIB:.0f} | {_disk([taken])}"
    return f"| {row.source} → {row.target} | {row.what} | {cells} |"


_BEGIN, _END = "<!-- part: {} -->\n", "<!-- end -->\n"


def _kept(before: str, part: str) -> str:
    """A part of an earlier report, "" where it has none."""
    _, mark, rest = before.partition(_BEGIN.format(part))
    return rest.partition(_END)[0] if mark else ""


def render(results: Results, before: str = "") -> str:
    """The whole report. before: an earlier one, whose parts stay where there are none of this run."""
    made = ", ".join(f"{name} {value}" for name, value in results.versions.items())
    load = f"{min(results.load):.1f} to {max(results.load):.1f}"
    tail = ["", f"*{results.started}, {results.rounds} rounds, load {load}. {made}.*", ""]
    report = INTRO
    for part, lines in (("images", _images(results)), ("volumes", _volumes(results)), ("large", _large(results))):
        text = "\n".join([*lines, *tail]) if lines else _kept(before, part)
        report += f"\n{_BEGIN.format(part)}{text}{_END}" if text else ""
    return report
