"""What is told: what happened by itself, once; and nothing of what the person did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.model.container import Container, ContainerState, Health
from backends.model.fleet import FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey
from backends.model.labels import HELPER_LABEL, TRIAL_LABEL
from backends.services.notices import NoticeKind, NoticeWatch
from tests.unit.services.fleet_facts import ONE
from tui.config import NOTICES, ConfigError, NotifySetting, parse
from tui.notifying import desktop_notification

KEY = ContainerKey(ONE, "a" * 64)
RUNS = Container(KEY, "train", "app:1", "b" * 64, ContainerState.RUNNING, datetime(2026, 1, 1, tzinfo=UTC))
ENDED = replace(RUNS, state=ContainerState.EXITED, exit_code=0)


def view(container: Container, use: GpuUse | None = None) -> FleetView:
    """A fleet of one."""
    return FleetView(containers={KEY: container}, gpu_use={KEY: use} if use is not None else {})


NEWS = {
    NoticeKind.FINISHED: ENDED,
    NoticeKind.FAILED: replace(ENDED, exit_code=3),
    NoticeKind.OUT_OF_MEMORY: replace(ENDED, exit_code=137, oom_killed=True),
    NoticeKind.UNHEALTHY: replace(RUNS, health=Health.UNHEALTHY),
}


@pytest.mark.parametrize("kind", NEWS)
@pytest.mark.parametrize("label", [TRIAL_LABEL, HELPER_LABEL])
def test_runs_of_a_sweep_copies_of_a_trial_and_helpers_are_no_news(kind: NoticeKind, label: str) -> None:
    watch, labels = NoticeWatch(600.0), {label: "4711"}
    watch.take(view(replace(RUNS, labels=labels)), 0.0)
    assert watch.take(view(replace(NEWS[kind], labels=labels)), 1.0) == []


@pytest.mark.parametrize("kind", NEWS)
def test_what_happens_by_itself_is_told_once(kind: NoticeKind) -> None:
    watch = NoticeWatch(600.0)
    assert watch.take(view(RUNS), 0.0) == []
    (notice,) = watch.take(view(NEWS[kind]), 1.0)
    assert (notice.kind, notice.container) == (kind, KEY)
    assert notice.text.startswith(f"train on {ONE}")
    assert watch.take(view(NEWS[kind]), 2.0) == []
    assert watch.take(view(RUNS), 3.0) == []
    assert watch.take(view(NEWS[kind]), 4.0) == []  # again and again is one piece of news
    watch.take(view(RUNS), 400.0)
    assert len(watch.take(view(NEWS[kind]), 401.0)) == 1


def test_what_the_person_did_and_what_was_so_already_is_not_told() -> None:
    watch = NoticeWatch(600.0)
    assert watch.take(view(ENDED), 0.0) == []
    watch.take(view(RUNS), 1.0)
    watch.own(KEY, 2.0)
    assert watch.take(view(replace(ENDED, exit_code=137)), 3.0) == []


def test_a_restart_loop_is_told_as_a_failure() -> None:
    watch = NoticeWatch(600.0)
    watch.take(view(RUNS), 0.0)
    (notice,) = watch.take(view(replace(RUNS, state=ContainerState.RESTARTING, exit_code=1)), 1.0)
    assert notice.kind is NoticeKind.FAILED
    assert "started again" in notice.text


def test_an_idle_gpu_is_told_when_it_was_so_long_enough() -> None:
    watch = NoticeWatch(600.0)
    use = GpuUse(device_indexes=(0,), memory_bytes=1 << 30, sm_percent=0.0, idle_since=100.0)
    assert watch.take(view(RUNS, use), 650.0) == []
    (notice,) = watch.take(view(RUNS, use), 701.0)
    assert (notice.kind, "10 minutes" in notice.text) == (NoticeKind.GPU_IDLE, True)
    assert watch.take(view(RUNS, use), 702.0) == []


def test_each_is_switched_in_the_settings() -> None:
    assert {kind.value for kind in NoticeKind} == NOTICES
    told = parse({"notify": {"finished": False, "bell": False}}, "x").notify
    assert told == NotifySetting(NOTICES - {"finished"}, bell=False)
    with pytest.raises(ConfigError, match="unknown key") as wrong:
        parse({"notify": {"unhealty": False}}, "x")
    assert "unhealthy" in wrong.value.hint
    with pytest.raises(ConfigError, match="true or false"):
        parse({"notify": {"bell": "no"}}, "x")


def test_the_terminal_is_asked_by_osc_9() -> None:
    assert desktop_notification("train failed", tmux=False) == "\x1b]9;train failed\x07"
    assert desktop_notification("x", tmux=True) == "\x1bPtmux;\x1b\x1b]9;x\x07\x1b\\"


def test_what_is_long_past_is_not_kept() -> None:
    watch = NoticeWatch(600.0)
    for number in range(50):
        gone = replace(RUNS, key=ContainerKey(ONE, f"{number:064x}"))
        now_s = number * 1000.0
        watch.own(gone.key, now_s - 20)
        watch.take(FleetView(containers={gone.key: gone}), now_s)
        ended = replace(gone, state=ContainerState.EXITED, exit_code=1)
        assert watch.take(FleetView(containers={gone.key: ended}), now_s + 1)
    assert (len(watch._told), len(watch._own)) == (1, 0)
