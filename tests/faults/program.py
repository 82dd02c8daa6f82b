"""The console script, killed at a chosen moment of a move. Holds no test."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backends.model.plan import StepKind
from tests.e2e.cli import Cli, Running
from tests.faults.ground import Ground
from tests.loopback import engines_pid

DEADLINE_S = 60.0
POLL_S = 0.005

TITLES = {
    StepKind.IMAGE: "ship image ",
    StepKind.NETWORK: "create network ",
    StepKind.PRECOPY: "copy volume .* while the source runs",
    StepKind.STOP_SOURCE: "stop ",
    StepKind.VOLUME: "copy (what has changed of )?volume (?!.*while the source runs)",
    StepKind.CREATE: "create (?!network )",
    StepKind.FILES: "copy the files ",
    StepKind.START: "start ",
    StepKind.HEALTH: "wait until ",
    StepKind.VERIFY: "compare ",
}
"""How the line of progress of each step begins, behind its number."""

Moment = Callable[[Running], None]
"""Returns when the run is where it is to be killed; fails where it never comes there."""


def argv(ground: Ground, *more: str) -> list[str]:
    """The command line of a new move: every kind of step is in it."""
    ends = ["--from", ground.source.kind.value, "--to", ground.target.kind.value]
    return ["migrate", ground.run, *ends, "--layer", "changes", "--image-way", "archive", "--yes", *more]


def begins(kind: StepKind) -> Moment:
    """When that step is said to begin."""

    def wait(move: Running) -> None:
        while not re.match(rf"\[\d+/\d+\] {TITLES[kind]}", move.error_line("[")):
            pass

    return wait


def _until(move: Running, come: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not come():
        assert move.process.poll() is None, f"it ended ({move.process.returncode}) before {what}"
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(POLL_S)


def journalled(state_dir: Path, effect: str, *, made: bool) -> Moment:
    """When the journal says that an effect was begun, or (made) that it is there."""

    def come() -> bool:
        return any(
            entry["effect"] == effect and entry["made"] >= made
            for record in journals(state_dir)
            for entry in record["entries"]
        )

    return lambda move: _until(move, come, f"{effect} in the journal")


def half_copied(cli: Cli, ground: Ground, size: int) -> Moment:
    """When the target's volume holds more than that many bytes. Podman's volumes only; its files are looked at."""
    store = Path(f"/proc/{engines_pid(cli.engines.dir)}/root/var/lib/containers/storage/volumes")

    def come() -> bool:
        try:
            return (store / ground.volume / "_data" / "big").stat().st_size > size
        except FileNotFoundError:
            return False

    return lambda move: _until(move, come, "part of the volume on the target")


def journals(state_dir: Path) -> list[dict[str, Any]]:
    """All moves on record."""
    found = sorted(path for path in (state_dir / "migrations").glob("*.json") if "." not in path.stem)
    return [json.loads(path.read_text()) for path in found]


def state_dir() -> Path:
    """Where the program of this test keeps its records: `private_home` has made it the test's own."""
    return Path(os.environ["XDG_STATE_HOME"]) / "tranship"


def kill_at(cli: Cli, words: Sequence[str], moment: Moment) -> None:
    """Run the program up to that moment, and end it by SIGKILL."""
    with cli.running(*words) as move:
        moment(move)
        move.process.kill()
        _, err = move.process.communicate(timeout=DEADLINE_S)
        assert "Traceback" not in err, err
        assert move.process.returncode == -9, err


def moves_told(cli: Cli) -> list[dict[str, Any]]:
    """What `tranship doctor` says of moves."""
    return [one for one in cli("doctor", "--json").json["diagnoses"] if one["topic"] == "moves"]
