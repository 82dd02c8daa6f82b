"""Facts, help and migration texts, tested without a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import Container, ContainerState, Mount, MountKind, Port, StatsReading
from backends.model.errors import Protocol
from backends.model.events import Phase
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import (
    Check,
    Choices,
    MigrationFailed,
    MigrationReport,
    Plan,
    Step,
    StepKind,
    StepProgress,
    Undone,
)
from backends.model.secrets import masked_json
from backends.model.values import Missing
from backends.model.workload import WorkloadSpec
from tui.actions import ACTIONS
from tui.screens.facts import fact_lines, facts_of
from tui.screens.help import help_lines
from tui.screens.move_choices import TURNS, read_ports, wrong_ports
from tui.screens.move_lines import (
    bug_lines,
    cancelled_lines,
    done_lines,
    failed_lines,
    run_lines,
    settled_lines,
    update_of,
    waiting_lines,
)
from widgets.json_fold import JsonFold
from widgets.line import plain
from widgets.text import inert, width_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEY = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
STEPS = (Step(StepKind.STOP_SOURCE, "stop web on docker"), Step(StepKind.VOLUME, "copy volume data", "data"))
PLAN = Plan(KEY, "web", True, EngineId(EngineKind.PODMAN, "podman"), WorkloadSpec("web", "web:1"), (), (), (), STEPS)


def container(**more: object) -> Container:
    """A container that runs for an hour."""
    started = NOW - timedelta(hours=1)
    base: dict[str, object] = {"started_at": started, **more}
    return Container(KEY, "web", "web:1", "b" * 64, ContainerState.RUNNING, started, **base)  # type: ignore[arg-type]


def facts(one: Container, stats: StatsReading | None = None) -> dict[str, str]:
    """The facts by label."""
    view = FleetView(containers={KEY: one}, stats={KEY: stats} if stats else {})
    return dict(facts_of(view, KEY, NOW))


def test_facts_of_one_that_is_gone() -> None:
    assert facts_of(FleetView(), KEY, NOW) == []


def test_facts_say_what_is_known() -> None:
    one = container(ports=(Port(80, host_port=8080),), mounts=(Mount(MountKind.VOLUME, "data", "/data"),))
    known = facts(one, StatsReading(KEY, 0.0, 12.0, 2048, 4096, 0.0, 0.0, 0.0, 0.0, 3))
    assert known["State"] == "running for 1h, created 1h ago"
    assert known["Ports"] == "8080→80"
    assert "data → /data" in known["Mounts"]
    assert known["Memory"] == "2.0 KiB of 4.0 KiB"


def test_a_missing_reading_says_why_and_is_no_zero() -> None:
    why = Missing("no cgroup")
    known = facts(container(), StatsReading(KEY, 0.0, why, why))
    assert "no cgroup" in known["Usage"]
    assert "CPU" not in known


@given(st.text(max_size=60), st.integers(20, 120))
def test_hostile_names_stay_inert_and_in_width(text: str, width: int) -> None:
    one = container(command=(text,), networks=(text,), labels={"com.docker.compose.project": text})
    for spans in fact_lines(list(facts(one).items()), width):
        said = plain(spans)
        assert inert(said) == said
        assert width_of(said) <= width + 1


@given(st.recursive(st.text(max_size=20) | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_json_is_shown_as_data(value: object) -> None:
    assert all(
        inert(plain(row.shown)) == plain(row.shown)
        for opened in (False, True)
        for row in _folded({"value": value}, opened).rows()
    )


def _folded(value: object, opened: bool) -> JsonFold:
    fold = JsonFold(value, masked_json)
    fold.set_all(opened)
    return fold


def test_json_folds_is_searched_and_hides_secrets() -> None:
    value = {"Id": "1", "Config": {"Env": ["HF_TOKEN=abc", "PATH=/bin"], "Labels": {"db_password": "x"}}}
    fold = JsonFold(value, masked_json)
    assert [plain(row.shown).strip() for row in fold.rows()] == ["Id: 1", "▸ Config: 2 keys"]
    assert fold.find("path") == [("Config", "Env", 1)]
    assert [plain(row.shown).strip() for row in fold.rows()][-3:] == [
        "[0]: HF_TOKEN=••••",
        "[1]: PATH=/bin",
        "▸ Labels: 1 key",
    ]
    assert fold.find("abc") == []  # what is hidden is not found either
    fold.set_mask(lambda _name, text: text)
    assert fold.find("abc") == [("Config", "Env", 0)]


@pytest.mark.parametrize("width", [60, 110, 200])
def test_help_has_each_action_once(width: int) -> None:
    text = "\n".join(map(plain, help_lines(width, read_only=False)))
    for action in ACTIONS:
        assert text.count(action.title) >= 1


def progress(index: int, phase: Phase, **more: object) -> StepProgress:
    """Where a run is."""
    return StepProgress(index, len(STEPS), STEPS[index], phase, **more)  # type: ignore[arg-type]


def test_a_run_shows_bytes_speed_and_time_left() -> None:
    at = progress(1, Phase.PROGRESS, done_bytes=512, total_bytes=1024, bytes_per_s=128.0, eta_s=4.0)
    text = "\n".join(map(plain, run_lines(PLAN, at, (), 100)))
    assert "512 B of 1.0 KiB" in text
    assert "128 B/s" in text
    assert "0:04 left" in text


def test_a_step_that_is_done_makes_way_for_the_next() -> None:
    assert update_of(PLAN, progress(0, Phase.DONE)).step_index == 1
    assert update_of(PLAN, progress(1, Phase.DONE)).phase is Phase.DONE


def test_before_the_first_word_of_a_run_something_stands_there() -> None:
    assert any(plain(one).strip() for one in run_lines(PLAN, None, (), 80))


@pytest.mark.parametrize(
    ("undone", "wanted"),
    [
        (Undone(("removed the copy",)), "web on docker is as it was before."),
        (Undone(("removed the copy",), ("volume data: in use",)), "volume data: in use"),
        (Undone(), "Nothing had been made yet."),
    ],
)
def test_a_failure_says_what_was_undone_and_what_is_left(undone: Undone, wanted: str) -> None:
    error = MigrationFailed("it broke", step=STEPS[1], undone=undone, hint="try again")
    text = "\n".join(map(plain, failed_lines(PLAN, progress(1, Phase.PROGRESS), error, 100)))
    assert "it broke" in text
    assert "try again" in text
    assert wanted in text
    assert ("as it was before" in text) is not bool(undone.left)


def test_a_refusal_before_the_run_has_nothing_to_undo() -> None:
    text = "\n".join(map(plain, failed_lines(PLAN, None, Protocol("out of date"), 80)))
    assert "out of date" in text
    assert "UNDONE" not in text


def test_called_off() -> None:
    text = "\n".join(map(plain, cancelled_lines(PLAN, ("removed web",), "", 80)))
    assert "Cancelled" in text
    assert "✓ removed web" in text
    assert "web on docker is as it was before" in text


def test_called_off_and_something_is_left() -> None:
    text = "\n".join(map(plain, cancelled_lines(PLAN, ("volume data: in use",), "the move was not taken back", 80)))
    assert "LEFT BEHIND" in text
    assert "the move was not taken back" in text
    assert "as it was before" not in text


def test_a_step_that_is_undone_runs_no_more() -> None:
    at = progress(1, Phase.PROGRESS, done_bytes=512, total_bytes=1024, bytes_per_s=128.0)
    text = "\n".join(map(plain, run_lines(PLAN, at, ("started web",), 100, undoing=True)))
    assert "✕ 2 copy volume data" in text
    assert "started web" in text
    assert "B/s" not in text


def report(*checks: Check, notes: tuple[str, ...] = (), name: str = "web") -> MigrationReport:
    """A move that is done."""
    plan = replace(PLAN, source_name=name, spec=replace(PLAN.spec, name=name))
    return MigrationReport(plan, "c" * 64, checks, 2048, 3.0, 1.5, notes, "20261123-000000-abcd", healthy_s=2.5)


def test_what_comes_next_stands_above_the_comparisons() -> None:
    done = report(Check("name", True, "web", "web"), notes=("web is still on docker, stopped",))
    text = "\n".join(map(plain, done_lines(done, waiting_lines(done.plan, 80), 80)))
    places = [text.index(part) for part in ("equals its source", "c accepts", "still on docker", "CHECKS")]
    assert places == sorted(places)
    assert "tranship migrate web --confirm" in text
    assert "healthy after 2.5 s" in text


def test_a_comparison_that_was_not_made_says_why_and_is_not_counted() -> None:
    done = report(
        Check("name", True, "web", "web"), Check("GPU nodes inside", True, "all", "-", skipped="the copy does not run")
    )
    text = "\n".join(map(plain, done_lines(done, (), 80)))
    assert "in all 1 checks" in text
    assert "not compared: the copy does not run" in text


@pytest.mark.parametrize("width", [76, 118])
def test_long_names_are_told_by_their_two_ends(width: int) -> None:
    name = "llama-" + "finetune-" * 12 + "seed-1337"
    first = done_lines(report(name=name), (), width)[0]
    assert width_of(plain(first)) <= width
    assert "llama-" in plain(first)
    assert "seed-1337  docker → podman" in plain(first)


def test_settled_and_partly_settled() -> None:
    whole = "\n".join(map(plain, settled_lines("The move is undone.", ("removed web from podman",), "", 80)))
    assert "✓ The move is undone." in whole
    assert "✓ removed web from podman" in whole
    partly = "\n".join(map(plain, settled_lines("The move is not wholly undone.", (), "volume data: in use", 80)))
    assert "▲ The move is not wholly undone." in partly
    assert "✕ volume data: in use" in partly
    assert "u tries again" in partly


def test_a_bug_says_what_to_look_at() -> None:
    text = "\n".join(map(plain, bug_lines(PLAN, "ZeroDivisionError", ("removed web",), 80)))
    assert "ZeroDivisionError" in text
    assert "removed web" in text
    assert "Look at web on docker" in text


@pytest.mark.parametrize(
    ("typed", "ports"),
    [("8080:8081, 80:81", {8080: 8081, 80: 81}), ("8080:8081 80:81", {8080: 8081, 80: 81}), (" 1:65535 ", {1: 65535})],
)
def test_ports_are_read_as_people_write_them(typed: str, ports: dict[int, int]) -> None:
    assert read_ports(typed) == ports
    assert wrong_ports(typed) == ""


@pytest.mark.parametrize(
    "typed", ["", " ", "80", "80:", ":80", "0:80", "80:65536", "a:b", "80:81:82", "٨٠:81", "80:1, 80:2"]
)
def test_what_is_no_port_is_said(typed: str) -> None:
    assert wrong_ports(typed)


@given(st.text(max_size=30))
def test_ports_are_ports_whatever_is_typed(typed: str) -> None:
    if not wrong_ports(typed):
        assert all(0 < port < 65536 for pair in read_ports(typed).items() for port in pair)


@pytest.mark.parametrize("action", TURNS)
def test_a_choice_that_is_turned_often_enough_is_as_at_first(action: str) -> None:
    now, seen = Choices(), []
    for _ in range(8):
        now = TURNS[action](now)
        seen.append(now)
        if now == Choices():
            break
    assert now == Choices()
    assert len(seen) > 1
    assert len(set(map(repr, seen))) == len(seen)
