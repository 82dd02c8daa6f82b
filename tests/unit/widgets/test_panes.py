"""Panes as text, without a terminal: GPU, layers, plan, status bar. Every line is inert whatever comes from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import ContainerState
from backends.model.errors import Conflict, Unreachable
from backends.model.events import ConnectionState, Link, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId, EngineKind
from backends.model.image import Layer
from backends.model.plan import Check, FieldPlan, MigrationReport, Verdict
from tests.snapshots.samples import DOCKER, MIB, NO_GPU, NOW, engine_view, fleet, gpus, layers, plan, progress
from widgets.gpu_lines import device_names, gpu_lines
from widgets.layer_lines import command_text, error_lines, layer_lines
from widgets.line import Line, plain
from widgets.plan_lines import plan_lines, progress_lines, report_lines
from widgets.status_bar import engine_line, status_lines
from widgets.text import line_width


def text(lines: Sequence[Line]) -> str:
    """All lines, as they read."""
    return "\n".join(plain(part).rstrip() for part in lines)


def test_gpus_show_use_memory_heat_power_and_processes() -> None:
    said = text(gpu_lines(gpus(2), 80))
    assert " 0 NVIDIA H200" in said
    assert "97%" in said
    assert "118 / 141 GiB" in said
    assert "71 °C · 612 / 700 W · 2 processes" in said
    assert "power – (driver refuses)" in said
    assert "driver 580.82.07" in said


def test_many_gpus_take_a_line_each_under_aligned_titles() -> None:
    lines = [plain(part) for part in gpu_lines(gpus(8), 80)]
    header, rows = lines[0], lines[1:9]
    assert len(rows) == 8
    assert {len(part) for part in rows} == {len(header)}
    assert header.index("USE") == rows[0].index("━")
    assert header.index("TEMP") + len("TEMP") == rows[0].index("71 °C") + len("71 °C")
    assert device_names(gpus(8).readings) == "8 × NVIDIA H200"


def test_no_gpu_is_a_calm_sentence_with_a_next_step() -> None:
    said = text(gpu_lines(NO_GPU, 60))
    assert "  No NVIDIA driver on this machine" in said
    assert "tranship doctor" in said
    assert "not sampled yet" in text(gpu_lines(GpuSnapshot(), 60))


@given(st.integers(min_value=30, max_value=200), st.integers(min_value=1, max_value=9))
def test_gpu_bars_fit_their_pane(width: int, count: int) -> None:
    bars = [part for part in gpu_lines(gpus(count), width) if any("─" in span.text for span in part)]
    assert all(line_width(part) <= max(width, 40) for part in bars)


def test_layers_name_sizes_shares_and_steps() -> None:
    said = text(layer_lines(layers(), 100, NOW)).splitlines()
    assert said[0] == " acme/train:2026.11  4 layers · 5.5 GiB · amd64"
    assert said[6].endswith("1w  RUN pip install torch==2.9.0 --index-url https://download.pytorch.org")
    assert " 91%" in said[6]
    assert "<1%" in said[8]
    assert said[4].split() == ["·", "5w", "CMD", '["bash"]']
    assert {part.index(word) for part, word in ((said[2], "STEP"), (said[3], "ADD"), (said[6], "RUN"))} == {37}


def test_commands_lose_the_builders_noise_only() -> None:
    def said(command: str) -> str:
        return command_text(Layer(command, "", None, None, comment="from scratch"))

    assert said("/bin/sh -c #(nop)  ENV A=1") == "ENV A=1"
    assert said("/bin/sh -c make") == "RUN make"
    assert said("RUN /bin/sh -c make # buildkit") == "RUN make"
    assert said("COPY a b # buildkit") == "COPY a b"
    assert said("") == "from scratch"


def test_an_error_says_what_why_and_the_next_step() -> None:
    said = text(error_lines(Conflict("The name\x1b[2J is taken", detail="by 3f4e", hint="rename it"), 60))
    assert said.split() == ["✕", "The", "name", "is", "taken", "by", "3f4e", "rename", "it"]


def test_a_plan_says_what_blocks_then_what_is_lost_then_the_steps() -> None:
    said = text(plan_lines(plan(), 80))
    order = [
        "Cannot run: 1 finding",
        "Port 8080 is taken",
        "→ stop web",
        "scratch` is written",
        "base layers",
        "NOT CARRIED 1",
        "health check",
        "CONVERTED 1",
        "--gpus all → nvidia.com/gpu=all",
        "THE SAME 3",
        "STEPS",
        "○ 1 Ship the image",
        "↷ 4 Copy the volume models  it is on the target already",
    ]
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    assert "▲ Can run" in text(plan_lines(plan(blocked=False), 80))
    assert "✓ Nothing stands in the way" in text(plan_lines(replace(plan(), findings=()), 80))


def test_progress_shows_the_step_its_rate_and_the_time_left() -> None:
    said = text(progress_lines(plan(), progress(), 80))
    assert "✓ 2 Stop trainer" in said
    assert "▶ 3 Copy the volume scratch" in said
    assert "53%  430 MiB of 812 MiB  96 MiB/s  0:04 left" in said
    assert "○ 5 Create" in said
    narrow = [line_width(part) for part in progress_lines(plan(), progress(), 50)]
    assert max(narrow) <= 60


def test_progress_that_ended_says_how() -> None:
    failed = replace(progress(), phase=Phase.FAILED, error=Unreachable("podman is gone", hint="start it"))
    said = text(progress_lines(plan(), failed, 80))
    assert "✕ 3 Copy the volume scratch" in said
    assert "✕ podman is gone" in said
    assert "start it" in said
    assert "✓ moved" in text(progress_lines(plan(), replace(progress(), phase=Phase.DONE, result="moved"), 80))
    assert "Cancelled" in text(progress_lines(plan(), replace(progress(), phase=Phase.CANCELLED), 80))


def test_a_report_puts_differences_first() -> None:
    checks = (Check("env", True, "12 variables", "12 variables"), Check("user", False, "1000", "0"))
    said = text(report_lines(MigrationReport(plan(), "f" * 64, checks, 800 * MIB, 12.34, 1.5), 80))
    assert "✕ The copy differs" in said
    assert said.index("≠ user  1000 → 0") < said.index("= env   12 variables")
    assert "800 MiB moved in 12.3 s · down 1.5 s" in said
    unset = (Check("tty", True, "False", "False"), Check("memory", True, "0", "0"), Check("cpus", False, "0", "2"))
    folded = text(report_lines(MigrationReport(plan(), "f" * 64, (*checks[:1], *unset), 0, 1.0, None), 80))
    assert "= 2 more, not set on either side: tty, memory" in folded
    assert "≠ cpus  0 → 2" in folded
    assert "  tty" not in folded
    equal = MigrationReport(plan(), "f" * 64, checks[:1], 0, 1.0, None)
    assert "✓ The copy equals its source in all 1 checks" in text(report_lines(equal, 80))


@given(st.text(max_size=40))
def test_no_field_of_a_plan_reaches_the_terminal_unread(said: str) -> None:
    fields = tuple(FieldPlan(said, verdict, said, said, said) for verdict in Verdict)
    shown = text(plan_lines(replace(plan(), fields=fields, source_name=said), 80))
    assert not set(shown) & set(map(chr, (*range(10), *range(11, 32), 127, 0x202E)))


def test_each_engine_in_few_words() -> None:
    def said(link: Link, *, brief: int = 0, rootless: bool = False) -> str:
        return plain(engine_line(engine_view(DOCKER, link, rootless=rootless), 100.0, brief=brief))

    assert said(Link.CONNECTED) == "● docker 26.1.5"
    assert said(Link.CONNECTED, rootless=True) == "● docker 26.1.5 rootless"
    assert said(Link.CONNECTING) == "◌ docker connecting …"
    assert said(Link.LOST) == "✕ docker lost, again in 4s"
    assert said(Link.ABSENT) == "○ docker connection refused"
    assert said(Link.ABSENT, brief=1) == "○ docker absent"
    assert said(Link.LOST, brief=2) == "✕ docker lost, again in 4s"


def test_a_retry_that_is_due_counts_no_further() -> None:
    due = ConnectionState(Link.LOST, None, retry_at=99.0)
    assert plain(engine_line(replace(engine_view(DOCKER), connection=due), 100.0)) == "✕ docker lost, trying …"


@given(st.integers(min_value=30, max_value=200))
def test_the_status_bar_is_one_line_where_it_fits_and_two_where_not(width: int) -> None:
    lines = status_lines(fleet(), width, monotonic_now=100.0, read_only=True, note="demo fleet")
    assert len(lines) in (1, 2)
    assert len(lines) == 2 or line_width(lines[0]) == width
    running = sum(container.state is ContainerState.RUNNING for container in fleet().containers.values())
    assert f"demo fleet   READ-ONLY   {running} of 13 running" in text(lines)


@pytest.mark.parametrize("connected", [0, 2, 30])
def test_many_engines_are_counted_and_nothing_leaves_the_line(connected: int) -> None:
    ids = [EngineId(EngineKind.DOCKER, f"gpu-server-{number:02}") for number in range(31)]
    views = {
        id: EngineView(id, ConnectionState(Link.CONNECTED if number < connected else Link.LOST))
        for number, id in enumerate(ids)
    }
    lines = status_lines(FleetView(engines=views), 80, monotonic_now=0.0, read_only=False, note="")
    said = text(lines)
    assert all(line_width(one) <= 80 for one in lines)
    assert f"{31 - connected} lost" in said
    assert ("gpu-server-00" in said) is (connected == 2)


def test_an_empty_fleet_has_a_status_too() -> None:
    lines = status_lines(FleetView(), 80, monotonic_now=0.0, read_only=False, note="")
    assert text(lines).strip() == ""
