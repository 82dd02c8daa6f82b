"""The house rules that no linter knows: module length, no terminal below the glass, a light first frame."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MAX_LINES = 400
MAX_APP_LINES = 200
MODULES = sorted(p for room in ("backends", "widgets", "tui") for p in (ROOT / room).rglob("*.py"))
BACKENDS = [
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for p in MODULES
    if p.is_relative_to(ROOT / "backends")
]
FIRST_SCREENS = frozenset(
    {"asking", "base", "copying", "doors", "facts", "fleet", "fleet_moves", "frame", "held_key", "palette", "panes"}
    | {"reach_doors", "registries"}
)
"""What the fleet's screen is made of."""
FIRST_MODELS = frozenset(
    {"capabilities", "container", "errors", "events", "fleet", "gpu", "ids", "labels", "secret", "secrets", "values"}
)
"""What a fleet is made of."""
SDKS = ("aiohttp", "docker", "kubernetes", "podman", "pynvml", "psutil", "humanize")


def _loaded_by(statement: str, watched: tuple[str, ...]) -> list[str]:
    """Which of the watched modules a fresh interpreter has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint(*[m for m in {watched!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def _own_modules(statement: str) -> list[str]:
    """Our own modules that a fresh interpreter has loaded after the statement."""
    rooms = ("backends", "widgets", "tui")
    code = f"{statement}\nimport sys\nprint(*[m for m in sys.modules if m.split('.')[0] in {rooms!r}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_length(path: Path) -> None:
    cap = MAX_APP_LINES if path == ROOT / "tui" / "app.py" else MAX_LINES
    assert len(path.read_text().splitlines()) <= cap


def test_median_module_is_short() -> None:
    lengths = sorted(n for p in MODULES if (n := len(p.read_text().splitlines())) > 1)
    assert lengths[len(lengths) // 2] <= 200


def test_no_terminal_below_the_glass() -> None:
    """One fresh interpreter per module would cost half a minute: each is imported in turn in one, blamed by name."""
    code = "\n".join(
        f"import {name}\nassert not {{'textual', 'rich'}} & set(sys.modules), '{name} loads textual or rich'"
        for name in BACKENDS
    )
    done = subprocess.run([sys.executable, "-c", f"import sys\n{code}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_screen_loads_no_sdk_and_no_command_line_before_the_first_frame() -> None:
    loads = "import tui.__main__, tui.crash, tui.log, tui.opening, tui.app, tui.bootstrap"
    assert _loaded_by(loads, ("click", *SDKS)) == []


def test_the_first_frame_loads_the_model_and_the_fleets_screen_and_no_more() -> None:
    """Whatever else is imported before it, everybody waits for at each start."""
    loaded = _own_modules("import tui.app")
    below = {name for name in loaded if name.startswith("backends.") and not name.startswith("backends.model")}
    assert below == {"backends.private_folder", "backends.services", "backends.services.notices"}
    screens = {name.removeprefix("tui.screens.") for name in loaded if name.startswith("tui.screens.")}
    assert screens <= FIRST_SCREENS
    assert not {name for name in loaded if name.startswith(("tui.cli.", "tui.web"))}
    models = {name.removeprefix("backends.model.") for name in loaded if name.startswith("backends.model.")}
    assert models <= FIRST_MODELS
    commands = {name for name in loaded if name.startswith("tui.") and name.endswith("_commands")}
    assert commands == {"tui.column_commands"}, "a kind of commands is imported when a key first asks for it"


def test_containers_are_shown_before_anything_samples() -> None:
    """The engines are asked first: probes and samplers are imported when their first lists are there."""
    engine = "TRANSHIP_ENGINES=there=docker+unix:///nonexistent/docker.sock"
    code = (
        "import asyncio, os\nfrom tui.bootstrap import open_fleet\nfrom tui.config import Settings\n"
        f"os.environ.update([{engine!r}.split('=', 1)])\n"
        "fleet = asyncio.run(open_fleet(Settings()))\nassert fleet.engines, 'an engine is there'"
    )
    late = ("backends.services.sampler", "backends.services.gpus", "backends.gpu.nvidia", "backends.gpu.amd", "aiohttp")
    assert _loaded_by(code, late) == []


def test_the_command_line_loads_no_terminal_library_and_no_sdk() -> None:
    """rich.cells, the table of character widths, is light and welcome; the rest of rich is not."""
    loads = "import tui.__main__, tui.cli.root, tui.crash, tui.log"
    assert _loaded_by(loads, ("textual", "rich.console", "rich.text", *SDKS)) == []


def test_every_module_says_its_purpose() -> None:
    silent = [str(p.relative_to(ROOT)) for p in MODULES if (text := p.read_text()) and not text.startswith('"""')]
    assert silent == []
