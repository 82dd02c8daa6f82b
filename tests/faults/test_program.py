"""What happens to the program itself: its terminal, signals, its disk, another Tranship at the same work."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.cli import Cli
from tests.faults.on_pty import OnPty
from tests.faults.program import state_dir
from tests.real import RealEngines
from tests.thorough import ON, thorough

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

TINY_BYTES = 16 << 10


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


def crashes() -> list[Path]:
    """The crash logs of this test's runs."""
    return list(state_dir().glob("crash-*.log"))


def test_a_window_of_one_cell_and_back_then_two_interrupts(cli: Cli) -> None:
    name = cli.name("small")
    with OnPty(cli.environ()) as screen:
        screen.wait("podman")
        for size in [(1, 1), (120, 36), (2, 1), (1, 40), (300, 2), (1, 1)] * (5 if ON else 1):
            screen.resize(*size)
        cli.make("podman", name, command=("sleep", "600"))
        at = len(screen.said)
        screen.resize(150, 60)
        screen.wait("-".join(name.split("-")[:2]), after=at)
        screen.send(signal.SIGINT, signal.SIGINT)
        assert screen.ends() == 130
        assert "\x1b[?1049l" in screen.said, "the terminal is as it was"
    assert crashes() == []


LEAVE: dict[str, tuple[Callable[[OnPty], object], int]] = {
    "SIGTERM": (lambda screen: screen.send(signal.SIGTERM), 143),
    "SIGTERM twice": (lambda screen: screen.send(signal.SIGTERM, signal.SIGTERM), 143),
    "SIGINT": (lambda screen: screen.send(signal.SIGINT), 130),
    "SIGHUP": (lambda screen: screen.send(signal.SIGHUP), 129),
    "terminal closed": (OnPty.hang_up, 129),
    "q": (lambda screen: screen.type("q"), 0),
}


@pytest.mark.parametrize("how", thorough(*LEAVE))
def test_it_ends_well_however_it_is_ended(cli: Cli, how: str) -> None:
    end, code = LEAVE[how]
    with OnPty(cli.environ()) as screen:
        screen.wait("podman")
        end(screen)
        assert screen.ends() == code
    assert crashes() == []


@pytest.mark.parametrize("engine", thorough("docker", "podman"))
def test_two_at_once_do_each_thing_once_and_keep_one_trail(cli: Cli, engine: str) -> None:
    """Eight at a time on four containers of one engine, beside a screen: each change is one engine's, none is lost."""
    names = [cli.name(f"two{number}") for number in range(4)]
    for name in names:
        cli.make(engine, name, command=("sleep", "600"))
    with OnPty(cli.environ()) as first, OnPty(cli.environ()) as second:
        for screen in (first, second):
            screen.wait("podman")
        for verb in (["pause"], ["unpause"], ["kill"], ["rm", "--yes"]):
            with ThreadPoolExecutor(8) as pool:
                ran = list(pool.map(lambda name: cli(*verb, name, "--engine", engine), [*names, *names]))  # noqa: B023
            assert {one.code for one in ran} <= {0, 1, 4}, [one.err for one in ran]
            codes = [{ran[at].code, ran[at + 4].code} for at in range(4)]
            assert all(0 in pair for pair in codes), f"{verb}: one of two must have done it: {[o.err for o in ran]}"
        for screen in (first, second):
            screen.type("q")
            assert screen.ends() == 0
    assert not any(cli.exists(engine, name) for name in names)
    proved = cli("audit", "--verify", "--json")
    assert proved.code == 0, proved.out + proved.err
    assert crashes() == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk that is full but for a few bytes."""
    tmp_path.joinpath("state").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TINY_BYTES}", "tmpfs", str(tmp_path / "state")]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr}")
    try:
        yield tmp_path / "state"
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "state")], check=True)


@pytest.mark.skipif(not ON, reason="thorough")
def test_with_no_room_for_its_records_it_works_and_says_so(cli: Cli, full_disk: Path) -> None:
    name = cli.name("full")
    cli.make("podman", name, command=("sleep", "600"))
    filler = full_disk / "of-another"
    with filler.open("wb") as file:
        try:
            file.write(b"x" * (2 * TINY_BYTES))
            file.flush()
        except OSError:
            pass
    state = {"XDG_STATE_HOME": str(full_disk)}
    done = cli("pause", name, "--engine", "podman", **state)
    assert cli.inspect("podman", name)["State"]["Status"] == "paused"
    assert done.code == 0, done.err
    assert "audit" in done.err, "what could not be written is said"
    assert "No space left" in done.err
    moved = cli("migrate", name, "--from", "podman", "--to", "docker", "--yes", **state)
    assert moved.code != 0, "no move without a journal"
    assert "No space left" in moved.err
    assert cli.inspect("podman", name)["State"]["Status"] == "paused"
    assert not cli.exists("docker", name)
    with OnPty({**cli.environ(), **state}) as screen:
        screen.wait("podman")
        screen.type("q")
        assert screen.ends() == 0
