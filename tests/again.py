"""Once more, alone, what failed on a real engine: `python -m tests.again` after a run of all tests. For `.ci/run` only.

Three daemons, six workers and two cores: of a thousand tests against real daemons one may fail of the crowd (a
daemon that is slow, a name that another took). What fails again when nothing else runs is wrong. The first failure is
in the output above, and named here: it is mended, not forgotten. Never excused: a test without an engine, an example
that hypothesis found (another run may not find it again), more than eight.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FEW = 8
_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_EXCUSABLE = "(engines or e2e) and not hypothesis"
_NONE_COLLECTED = 5
"""pytest's exit code where no test was left to run."""


def failed(cache: Path = _LAST_FAILED) -> list[str]:
    """The ids of the tests that failed in the last run; none where there was no run."""
    return sorted(json.loads(cache.read_text())) if cache.exists() else []


def pytest(*argv: str) -> int:
    """Run pytest here; returns its exit code."""
    return subprocess.run([sys.executable, "-m", "pytest", *argv], check=False).returncode


def say(sentence: str) -> None:
    """A line on stderr, where it stands between the two runs."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def main() -> int:
    """The exit code of the second run, or 1 where there may be none."""
    ids = failed()
    say(f"failed once: {', '.join(ids) or 'nothing that pytest names'}")
    if not 0 < len(ids) <= FEW:
        say(f"not tried again: only up to {FEW} failures may be the crowd's")
        return 1
    if pytest("-q", "--collect-only", "-m", f"not ({_EXCUSABLE})", *ids) != _NONE_COLLECTED:
        say("not tried again: these need no engine, or hypothesis found an example, or they cannot even be collected")
        return 1
    return pytest(*ids)


if __name__ == "__main__":
    sys.exit(main())
