"""How the program ends: bugs, Ctrl+C, a reader that goes away, no engine at all. Run as a shell would run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminals import on_terminal

TIMEOUT_S = 60

MAIN = "from tui.__main__ import main\nmain()\n"
BUG = "def bug(*_, **__): raise ZeroDivisionError('a \\x1b[31mbug')\n"
BUG_IN_COMMAND = f"import tui.cli.ps\n{BUG}tui.cli.ps.show = bug\n{MAIN}"
BUG_IN_TASK = f"import backends.services.supervisor as one\n{BUG}one.Supervisor._session = bug\n{MAIN}"
BUG_IN_THREAD = (
    f"import threading, tui.cli.ps\n{BUG}"
    "def show(*_):\n    thread = threading.Thread(target=bug, name='helper'); thread.start(); thread.join()\n"
    f"tui.cli.ps.show = show\n{MAIN}"
)
INTERRUPTED = f"import tui.cli.root\ndef stop(*_): raise KeyboardInterrupt\ntui.cli.root.Root.invoke = stop\n{MAIN}"
NO_ENGINE = (
    "import backends.engines.discover as one\nfrom backends.model.ids import EngineId, EngineKind\n"
    "docker = one.Found(EngineId(EngineKind.DOCKER, 'docker'), EngineKind.DOCKER, None, 'not here')\n"
    "async def none(_): return [docker]\n"
    f"one.discover = none\n{MAIN}"
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program keeps its logs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tranship"


def python(code: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run code with these arguments, without a terminal."""
    return subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=TIMEOUT_S)


def test_a_bug_in_a_command_is_one_line_and_a_crash_log(state: Path) -> None:
    done = python(BUG_IN_COMMAND, "--demo", "ps")
    (log,) = state.glob("crash-*.log")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"tranship: this is a bug in Tranship: ZeroDivisionError: a bug. The crash log is {log}\n"
    assert "in bug" in log.read_text()


def test_a_bug_in_a_task_is_a_lost_engine_and_a_line_in_the_log(state: Path) -> None:
    done = python(BUG_IN_TASK, "--demo", "ps", "--engine", "demo-docker")
    assert done.returncode == 3
    log = state / "tranship.log"
    assert f"tranship: supervisor of demo-docker ended: ZeroDivisionError; see {log}\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" in log.read_text()


def test_a_bug_in_a_thread_is_a_line_in_the_log(state: Path) -> None:
    done = python(BUG_IN_THREAD, "--demo", "ps")
    log = state / "tranship.log"
    assert (done.returncode, done.stderr) == (0, f"tranship: helper ended by a bug: ZeroDivisionError; see {log}\n")
    assert "in bug" in log.read_text()


def test_a_log_that_cannot_be_written_stops_nothing(state: Path) -> None:
    state.write_text("a file where the folder should be")
    done = python(BUG_IN_COMMAND, "--demo", "ps")
    assert done.returncode == 1
    assert f"(no log: {state}: " in done.stderr
    assert "Traceback" not in python(BUG_IN_THREAD, "--demo", "ps").stderr


def test_ctrl_c_before_anything_runs_is_130_without_a_word() -> None:
    done = python(INTERRUPTED, "ps")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_ctrl_c_while_it_runs_is_130() -> None:
    argv = [sys.executable, "-m", "tui", "--demo", "logs", "--follow", "rag-redis"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, words) == (130, "tranship: stopped by SIGINT\n")


def test_a_reader_that_goes_away_is_silent() -> None:
    """The container that is read writes nothing to its own stderr, which would come out there too."""
    argv = [sys.executable, "-m", "tui", "--demo", "logs", "--follow", "vllm-qwen2.5-7b"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=TIMEOUT_S) == 1


LEFT = "\x1b[?1049l"
"""A terminal's word for "back from the alternate screen" (xterm, Control Sequences: DECRST 1049)."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_the_screen_and_gives_the_terminal_back(number: signal.Signals) -> None:
    code, seen = on_terminal(
        [sys.executable, "-m", "tui", "--demo"],
        env={**os.environ, "TERM": "xterm"},
        when="rag-redis",
        act=lambda _, program: program.send_signal(number),
    )
    assert code == 128 + number
    assert seen.rindex(LEFT) > seen.rindex("rag-redis")


def test_a_terminal_that_hangs_up_ends_the_screen() -> None:
    argv, env = [sys.executable, "-m", "tui", "--demo"], {**os.environ, "TERM": "xterm"}
    code, _ = on_terminal(argv, env=env, when="rag-redis", act=lambda terminal, _: os.close(terminal))
    assert code == 128 + signal.SIGHUP


def test_bad_usage_is_2_with_a_hint() -> None:
    for argv in (["--no-such"], ["no-such"], ["ps", "--no-such"], ["rename", "one"]):
        done = python(MAIN, *argv)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--help" in done.stderr


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    code = (
        "import logging\nfrom pathlib import Path\nfrom tui.log import keep_log\n"
        "keep_log(Path('/dev/null/state'))\nlogging.getLogger('tui.one').warning('one')\nprint('on')\n"
    )
    done = python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "on\n", "tranship: one\n")


def test_without_an_engine_the_snapshot_is_labelled_once() -> None:
    done = python(NO_ENGINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("DEMO: no engine found (docker: not here)\n")
    assert done.stdout.count("not here") == 2, "once as the label, once in the table of engines"


def test_a_person_who_does_not_see_stdout_is_told_on_the_terminal() -> None:
    code, seen = on_terminal([sys.executable, "-c", NO_ENGINE], stdout=subprocess.DEVNULL)
    assert code == 0
    assert seen.strip() == "tranship: this is the demo fleet: no engine found (docker: not here)"


def test_settings_that_cannot_be_used_keep_the_screen_closed(tmp_path: Path) -> None:
    (tmp_path / "tranship").mkdir()
    (tmp_path / "tranship" / "config.toml").write_text('[keys]\n"container.stopp" = "s"')
    code, seen = on_terminal(
        [sys.executable, "-m", "tui"], env={**os.environ, "TERM": "xterm", "XDG_CONFIG_HOME": str(tmp_path)}
    )
    assert code == 2
    assert "did you mean “container.stop”?" in seen
    assert "\x1b[?1049h" not in seen, "no screen was begun"


def test_a_dumb_terminal_gets_one_plain_snapshot() -> None:
    code, seen = on_terminal([sys.executable, "-c", NO_ENGINE], env={**os.environ, "TERM": "dumb"})
    assert code == 0
    assert seen.startswith("DEMO: no engine found")
    assert seen.count("no engine found") == 1
    assert "\x1b" not in seen


def test_shells_are_given_their_completion() -> None:
    for shell in ("bash", "zsh", "fish"):
        script = subprocess.run(
            [sys.executable, "-c", MAIN],
            env={**os.environ, "_TRANSHIP_COMPLETE": f"{shell}_source"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        # click asks bash for its version and says where it is too old for completion; that is no failure of ours.
        assert "tranship" in script.stdout
    words = {"COMP_WORDS": "tranship mig", "COMP_CWORD": "1", "_TRANSHIP_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", MAIN], env={**os.environ, **words}, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.stdout.split() == ["plain,migrate"]


def test_what_is_no_text_agrees_to_nothing() -> None:
    code, seen = on_terminal(
        [sys.executable, "-c", MAIN, "--demo", "rm", "jupyter-lab"],
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8:strict"},
        when="[y/N]",
        act=lambda terminal, _: os.write(terminal, b"y\xff\n"),
    )
    assert code == 1
    assert "nothing was removed" in seen
    assert "Traceback" not in seen
