"""`python -m benchmarks.migrate` (root): moves by Tranship against other tools, in turns; writes benchmarks/migrate.md.

With `--only PART …` the other parts of that file stay as they were. All of it takes about a quarter of an hour.
Every image is new to both engines but for the layers that a case says are there; what was made is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import large, migrate_report, report
from benchmarks.layered import MIB, LayeredImage, LayerFile, make_layer
from benchmarks.movings import LABEL, Movings, Taken
from benchmarks.own_engines import own_engines
from tests import real

DIRECTIONS = (("docker", "podman"), ("podman", "docker"))
PARTS = ("images", "volumes", "large")
SMALL_MIB = 16
"""A layer that somebody's own code makes on top of a base, as in the first measurements of this project."""


@dataclass(frozen=True)
class Case:
    """What of an image is on the target: so many percent of its layers, by which way they came there.

    small: the others are small layers, as large as all of them are otherwise.
    """

    percent: int
    came: str = ""
    small: bool = False

    @property
    def title(self) -> str:
        """For people."""
        if not self.percent:
            return "nothing (cold)"
        rest = f", the others {SMALL_MIB} MB each" if self.small else ""
        return f"{self.percent} % ({self.came}{rest})"


CASES = (
    Case(0),
    Case(50, "pulled by both"),
    Case(90, "pulled by both"),
    Case(90, "pulled by both", small=True),
    Case(90, "moved before"),
    Case(100, "pulled by both"),
)


@dataclass
class ImageRow:
    """One case in one direction: what every way took, in each round, and how the plan decides."""

    source: str
    target: str
    case: str
    way: str
    why: str
    taken: dict[str, list[Taken]] = field(default_factory=dict)


@dataclass
class VolumeRow:
    """One volume in one direction."""

    source: str
    target: str
    volume: str
    taken: dict[str, list[Taken]] = field(default_factory=dict)


@dataclass
class Results:
    """What one run found. entering_s: taken off from the commands that enter the engines' namespaces."""

    started: str
    image_mib: int
    layers: int
    rounds: int
    entering_s: float
    load: list[float] = field(default_factory=list)
    images: list[ImageRow] = field(default_factory=list)
    volumes: list[VolumeRow] = field(default_factory=list)
    large: list[large.LargeRow] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


class Images:
    """Moves of images. word: part of all names of this run. planned: of Tranship's ways only the one that it plans."""

    def __init__(
        self, movings: Movings, word: str, image_mib: int, layers: int, rounds: int, *, planned: bool = False
    ) -> None:
        self._movings, self._word = movings, word
        self._count, self._rounds, self._planned = layers, rounds, planned
        self._layer_bytes = image_mib * MIB // layers
        self._number = 0

    def measure(self, source: str, target: str, case: Case) -> ImageRow:
        """All rounds of a case."""
        shared = self._count * case.percent // 100
        base = [self._layer(self._layer_bytes) for _ in range(shared)]
        row = ImageRow(source, target, case.title, "", "")
        try:
            with ExitStack() as stack:
                if base:
                    stack.enter_context(self._present(source, target, LayeredImage(self._next(), base), case.came))
                for turn in range(self._rounds):
                    self._round(row, base, case, turn)
        finally:
            for layer in base:
                layer.path.unlink()
        return row

    def _round(self, row: ImageRow, base: list[LayerFile], case: Case, turn: int) -> None:
        movings, source, target = self._movings, row.source, row.target
        size = SMALL_MIB * MIB if case.small else self._layer_bytes
        new = [self._layer(size) for _ in range(self._count - len(base))]
        image = LayeredImage(self._next(), [*base, *new])
        try:
            with movings.holding(source, image) as container:
                row.way, row.why = movings.planned_way(source, target, container)
                jobs: list[tuple[str, Callable[[], Taken]]] = [
                    ("store", lambda: movings.tranship_image(source, target, container, "store")),
                    ("registry", lambda: movings.tranship_image(source, target, container, "registry")),
                    ("save into load", lambda: movings.save_load(source, target, image)),
                    ("skopeo copy", lambda: movings.skopeo(source, target, image)),
                    ("archive", lambda: movings.tranship_image(source, target, container, "archive")),
                ]
                if self._planned:
                    jobs = [(name, job) for name, job in jobs if name not in migrate_report.OURS or name == row.way]
                for name, job in [*jobs[turn % len(jobs) :], *jobs[: turn % len(jobs)]]:
                    taken = job()
                    if not movings.has(target, image):
                        raise RuntimeError(f"{name} did not bring {image.name} to {target}")
                    movings.forget(target, image)
                    row.taken.setdefault(name, []).append(taken)
                    _say(f"{source} to {target}, {case.title}: {name} {taken.seconds:.2f} s")
        finally:
            for layer in new:
                layer.path.unlink()

    @contextmanager
    def _present(self, source: str, target: str, base: LayeredImage, came: str) -> Iterator[None]:
        """Both engines have the base, as another image of theirs."""
        movings = self._movings
        with movings.holding(source, base) as container:
            if came == "pulled by both":
                movings.pull_both(source, target, base)
            else:
                movings.tranship_image(source, target, container, "auto")
                movings.cli(target, "tag", base.id, base.name)
            try:
                yield
            finally:
                movings.forget(target, base)

    def _next(self) -> str:
        self._number += 1
        return f"{self._word}-{self._number}"

    def _layer(self, size_bytes: int) -> LayerFile:
        return make_layer(self._movings.folder, self._next(), size_bytes)


def _volumes(movings: Movings, word: str, files: int, large_mib: int, rounds: int) -> Iterator[VolumeRow]:
    kinds = ((f"{files:,} files of 2 KiB", files, 2048), (f"one file of {large_mib} MB", 1, large_mib * MIB))
    for source, target in DIRECTIONS:
        for number, (title, files, file_bytes) in enumerate(kinds):
            row = VolumeRow(source, target, title)
            name = f"bench-{word}-{number}"
            try:
                movings.fill(source, name, files, file_bytes)
                for turn in range(rounds):
                    jobs: list[tuple[str, Callable[[], Taken]]] = [
                        ("tranship", lambda: movings.tranship_volume(source, target, name)),  # noqa: B023  # called at once
                        ("tar into tar", lambda: movings.tar_tar(source, target, name)),  # noqa: B023  # called at once
                    ]
                    for way, job in jobs if turn % 2 else reversed(jobs):
                        movings.cli(target, "volume", "create", "--label", LABEL, name)
                        taken = job()
                        movings.cli(target, "volume", "rm", name)
                        row.taken.setdefault(way, []).append(taken)
                        _say(f"{source} to {target}, {title}: {way} {taken.seconds:.2f} s")
            finally:
                for engine in (source, target):
                    if name in movings.cli(engine, "volume", "ls", "-q").split():
                        movings.cli(engine, "volume", "rm", "-f", name)
            yield row


def _say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {words}\n")


@contextmanager
def _movings(shared: real.RealEngines) -> Iterator[tuple[Movings, float]]:
    """Ways between engines of the benchmark's own, and the seconds that it costs a command to enter these."""
    made = tempfile.TemporaryDirectory(prefix="tb-", dir="/tmp")  # /tmp is the same for the engines
    home = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    with made as folder, own_engines(shared, home) as engines:
        movings = Movings(engines, Path(folder))
        yield movings, statistics.median(movings.entering_s() for _ in range(9))


SHORT = (Case(0), Case(90, "pulled by both"))
SHORT_MIB, SHORT_LAYERS = 512, 20


def short(shared: real.RealEngines) -> list[migrate_report.Move]:
    """Of the whole report: an image that the target does not have, and one of which it has most; one round."""
    with _movings(shared) as (movings, entering_s):
        images = Images(movings, uuid.uuid4().hex[:8], SHORT_MIB, SHORT_LAYERS, 1, planned=True)
        rows = [images.measure(*direction, case) for direction in DIRECTIONS for case in SHORT]
        return [migrate_report.move_of(row, entering_s) for row in rows]


def measure(shared: real.RealEngines, chosen: argparse.Namespace) -> None:
    """Everything that was asked for, in one run; writes the report after each part."""
    word = uuid.uuid4().hex[:8]
    with _movings(shared) as (movings, entering):
        day = time.strftime("%Y-%m-%d")
        found = Results(day, chosen.image_mib, chosen.layers, chosen.rounds, entering)
        found.versions = report.versions(movings.engines) | movings.versions()
        if "images" in chosen.only:
            images = Images(movings, word, chosen.image_mib, chosen.layers, chosen.rounds)
            for source, target in DIRECTIONS:
                for number in chosen.cases:
                    found.images.append(images.measure(source, target, CASES[number]))
                    _write(found, chosen.write)
        if "volumes" in chosen.only:
            for row in _volumes(movings, word, chosen.files, chosen.volume_mib, chosen.rounds):
                found.volumes.append(row)
                _write(found, chosen.write)
        if "large" in chosen.only:
            sizes = {"file_mib": chosen.large_mib, "files": chosen.large_files, "image_mib": chosen.large_image_mib}
            for one in large.measure(movings, word, **sizes):
                found.large.append(one)
                _say(f"{one.source} to {one.target}, {one.what}: {one.taken.seconds:.2f} s")
                _write(found, chosen.write)


def _write(found: Results, to: Path) -> None:
    """The report of what was measured so far: a run takes long, and what is there is not lost when it is broken off."""
    found.load.append(os.getloadavg()[0])
    before = to.read_text() if to.exists() else ""
    to.write_text(migrate_report.render(found, before))


def main() -> int:
    """Bring up the engines, measure, write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.migrate", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure; the others stay")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--image-mib", type=int, default=512, help="size of the image")
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument(
        "--cases", type=int, nargs="*", default=(0, 1, 2, 3, 4, 5), help="which of the images', by number"
    )
    parser.add_argument("--files", type=int, default=20_000, help="small files of the volume")
    parser.add_argument("--volume-mib", type=int, default=1024, help="size of the one large file")
    parser.add_argument("--large-mib", type=int, default=10_240, help="the file of part large; 4 GB where no room is")
    parser.add_argument("--large-files", type=int, default=100_000, help="small files of part large")
    parser.add_argument("--large-image-mib", type=int, default=2048, help="the image of part large")
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "migrate.md")
    chosen = parser.parse_args()
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    measure(real.bring_up(), chosen)
    sys.stdout.write(chosen.write.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
