"""Every subcommand on the demo fleet: what it writes where, its JSON, its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.cli.demo import demo, document
from tui.cli.root import COMMANDS, open_screen, tranship
from tui.cli.session import Invocation
from tui.here import here

CONTAINER_KEYS = {
    "engine", "id", "name", "image", "image_id", "state", "health", "exit_code", "created_at", "started_at",
    "finished_at", "command", "ports", "mounts", "labels", "networks", "gpus", "restarts", "why", "pod", "project",
}  # fmt: skip
RUNNING, STOPPED, PAUSED = "rag-redis", "scratch", "tokenize-shards"


def test_ps() -> None:
    rows = document("ps")["containers"]
    assert {row["engine"] for row in rows} == {"demo-docker", "demo-podman"}
    assert all(set(row) == CONTAINER_KEYS for row in rows)
    assert STOPPED in {row["name"] for row in rows}
    running = document("ps", "--running", "--engine", "demo-podman")["containers"]
    assert RUNNING in {row["name"] for row in running}
    assert STOPPED not in {row["name"] for row in running}
    assert {row["engine"] for row in running} == {"demo-podman"}
    lines = demo("ps").stdout.splitlines()
    assert lines[0].split() == ["ENGINE", "NAME", "IMAGE", "STATE", "PORTS", "AGE"]
    assert len(lines) == 1 + len(rows)


def test_ps_with_stats() -> None:
    rows = document("ps", "--stats")["containers"]
    stats = next(row["stats"] for row in rows if row["name"] == RUNNING)
    assert set(stats) >= {"cpu_percent", "memory_bytes", "memory_limit_bytes", "missing"}
    assert stats["memory_bytes"] > 0


def test_engines() -> None:
    engines = document("engines")["engines"]
    assert [engine["name"] for engine in engines] == ["demo-docker", "demo-podman"]
    assert all(engine["link"] == "connected" and engine["info"]["version"] for engine in engines)
    assert "demo-podman" in demo("engines").stdout


def test_layers() -> None:
    answer = document("layers", "redis:7", "--engine", "demo-podman")
    assert answer["engine"] == "demo-podman"
    assert all(
        set(layer) == {"diff_id", "size_bytes", "created_at", "command", "comment"} for layer in answer["layers"]
    )
    assert demo("layers", "redis:7").exit_code == 0
    missing = demo("layers", "no/such:1")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "no engine has the image" in missing.stderr


@pytest.mark.parametrize(
    ("verb", "name", "state"),
    [
        ("start", STOPPED, "running"),
        ("stop", RUNNING, "exited"),
        ("restart", RUNNING, "running"),
        ("pause", RUNNING, "paused"),
        ("unpause", PAUSED, "running"),
        ("kill", RUNNING, "exited"),
    ],
)
def test_lifecycle(verb: str, name: str, state: str) -> None:
    (result,) = document(verb, name)["results"]
    assert set(result) == {"action", "engine", "id", "name", "done", "error", "container"}
    assert (result["action"], result["name"], result["done"], result["error"]) == (verb, name, True, None)
    assert result["container"]["state"] == state
    words = demo(verb, name)
    assert words.exit_code == 0
    assert words.stdout.startswith(f"{name} on demo-")
    assert words.stderr == ""


def test_several_containers_at_once_and_one_that_fails() -> None:
    results = document("pause", RUNNING, "vllm-qwen2.5-7b", STOPPED, code=1)["results"]
    assert [result["done"] for result in results] == [True, True, False]
    assert results[2]["error"]["kind"] == "Conflict"


def test_nothing_is_done_where_one_name_is_wrong() -> None:
    result = demo("stop", RUNNING, "no-such")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "tranship: no container “no-such” on demo-docker, demo-podman. Next: `tranship ps` lists all\n"
    )
    assert document("stop", "no-such", code=1)["error"]["kind"] == "NotFound"
    assert "did you mean “jupyter-lab”?" in demo("stop", "jupiter-lab").stderr


def test_rename() -> None:
    (result,) = document("rename", RUNNING, "cache")["results"]
    assert (result["name"], result["container"]["name"]) == (RUNNING, "cache")
    taken = demo("rename", RUNNING, "vllm-qwen2.5-7b")
    assert taken.exit_code == 1
    assert taken.stderr.startswith("tranship: demo-podman: ")


def test_rm_needs_a_yes_and_force_for_a_running_one() -> None:
    refused = demo("rm", STOPPED)
    assert refused.exit_code == 2
    assert "say --yes" in refused.stderr
    (result,) = document("rm", STOPPED, "--yes")["results"]
    assert (result["done"], result["container"]) == (True, None)
    assert demo("rm", RUNNING, "--yes").exit_code == 1
    assert demo("rm", RUNNING, "--yes", "--force").exit_code == 0


def test_logs() -> None:
    result = demo("logs", RUNNING, "--tail", "3", "--timestamps")
    assert result.exit_code == 0
    assert len((result.stdout + result.stderr).splitlines()) == 3
    lines = [json.loads(line) for line in demo("logs", RUNNING, "--tail", "2", "--json").stdout.splitlines()]
    assert [set(line) for line in lines] == [{"schema", "engine", "container", "stream", "at", "text"}] * 2


def test_logs_of_several_are_merged_named_and_filtered() -> None:
    both = demo("logs", "train-llama3-8b", "mlops-minio-1", "--tail", "3")
    assert {line.split(" | ")[0].strip() for line in (both.stdout + both.stderr).splitlines()} == {
        "train-llama3-8b",
        "mlops-minio-1",
    }
    found = demo("logs", "train-llama3-8b", "--grep", "checkpoint")
    assert found.stdout
    assert all("checkpoint" in line for line in found.stdout.splitlines())
    grave = demo("logs", "train-llama3-8b", "--level", "warning")
    assert "warning: gradient" in grave.stderr
    assert "step" not in grave.stdout
    assert demo("logs", "train-llama3-8b", "--grep", "(").exit_code == 2
    assert "no moment" in demo("logs", "train-llama3-8b", "--since", "soon").stderr
    assert demo("logs", "train-llama3-8b", "--until", "2001-01-01").stdout == ""


def test_links_hide_their_tokens_unless_asked() -> None:
    hidden = document("links", "jupyter-lab")
    assert hidden["links"][0]["title"] == "Jupyter"
    assert hidden["links"][0]["has_token"]
    assert "dem0dem0" not in json.dumps(hidden)
    stopped = demo("links", STOPPED)
    assert stopped.stderr == "tranship: it does not run\n", "and nothing of ports that it does publish while it runs"
    assert "dem0dem0" in json.dumps(document("links", "jupyter-lab", "--tokens"))
    assert demo("links", "jupyter-lab", "--plain").stdout == "http://localhost:8888/?token=••••\n"


def test_doctor() -> None:
    answer = document("doctor")
    assert {"engine demo-docker", "engine demo-podman", "GPUs", "cgroups", "rootless"} <= {
        diagnosis["topic"] for diagnosis in answer["diagnoses"]
    }
    assert answer["files"]["audit"].endswith("audit.jsonl")
    assert "✓ engine demo-docker" in demo("doctor").stdout


def test_readonly_refuses_before_and_after_the_command() -> None:
    for argv in (["--readonly", "stop", RUNNING], ["stop", RUNNING, "--readonly"]):
        result = demo(*argv)
        assert result.exit_code == 1
        assert "read-only" in result.stderr
    assert demo("--readonly", "ps").exit_code == 0


def test_demo_may_stand_after_the_command() -> None:
    result = CliRunner().invoke(tranship, ["ps", "--demo", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["containers"]


def test_an_unknown_engine_is_bad_usage_with_the_nearest_name() -> None:
    result = demo("ps", "--engine", "demo-dokcer")
    assert result.exit_code == 2
    assert "did you mean “demo-docker”?" in result.stderr


def test_a_bad_config_is_two_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("readnly = true")
    for argv in (["ps"], []):
        result = CliRunner().invoke(tranship, ["--demo", "--config", str(config), *argv])
        assert result.exit_code == 2
        assert "did you mean “readonly”?" in result.stderr
        assert len(result.stderr.splitlines()) == 1
    config.write_text("readonly = true")
    refused = CliRunner().invoke(tranship, ["--demo", "--config", str(config), "stop", RUNNING])
    assert refused.exit_code == 1
    assert "read-only" in refused.stderr


def test_keys_of_no_action_keep_the_screen_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[keys]\n"container.stopp" = "s"')
    with pytest.raises(SystemExit) as ended:
        open_screen(Invocation(config=config, demo=True))
    assert ended.value.code == 2
    assert "did you mean “container.stop”?" in capsys.readouterr().err


def test_without_a_terminal_one_plain_snapshot() -> None:
    result = demo()
    assert result.exit_code == 0
    for part in ("demo-docker", "demo-podman", RUNNING, "A100"):
        assert part in result.stdout
    assert "\x1b" not in result.stdout
    answer = document()
    assert set(answer) == {"schema", "demo", "demo_reason", "engines", "containers", "gpu"}
    assert (answer["demo"], answer["demo_reason"]) == (True, None)


def test_version_and_help() -> None:
    assert demo("--version").stdout.startswith("tranship ")
    text = demo("--help").stdout
    assert all(name in text for name in COMMANDS)
    for name in COMMANDS:
        help_text = demo(name, "--help")
        assert help_text.exit_code == 0
        assert "--json" in help_text.stdout
    assert demo("no-such-command").exit_code == 2


def test_a_current_folder_that_was_deleted_is_told_and_only_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert demo("ps").exit_code == 0
    for words in (
        ["cp", "jupyter-lab:/evals", "here"],
        ["image", "save", "redis:7", "x.tar"],
        ["build", "-t", "x:1", "--engine", "demo-docker"],
    ):
        told = demo(*words)
        assert told.exit_code in {1, 2}, told.output
        assert "current folder is no more" in told.stderr.lower()
    assert here() == Path.home()
