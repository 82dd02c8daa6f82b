"""`tranship gpus` and its options: what comes where, and how each way ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from backends.gpu.demo import COUNT_VARIABLE
from backends.model.gpu import GpuSnapshot
from backends.services.changes import GpusSampled
from backends.services.gpu_usage import Spender, Spent
from backends.services.gpu_usage_file import Usage, UsageFile
from backends.services.store import Store
from tests.terminals import on_terminal
from tests.unit.cli import demo as program
from tests.unit.sampler.gpu_facts import reading, snapshot
from tui.cli import gpus, gpus_serve
from tui.cli.exits import Exit
from tui.cli.gpus_usage import parse_since
from tui.cli.root import tranship

PROGRAM = [sys.executable, "-m", "tui", "--demo", "gpus", "--watch"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody watches long for idleness, and no state of this user is read."""
    monkeypatch.setattr(gpus, "IDLE_LOOK_S", 0.1)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(COUNT_VARIABLE, raising=False)


def demo(*argv: str) -> Result:
    """Run `tranship --demo gpus …`."""
    return program.demo("gpus", *argv)


def document(*argv: str) -> dict[str, Any]:
    """Its JSON answer."""
    return program.document("gpus", *argv)


def test_devices_processes_and_containers_in_three_tables() -> None:
    told = demo().stdout
    assert told.startswith("GPU  NAME")
    assert "DEMO: these GPUs are invented." in told
    heads = [line.split() for line in told.splitlines() if line.isupper()]
    assert [head[0] for head in heads] == ["GPU", "GPU", "ENGINE"]
    (row,) = [line.split() for line in told.splitlines() if line.startswith("demo-docker  train-llama3-8b")]
    assert row[2:6] == ["gpu=0,", "gpu=1", "0,", "1"]


def test_json_has_devices_and_containers() -> None:
    answer = document()
    assert answer["demo"] is True
    assert answer["gpus"][0]["memory_total_bytes"] > 0
    assert {one["name"] for one in answer["containers"]} == {"train-llama3-8b", "jupyter-lab", "vllm-qwen2.5-7b"}


def test_idle_lists_those_that_compute_nothing() -> None:
    told = demo("--idle").stdout.splitlines()
    assert [line.split()[1] for line in told] == ["CONTAINER", "jupyter-lab"]
    (one,) = document("--idle")["containers"]
    assert one["use"]["idle_seconds"] > 3000


@pytest.mark.parametrize("count", ["0", "1", "16"])
def test_a_demo_has_as_many_gpus_as_it_is_told(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COUNT_VARIABLE, count)
    answer = document()
    assert len(answer["gpus"]) == int(count)
    assert bool(answer["absent"]) == (count == "0")


def test_a_count_that_is_none_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COUNT_VARIABLE, "many")
    refused = demo()
    assert refused.exit_code == Exit.USAGE
    assert refused.stderr == "tranship: TRANSHIP_DEMO_GPUS='many' is no number from 0 to 16\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--idle", "--metrics"], "--idle and --metrics are different answers: choose one"),
        (["--by", "user"], "--by and --since go with --usage"),
        (["--since", "7d"], "--by and --since go with --usage"),
        (["--output", "x.prom"], "--output goes with --metrics"),
        (["--usage", "--watch"], "--watch does not go with --usage"),
        (["--listen", "9400", "--watch"], "--watch does not go with --listen"),
        (["--metrics", "--json"], "--metrics has a format of its own"),
        (["--usage", "--since", "7x"], "“7x” is no time: write 24h, 7d or 2w"),
        (["--usage", "--since", "0d"], "“0d” is no time"),
    ],
)
def test_options_that_say_nothing_together_are_bad_usage(argv: list[str], said: str) -> None:
    result = demo(*argv)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(("text", "seconds"), [("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)])
def test_times_are_read(text: str, seconds: int) -> None:
    assert parse_since(text) == seconds


def test_metrics_to_stdout_and_to_a_file(tmp_path: Path) -> None:
    told = {family.name for family in text_string_to_metric_families(demo("--metrics").stdout)}
    assert "tranship_gpu_utilization_ratio" in told
    path = tmp_path / "gpus.prom"
    path.write_text("older")
    assert demo("--metrics", "--output", str(path)).stdout == ""
    assert {family.name for family in text_string_to_metric_families(path.read_text())} == told
    assert os.listdir(tmp_path) == ["gpus.prom"]  # nothing half-written is left


def test_a_file_that_cannot_be_written_is_said() -> None:
    result = demo("--metrics", "--output", "/no/such/folder/gpus.prom")
    assert result.exit_code == Exit.FAILED
    assert result.stderr.startswith("tranship: /no/such/folder/gpus.prom cannot be written: No such file or directory")


# --usage


def real(*argv: str) -> Result:
    """Run `tranship gpus --usage …` on what was written down."""
    return CliRunner().invoke(tranship, ["gpus", "--usage", *argv])


def write_usage(folder: Path) -> None:
    """Two containers: one of this hour, one of ten days ago."""
    now = time.time()
    file = UsageFile(folder / "tranship" / "gpu_usage.sqlite3", "test")
    file.take_lease(now)
    spent = Spent(held_s=36_000.0, busy_s=1800.0, memory_byte_s=3600.0 * (2 << 30))
    mine, others = Spender("docker", "a" * 64, 0), Spender("podman", "b" * 64, 4_000_000)
    file.write(
        [
            Usage(int(now // 3600) * 3600, mine, "train", "docker.io/library/torch:2", spent),
            Usage(int(now) - 10 * 86_400, others, "old", "x:1", Spent(held_s=90.0, busy_unknown_s=90.0)),
        ],
        now,
    )
    file.close()


def test_usage_by_container(tmp_path: Path) -> None:
    write_usage(tmp_path)
    head, train, old, _, since, unknown = real().stdout.splitlines()
    assert head.split() == ["ENGINE", "CONTAINER", "IMAGE", "HELD", "h", "BUSY", "h", "MEMORY", "GiB·h"]
    assert train.split() == ["docker", "train", "torch:2", "10.0", "0.50", "2.00"]
    assert old.split() == ["podman", "old", "x:1", "0.025", "–", "0.000"]
    assert since.startswith("Since 20")
    assert unknown.startswith("≥ and –")
    assert len(real("--since", "7d").stdout.splitlines()) == 4


def test_usage_by_user_names_those_that_the_system_knows(tmp_path: Path) -> None:
    write_usage(tmp_path)
    assert [line.split()[0] for line in real("--by", "user").stdout.splitlines()[:3]] == ["USER", "root", "4000000"]
    answer = json.loads(real("--by", "user", "--json").stdout)
    assert [(one["user"], one["user_id"], one["container"]) for one in answer["usage"]] == [
        ("root", 0, None),
        ("4000000", 4_000_000, None),
    ]
    assert (answer["schema"], answer["by"], answer["usage"][1]["busy_hours"]) == (1, "user", None)


def test_usage_where_nothing_was_written_down_says_when_it_is(tmp_path: Path) -> None:
    assert real().stdout.startswith("No GPU usage is written down. It is while `tranship`,")
    assert real("--since", "7d").stdout.startswith("No GPU usage is written down of that time.")
    assert demo("--usage").stdout == "No GPU usage is written down of the demo fleet.\n"
    assert os.listdir(tmp_path) == []


def test_usage_of_a_damaged_file_is_a_failure_in_words(tmp_path: Path) -> None:
    (tmp_path / "tranship").mkdir()
    (tmp_path / "tranship" / "gpu_usage.sqlite3").write_bytes(b"no database" * 100)
    result = real("--json")
    assert result.exit_code == Exit.FAILED
    assert "is damaged" in result.stderr
    assert json.loads(result.stdout)["error"]["hint"] == "move the file away to begin anew"


# --watch


def test_watching_paints_in_place_until_q_and_puts_the_terminal_back(tmp_path: Path) -> None:
    code, seen = on_terminal(PROGRAM, when="train-llama3", act=lambda terminal, _: os.write(terminal, b"xq"))
    assert code == 0
    assert seen.startswith("\x1b[?1049h\x1b[?25l\x1b[H")
    assert seen.endswith("\x1b[?25h\x1b[?1049l")
    assert not list(tmp_path.rglob("gpu_usage*"))  # a demo writes nothing down
    assert "jupyter-lab" in seen


def test_ctrl_c_ends_it_as_any_command() -> None:
    code, seen = on_terminal(PROGRAM, when="q ends", act=lambda terminal, _: os.write(terminal, b"\x03"))
    assert code == 128 + signal.SIGINT
    assert seen.endswith("\x1b[?25h\x1b[?1049ltranship: stopped by SIGINT\n")


def test_a_terminal_that_goes_away_ends_it_without_a_crash(tmp_path: Path) -> None:
    code, _ = on_terminal(PROGRAM, when="q ends", act=lambda terminal, _: os.close(terminal))
    assert code in {0, Exit.FAILED, 128 + signal.SIGHUP}
    assert not list(tmp_path.rglob("crash-*.log"))


def piped(*options: str, until: Callable[[bytes], bool]) -> str:
    """What a watch writes into a pipe until that is enough; then it is interrupted."""
    read, write = os.pipe()
    seen = b""

    async def run() -> int:
        nonlocal seen
        program = await asyncio.create_subprocess_exec(*PROGRAM, *options, stdout=write)
        os.close(write)
        async with asyncio.timeout(30):
            while not until(seen):
                seen += await asyncio.to_thread(os.read, read, 65_536)
            program.send_signal(signal.SIGINT)
            return await program.wait()

    try:
        assert asyncio.run(run()) == 128 + signal.SIGINT
    finally:
        os.close(read)
    return seen.decode()


def test_watching_into_a_pipe_is_a_json_document_on_each_line() -> None:
    first, second, *_ = piped("--json", until=lambda seen: seen.count(b"\n") >= 2).splitlines()
    assert json.loads(first)["at"] < json.loads(second)["at"]
    assert json.loads(second)["gpus"][0]["gpu_percent"] > 0


def test_watching_into_a_pipe_without_json_is_table_after_table() -> None:
    seen = piped(until=lambda seen: seen.count(b"GPU  NAME") >= 2)
    assert "\x1b" not in seen


# --listen


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("9400", ("127.0.0.1", 9400)),
        ("127.0.0.1:9400", ("127.0.0.1", 9400)),
        ("127.9.9.9:1", ("127.9.9.9", 1)),
        ("localhost:65535", ("localhost", 65_535)),
        ("[::1]:9400", ("::1", 9400)),
        ("0", ("127.0.0.1", 0)),
    ],
)
def test_addresses_of_this_machine_are_listened_on(text: str, where: tuple[str, int]) -> None:
    assert gpus_serve.parse_listen(text) == where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.0.0.0:9400", "can be reached from other machines"),
        ("[::]:9400", "can be reached from other machines"),
        ("192.168.1.7:9400", "can be reached from other machines"),
        ("gpu01:9400", "can be reached from other machines"),
        ("localhost.evil.example:9400", "can be reached from other machines"),
        ("65536", "there is no port 65536"),
        ("localhost", "is no port and no address"),
        ("localhost:http", "is no port and no address"),
        ("localhost:-1", "is no port and no address"),
        ("http://localhost:1", "is no port and no address"),
        ("localhost:99999", "is no port and no address"),
        ("", "is no port and no address"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(click.BadParameter, match=said):
        gpus_serve.parse_listen(text)


class Served:
    """The pages over a store whose GPUs are read when the test says so."""

    def __init__(self) -> None:
        self.store = Store()
        self.now = 100.0
        self.client = TestClient(TestServer(gpus_serve.application(self.store, lambda: self.now)))

    def sample(self, at: float, use: float) -> None:
        self.store.apply(GpusSampled(snapshot(reading(at=at, use=use)), {}))


async def test_metrics_answer_with_a_sample_that_is_newer_than_the_question() -> None:
    served = Served()
    served.sample(99.0, 10.0)
    async with served.client as client:
        asking = asyncio.create_task(client.get("/metrics"))
        await asyncio.sleep(0.05)
        assert not asking.done()
        served.sample(100.5, 70.0)
        answer = await asking
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        read = {family.name: family for family in text_string_to_metric_families(await answer.text())}
        assert read["tranship_gpu_utilization_ratio"].samples[0].value == 0.7


async def test_metrics_of_no_gpu_or_of_a_driver_that_hangs_answer_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus_serve, "FRESH_TIMEOUT_S", 0.05)
    served = Served()
    async with served.client as client:
        served.store.apply(GpusSampled(GpuSnapshot(absent="no driver"), {}))
        assert "tranship_gpu_devices 0.0" in await (await client.get("/metrics")).text()
        served.sample(99.0, 10.0)
        assert "tranship_gpu_devices 1.0" in await (await client.get("/metrics")).text()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9400", 200),
        ("localhost:9400", 200),
        ("[::1]:9400", 200),
        ("evil.example", 403),
        ("10.0.0.1", 403),
        ("", 403),
        ("[", 403),
    ],
)
async def test_only_names_of_this_machine_are_answered(host: str, status: int) -> None:
    served = Served()
    async with served.client as client:
        assert (await client.get("/", headers={"Host": host})).status == status


async def test_what_is_not_there_or_not_asked_for_is_refused() -> None:
    async with Served().client as client:
        assert (await client.get("/etc/passwd")).status == 404
        assert (await client.post("/metrics")).status == 405


async def test_it_listens_where_it_was_told_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    store, ended = Store(), asyncio.Event()
    store.apply(GpusSampled(GpuSnapshot(absent="no driver"), {}))
    serving = asyncio.create_task(gpus_serve.serve(store, ("127.0.0.1", 0), time.monotonic, ended))
    said = ""
    async with asyncio.timeout(10):
        while "http://" not in said:
            await asyncio.sleep(0.01)
            said += capsys.readouterr().err
    url = said.split()[1].removesuffix(";")
    async with ClientSession() as session, session.get(url) as answer:
        assert "tranship_gpu_devices 0.0" in await answer.text()
    ended.set()
    assert await serving is Exit.DONE


async def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert await gpus_serve.serve(Store(), ("127.0.0.1", port), time.monotonic, asyncio.Event()) is Exit.FAILED
    assert f"cannot listen on 127.0.0.1:{port}: " in capsys.readouterr().err


def test_the_usage_file_is_nobody_else_s(tmp_path: Path) -> None:
    write_usage(tmp_path)
    assert stat.S_IMODE((tmp_path / "tranship" / "gpu_usage.sqlite3").stat().st_mode) == 0o600
