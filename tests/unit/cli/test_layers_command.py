"""`tranship layers` on the demo fleet, with images that hold something: what is shown, compared and held in bounds."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from backends.engines import demo_fleet
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import DemoImage, build, committed
from backends.model.image_files import WasteReport
from tests.unit.cli import demo as program
from tests.unit.cli.objects import EVIL
from tests.unit.layers.images import Content, layer, link
from tui.cli.layers import _read
from tui.cli.layers_limits import Limits, broken, parse_share, parse_size

CLEAN = demo_fleet.demo_engines
MB = bytes(1 << 20)
ONE: list[dict[str, Content]] = [
    {"root/.cache/pip/x": MB + MB, "etc/conf": b"1" * 10, "lib": link("usr/lib")},
    {"root/.cache/.wh.pip": b"", "etc/conf": b"2" * 20},
]
TWO: list[dict[str, Content]] = [
    {"etc/conf": b"2" * 20, "app/data": MB, "root/.cache": None, "var/cache/apt/x.deb": MB}
]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Images test/one and test/two on both demo engines, and a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def engines(*, look_s: float = 0.0, act_s: float = 0.0) -> tuple[DemoEngine, DemoEngine]:
        docker, podman = CLEAN(look_s=look_s, act_s=act_s)
        for engine in (docker, podman):
            made = next(iter(engine.world.containers.values())).created_at
            for name, layers in (("one", ONE), ("two", TWO), (EVIL, [{EVIL.replace("/", ""): b"x"}])):
                image: DemoImage = build([f"quay.io/test/{name}:1"], [], {"Env": []}, made)
                for content in layers:
                    image = committed(image, layer(content), "RUN it", made)
                image.tags = [f"quay.io/test/{name}:1"]
                engine.actions.add_image(image)
        return docker, podman

    monkeypatch.setattr(demo_fleet, "demo_engines", engines)
    return tmp_path


def demo(*argv: str) -> Result:
    """Run `tranship --demo layers …`."""
    return program.demo("layers", *argv)


def document(*argv: str) -> dict[str, Any]:
    """Its JSON answer."""
    return program.document("layers", *argv)


def test_waste_and_hints() -> None:
    answer = document("quay.io/test/one:1", "--waste")
    assert answer["files_bytes"] == [2 * len(MB) + 10, 20]
    assert answer["waste"]["wasted_bytes"] == 2 * len(MB) + 10
    assert answer["waste"]["offenders"][0] == {
        "path": "/root/.cache/pip",
        "wasted_bytes": 2 * len(MB),
        "times": 1,
        "files": 1,
        "removed": True,
    }
    assert answer["hints"] == []
    shown = demo("quay.io/test/one:1", "--waste").stdout
    assert "/root/.cache/pip" in shown
    assert "2.0 MiB" in shown
    (hint,) = document("quay.io/test/two:1", "--waste")["hints"]
    assert (hint["path"], hint["size_bytes"]) == ("/var/cache/apt", len(MB))
    assert "apt-get clean" in demo("quay.io/test/two:1", "--waste").stdout


def test_files() -> None:
    files = {row["path"]: row for row in document("quay.io/test/one:1", "--files")["files"]}
    assert set(files) == {"/etc", "/etc/conf", "/lib", "/root", "/root/.cache"}
    assert files["/etc/conf"] == {
        "path": "/etc/conf",
        "kind": "file",
        "size_bytes": 20,
        "mode": "0644",
        "uid": 0,
        "gid": 0,
        "mtime_s": 0,
        "link": None,
        "layer": 1,
    }
    lines = demo("quay.io/test/one:1", "--files").stdout.splitlines()
    assert any(line.split() == ["-rw-r--r--", "0:0", "20", "B", "2", "/etc/conf"] for line in lines)
    assert any(line.endswith("/lib → usr/lib") for line in lines)


@pytest.mark.parametrize("engines", [[], ["--engine", "demo-docker", "--against-engine", "demo-podman"]])
def test_two_images(engines: list[str]) -> None:
    answer = document("quay.io/test/one:1", "--against", "quay.io/test/two:1", *engines)
    assert {row["path"]: row["mark"] for row in answer["differences"]} == {
        "/app": "added",
        "/lib": "removed",
        "/var": "added",
    }
    assert [layer["mark"] for layer in answer["layers"]] == ["added", "removed", "removed"]
    assert set(answer["layers"][0]) == {"diff_id", "command", "size_bytes", "mark"}
    assert answer["config"] == []
    if engines:
        assert (answer["first"]["engine"], answer["second"]["engine"]) == ("demo-docker", "demo-podman")
    shown = demo("quay.io/test/one:1", "--against", "quay.io/test/two:1", *engines).stdout
    assert "2 added, 1 removed, 0 changed" in shown


def test_an_image_against_itself_on_the_other_engine() -> None:
    shown = demo(
        "quay.io/test/one:1",
        "--engine",
        "demo-docker",
        "--against",
        "quay.io/test/one:1",
        "--against-engine",
        "demo-podman",
    ).stdout
    assert "hold the same files" in shown


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        (["--min-efficiency", "0.95"], 1, "efficiency is 0.0000, below 0.95"),
        (["--max-wasted", "1MB"], 1, "2.0 MiB are wasted, more than"),
        (["--max-wasted-share", "10%"], 1, "100.00% of the image is wasted, more than 10.00%"),
        (["--max-wasted", "3MB", "--min-efficiency", "0"], 0, ""),
    ],
)
def test_thresholds_decide_the_exit_code(limits: list[str], code: int, said: str) -> None:
    result = demo("quay.io/test/one:1", *limits)
    assert result.exit_code == code
    assert said in result.stderr
    answer = json.loads(demo("quay.io/test/one:1", *limits, "--json").stdout)
    assert len(answer["failed"]) == code
    assert demo("quay.io/test/two:1", *limits).exit_code == 0


def test_what_goes_together_and_what_does_not() -> None:
    for argv in (["--against", "x", "--waste"], ["--against-engine", "demo-podman"], ["--max-wasted", "much"]):
        assert demo("quay.io/test/one:1", *argv).exit_code == 2


def test_a_layer_is_exported_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo("quay.io/test/one:1", "--waste")
    assert len(list((home / "tranship" / "layers").iterdir())) == 2

    def never(*_: object) -> None:
        raise AssertionError("it was exported again")

    monkeypatch.setattr("backends.engines.demo_images.write_archive", never)
    assert demo("quay.io/test/one:1", "--waste", "--engine", "demo-podman").exit_code == 0


@pytest.mark.parametrize("argv", [["--files"], ["--waste"], ["--against", "quay.io/test/one:1"], ["--max-wasted", "1"]])
def test_names_that_would_obey_a_terminal(argv: list[str]) -> None:
    result = demo(f"quay.io/test/{EVIL}:1", *argv)
    assert result.exit_code in (0, 1), result.stderr
    assert all(letter.isprintable() or letter == "\n" for letter in result.stdout + result.stderr)


@pytest.mark.parametrize(
    ("text", "count"),
    [("500", 500), ("20MB", 20_000_000), ("20 mb", 20_000_000), ("1GiB", 1 << 30), ("1.5k", 1500), ("2Ti", 2 << 40)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(("text", "share"), [("0.95", 0.95), ("95%", 0.95), ("0", 0.0), ("100%", 1.0)])
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("parse", [parse_size, parse_share])
@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "1 2", "5%%", "1i"])
def test_what_is_no_number(parse: Callable[[str], float], text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse(text)


def test_a_threshold_that_is_just_reached_holds() -> None:
    waste = WasteReport(total_bytes=100, wasted_bytes=10, efficiency=0.9)
    assert broken(Limits(0.9, 10, 0.1), waste) == ()
    assert len(broken(Limits(0.91, 9, 0.09), waste)) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_on_a_terminal_it_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    docker, _ = demo_fleet.demo_engines(look_s=0, act_s=0)
    monkeypatch.setattr(sys, "stderr", said := Terminal())
    await _read(docker, "quay.io/test/one:1")
    assert "reading layers: 0 B of about 2.0 MiB, 0 of 2" in said.getvalue()
    assert said.getvalue().endswith("\r\x1b[K")  # and leaves nothing behind
