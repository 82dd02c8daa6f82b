"""`tranship migrate` on the demo fleet: plan, refusal, move, exit codes."""

from __future__ import annotations

import json

import pytest
from click.testing import Result

from tests.hurry import hurry
from tests.unit.cli.demo import demo

THERE = ("--from", "demo-podman", "--to", "demo-docker")
NAME = "rag-redis"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `hurry`."""
    hurry(monkeypatch)


def migrate(*argv: str) -> Result:
    """Run `tranship --demo migrate …`."""
    return demo("migrate", *argv)


def test_a_plan_is_the_answer_and_moves_nothing() -> None:
    result = migrate(NAME, *THERE, "--plan")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Move {NAME} from demo-podman to demo-docker")
    assert result.stderr == ""
    answer = json.loads(migrate(NAME, *THERE, "--plan", "--json").stdout)
    assert set(answer) == {"schema", "plan", "report", "error"}
    assert answer["plan"]["blocked"] is False
    assert answer["report"] is None


def test_what_only_one_engine_can_be_need_not_be_said() -> None:
    result = migrate(NAME, "--plan")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Move {NAME} from demo-podman to demo-docker")
    assert "is on demo-podman already" in migrate(NAME, "--to", "demo-podman", "--plan").stderr
    assert "--from" in migrate(NAME, "--project", "--to", "demo-docker", "--plan").stderr
    assert "only who is asked first" in migrate(NAME, "--yes").stderr


def test_a_move_is_planned_on_stderr_and_reported_on_stdout() -> None:
    result = migrate(NAME, *THERE, "--yes")
    assert result.exit_code == 0, result.stderr
    assert f"Move {NAME} from demo-podman to demo-docker" in result.stderr
    assert "[1/" in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout.startswith(f"{NAME} runs on demo-docker as {NAME}")
    answer = json.loads(migrate(NAME, *THERE, "--yes", "--json", "--name", "cache").stdout)
    assert answer["plan"]["target"] == {"engine": "demo-docker", "name": "cache"}
    assert answer["report"]["equal"] is True
    assert answer["report"]["checks"]
    assert answer["error"] is None


def test_a_blocked_plan_is_four_and_shown() -> None:
    result = migrate(NAME, *THERE, "--yes", "--name", "train-llama3-8b")
    assert result.exit_code == 4
    assert "✕ blocks" in result.stdout
    answer = json.loads(migrate(NAME, *THERE, "--json", "--yes", "--name", "train-llama3-8b").stdout)
    assert answer["plan"]["blocked"] is True


def test_bad_usage_is_two() -> None:
    assert "say --yes" in migrate(NAME, *THERE).stderr
    for argv in (
        [NAME, *THERE],
        [NAME, "--from", "demo-podman", "--to", "demo-podman", "--yes"],
        [NAME, "--from", "demo-podman", "--yes"],
        [NAME, "--from", "demo-podmn", "--to", "demo-docker", "--yes"],
    ):
        assert migrate(*argv).exit_code == 2, argv


def test_what_is_not_there_is_one() -> None:
    result = migrate("no-such", *THERE, "--yes")
    assert result.exit_code == 1
    assert "no container “no-such”" in result.stderr


def test_readonly_plans_and_does_not_move() -> None:
    assert migrate(NAME, *THERE, "--plan", "--readonly").exit_code == 0
    refused = migrate(NAME, *THERE, "--yes", "--readonly")
    assert refused.exit_code == 1
    assert "read-only" in refused.stderr


def test_a_project_moves_together_and_the_demo_says_so() -> None:
    containers = json.loads(demo("ps", "--all", "--json").stdout)["containers"]
    projects = {
        one["project"]: one["engine"] for one in containers if one["project"] and one["engine"] != "demo-docker"
    }
    name, engine = next(iter(sorted(projects.items())))
    there = ("--from", engine, "--to", "demo-docker", "--project")
    plans = json.loads(migrate(name, *there, "--plan", "--json").stdout)["plans"]
    members = {one["name"] for one in containers if (one["project"], one["engine"]) == (name, engine)}
    assert {plan["source"]["name"] for plan in plans} == members
    blocked = [plan for plan in plans if plan["blocked"]]
    done = migrate(name, *there, "--yes", "--json")
    assert done.exit_code == (4 if blocked else 0), done.stderr
    if not blocked:
        assert all(report["equal"] for report in json.loads(done.stdout)["reports"])


def test_what_does_not_go_with_a_project_is_bad_usage() -> None:
    assert migrate("x", *THERE, "--project", "--yes", "--name", "y").exit_code == 2
    assert migrate("no-such", *THERE, "--project", "--yes").exit_code == 1
    for verb in ("--resume", "--undo", "--confirm", "--verify"):
        result = migrate("no-such", "--project", verb)
        assert result.exit_code == 1, verb
        assert "no-such" in result.stderr
