"""Tranship itself is killed, or told to end, in the middle of a move between real engines."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from random import Random

import pytest

from backends.model.ids import EngineKind
from backends.model.plan import StepKind
from tests.e2e.cli import Cli, Running
from tests.faults.conftest import Grounds
from tests.faults.ground import Ground
from tests.faults.program import (
    Moment,
    argv,
    begins,
    half_copied,
    journalled,
    journals,
    kill_at,
    moves_told,
    state_dir,
)
from tests.real import RealEngines
from tests.thorough import thorough

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

VOLUME_MB = 16
IMAGE_MB = 6


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Cli:
    return Cli(real_engines, run_label)


@pytest.fixture
def ground(grounds: Grounds) -> Ground:
    return grounds(EngineKind.DOCKER, volume_mb=VOLUME_MB, image_mb=IMAGE_MB)


RESUMED = ["image", "volume", *thorough(StepKind.VOLUME), StepKind.FILES, *thorough(StepKind.HEALTH)]
UNDONE = [
    *thorough(StepKind.NETWORK),
    *thorough(StepKind.STOP_SOURCE),
    StepKind.CREATE,
    *thorough(StepKind.START, StepKind.VERIFY),
]
"""Each kind of step is in one of the two in a thorough run; "image" and "volume" in the middle of what they ship. Every
run has what differs in kind: something half shipped, the source stopped, something made, the copy running."""


def test_killed_again_and_again_and_resumed_each_time(cli: Cli, ground: Ground) -> None:
    """Each resume is killed some steps further on; the last one ends equal. Then all is undone."""
    before = ground.first_picture()
    words = argv(ground)
    for where in RESUMED:
        kill_at(cli, words, moment(where, cli, ground))
        [record] = journals(state_dir())
        assert record["status"] == "running", where
        words = ["migrate", ground.run, "--resume"]
    [told] = moves_told(cli)
    assert told["level"] == "problem"
    assert f"{ground.run} from docker to podman was cut off" in told["sentence"]
    assert f"tranship migrate {ground.run} --resume" in told["hint"]
    assert "--undo removes what it made" in told["hint"]
    assert_refused(cli, argv(ground), "is not over")
    ended = cli(*words, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["report"]["equal"] is True
    assert_moved(ground, before)
    assert [told["level"] for told in moves_told(cli)] == ["note"]
    undone = cli("migrate", ground.run, "--undo", "--yes", "--json")
    assert undone.code == 0, undone.err
    assert undone.json["left"] == []
    assert ground.of_source() == before
    ground.assert_target_clean()


def assert_moved(ground: Ground, before: dict[str, object]) -> None:
    """The copy has all that the source had, and runs; the source stands still."""
    assert ground.files(ground.target) == before["files"]
    copy, source = ground.inspect(ground.target), ground.inspect(ground.source)
    assert copy["State"]["Status"] == "running"
    assert copy["HostConfig"]["RestartPolicy"] == before["restart"]
    assert list(copy["NetworkSettings"]["Networks"]) == before["networks"]
    assert copy["Image"] == ground.image_id
    assert source["State"]["Status"] == "exited"
    assert source["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert ground.objects(ground.target) == ground.objects(ground.source)


def moment(name: str, cli: Cli, ground: Ground) -> Moment:
    """When to strike: "image" and "volume" in the middle of what they ship, else at a step's begin."""
    match name:
        case "image":
            return journalled(state_dir(), "image", made=False)
        case "volume":
            return half_copied(cli, ground, VOLUME_MB << 18)
        case _:
            return begins(StepKind(name))


@pytest.mark.parametrize("where", UNDONE)
def test_killed_and_undone(cli: Cli, ground: Ground, where: str) -> None:
    before = ground.first_picture()
    kill_at(cli, argv(ground), moment(where, cli, ground))
    undone = cli("migrate", ground.run, "--undo", "--json")
    assert undone.code == 0, undone.err
    assert undone.json["left"] == []
    assert ground.of_source() == before
    ground.assert_target_clean()
    assert [record["status"] for record in journals(state_dir())] == ["undone"]


KILLS = int(os.environ.get("TRANSHIP_KILLS", "6"))
"""At random moments, in a thorough run. TRANSHIP_KILLS: another number, for one run."""


@pytest.mark.thorough
def test_killed_at_any_moment_and_undone(cli: Cli, ground: Ground) -> None:
    """Not at a step's begin but wherever it is: before its journal, between an effect and its note, after its end."""
    before = ground.first_picture()
    began = time.monotonic()
    assert cli(*argv(ground)).code == 0
    whole_s = time.monotonic() - began
    assert cli("migrate", ground.run, "--undo", "--yes").code == 0
    random = Random(seed := uuid.uuid4().hex)
    for number in range(KILLS):
        after_s = random.uniform(0, whole_s)
        where = f"kill {number} of seed {seed}, after {after_s:.2f} of {whole_s:.2f} s"
        known = {record["id"] for record in journals(state_dir())}
        with cli.running(*argv(ground)) as move:
            with suppress(subprocess.TimeoutExpired):
                move.process.wait(timeout=after_s)
            move.process.kill()
            move.process.communicate(timeout=60)
        new = [record for record in journals(state_dir()) if record["id"] not in known]
        assert len(new) <= 1, where
        if new:
            undone = cli("migrate", ground.run, "--undo", "--yes", "--json")
            assert undone.code == 0, (where, undone.err)
            assert undone.json["left"] == [], where
        assert ground.of_source() == before, where
        ground.assert_target_clean()
        assert moves_told(cli) == [], where


@pytest.mark.thorough
def test_killed_in_the_middle_of_the_cold_copy_and_resumed(cli: Cli, ground: Ground) -> None:
    """The source stands still already, and part of the volume is there."""
    before = ground.first_picture()
    kill_at(cli, argv(ground, "--live-copy", "off"), half_copied(cli, ground, VOLUME_MB << 18))
    assert ground.inspect(ground.source)["State"]["Status"] == "exited"
    ended = cli("migrate", ground.run, "--resume", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["report"]["equal"] is True
    assert_moved(ground, before)
    assert cli("migrate", ground.run, "--undo", "--yes").code == 0
    assert ground.of_source() == before
    ground.assert_target_clean()


@pytest.mark.parametrize(("number", "where"), [(signal.SIGTERM, "health"), *thorough((signal.SIGINT, "volume"))])
def test_a_signal_undoes_by_itself(cli: Cli, ground: Ground, number: signal.Signals, where: str) -> None:
    before = ground.first_picture()
    with cli.running(*argv(ground)) as move:
        moment(where, cli, ground)(move)
        assert move.interrupt(number) == 128 + number
    assert ground.of_source() == before
    ground.assert_target_clean()
    assert [record["status"] for record in journals(state_dir())] == ["undone"]


def test_two_at_once_are_one_too_many(cli: Cli, ground: Ground) -> None:
    """The first is frozen in the middle of its copy; nobody else may move, finish or undo it meanwhile."""
    before = ground.first_picture()
    with cli.running(*argv(ground)) as first:
        moment("volume", cli, ground)(first)
        first.process.send_signal(signal.SIGSTOP)
        try:
            for verb in ("--resume", "--undo"):
                assert_refused(cli, ["migrate", ground.run, verb], f"is being moved by process {first.process.pid}")
            assert_refused(cli, argv(ground), f"under way already, by process {first.process.pid}")
        finally:
            first.process.send_signal(signal.SIGCONT)
        assert end(first) == 0
    assert_moved(ground, before)
    assert cli("migrate", ground.run, "--undo", "--yes").code == 0
    assert ground.of_source() == before
    ground.assert_target_clean()


def assert_refused(cli: Cli, words: list[str], why: str) -> None:
    ran = cli(*words)
    assert ran.code == 1, ran
    assert why in ran.err, ran


def end(move: Running) -> int:
    """Let it come to its end; returns the exit code."""
    _, err = move.process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return move.process.returncode
