"""Choosing the GPUs of a copy by keys, on the migrate screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.widgets import OptionList

from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot, MigInstance
from backends.model.wish import ALL, KEEP, NONE, first, these
from backends.model.workload import GpuRequest
from backends.services.changes import GpusSampled, LinkChanged
from tests.pilot.stage import Stage, stage
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.choice_bar import ChoiceBar
from widgets.gpu_picker import GpuPicker
from widgets.line import plain
from widgets.plan_view import PlanView

GIB = 1 << 30
TWO = ("nvidia.com/gpu=0", "nvidia.com/gpu=1")


def reading(index: int, used_gib: int = 1, mig: tuple[MigInstance, ...] = ()) -> GpuReading:
    """A device of 80 GiB."""
    device = GpuDevice(index, f"GPU-{index}", "NVIDIA H100", "NVIDIA", memory_total_bytes=80 * GIB, mig=mig)
    return GpuReading(device, 0.0, 5.0, 1.0, used_gib * GIB)


def sampled(play: Stage, *readings: GpuReading, absent: str = "", hint: str = "") -> None:
    """This machine's GPUs are these."""
    play.fleet.store.apply(GpusSampled(GpuSnapshot(readings, absent, hint, demo=True), {}))


async def planned(play: Stage) -> MigrateScreen:
    """Wait for the plan of the migrate screen on top."""
    screen = play.app.screen
    assert isinstance(screen, MigrateScreen)
    await play.until(lambda: screen.stage is MoveStage.PLANNED, "a plan")
    await play.pilot.pause()
    return screen


async def opened(play: Stage, name: str) -> GpuPicker:
    """The picker for a container's copy."""
    await play.select(name)
    await play.press("m")
    await planned(play)
    await play.press("g")
    return picker(play)


def picker(play: Stage) -> GpuPicker:
    """The picker on top."""
    assert isinstance(play.app.screen, GpuPicker)
    return play.app.screen


def text(play: Stage) -> str:
    """All that the picker shows."""
    said = [str(one.render()) for one in picker(play).query("Static")]
    return "\n".join([*(plain(row.text) for row in picker(play).rows), *said])


def request(screen: MigrateScreen) -> GpuRequest | None:
    """What the plan asks the target for."""
    assert screen.plans
    return screen.plans[0].spec.gpu


async def test_devices_are_marked_and_taken_and_the_plan_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        sampled(play, reading(0), reading(1, 30))
        await opened(play, "tensorboard")
        assert "50 GiB of 80 GiB" in text(play)
        await play.press("end", "space", "up", "space")
        assert "→ 0, 1: nvidia.com/gpu=0, nvidia.com/gpu=1" in text(play)
        await play.press("enter")
        screen = await planned(play)
        assert screen.draft.choices.gpus == these(["0", "1"])
        assert request(screen) == GpuRequest(cdi_devices=TWO)
        assert "g GPUs 0, 1" in screen.query_one(ChoiceBar).render().plain
        shown = "\n".join(map(plain, screen.query_one(PlanView).lines))
        assert "none → nvidia.com/gpu=0, nvidia.com/gpu=1" in shown
        assert "chosen: 0, 1" in shown
        await play.press("g", "escape")
        assert screen.draft.choices.gpus == these(["0", "1"])
        await play.press("g", "home", "space", "end", "enter")  # nothing is marked: the one under the cursor
        await planned(play)
        assert screen.draft.choices.gpus == these(["1"])


async def test_each_wish_is_a_row(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        sampled(play, reading(0), reading(1))
        await opened(play, "jupyter-lab")
        for keys, wish, asked in (
            (("down", "enter"), ALL, ("nvidia.com/gpu=all",)),
            (("plus", "enter"), first(2), TWO),
            (("minus", "enter"), first(1), TWO[:1]),
            (("j", "enter"), NONE, None),
            (("home", "enter"), KEEP, TWO[:1]),
        ):
            await play.press(*keys)
            screen = await planned(play)
            assert screen.draft.choices.gpus == wish
            assert request(screen) == (GpuRequest(cdi_devices=asked) if asked else None)
            await play.press("g")


async def test_what_the_engine_cannot_give_is_said_there_and_not_taken(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        sampled(play, reading(0), reading(1), reading(2))
        await opened(play, "tensorboard")
        await play.press("end", "enter")
        assert "✕ 2: the engine lists no CDI device for GPU 2" in text(play)
        assert "nvidia-ctk cdi generate" in text(play)
        await play.press("escape")
        screen = await planned(play)
        assert screen.draft.choices.gpus == KEEP


async def test_newer_readings_come_into_the_open_picker(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        sampled(play, reading(0), reading(1))
        await opened(play, "tensorboard")
        await play.press("end", "space")
        sampled(play, reading(0, 60), reading(1))
        await play.until(lambda: "20 GiB of 80 GiB" in text(play), "the new reading")
        sampled(play, reading(0), reading(1), reading(2, mig=(MigInstance(0, "MIG-a", "1g.10gb"),)))
        await play.until(lambda: "└ 1g.10gb" in text(play), "the new device")
        await play.press("enter")
        screen = await planned(play)
        assert screen.draft.choices.gpus == these(["1"])


async def test_without_any_gpu_it_says_why_and_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        for engine, info in ((one, one.info) for one in play.app.view.engines.values()):
            assert info is not None
            play.fleet.store.apply(LinkChanged(engine.id, engine.connection, replace(info, cdi_devices=(), local=True)))
        sampled(play, absent="no NVIDIA driver on this machine", hint="install the driver")
        await opened(play, "tensorboard")
        assert "No device to choose from: no NVIDIA driver on this machine." in text(play)
        assert "→ install the driver" in text(play)
        assert [row.key for row in picker(play).rows] == ["keep", "all", "first", "none"]


async def test_of_another_machine_only_the_names_that_its_engine_tells_are_offered(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        play.fleet.store.apply(GpusSampled(GpuSnapshot((reading(0),)), {}))  # not the demo's: this machine's own
        await opened(play, "tensorboard")
        assert "H100" not in text(play)
        assert [row.device for row in picker(play).rows if row.device] == list(TWO)
        await play.press("end", "enter")
        screen = await planned(play)
        assert request(screen) == GpuRequest(cdi_devices=TWO[1:])


async def test_marks_of_another_engines_devices_do_not_count(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        sampled(play, reading(0), reading(1))
        await opened(play, "tensorboard")
        await play.press("end", "enter")
        screen = await planned(play)
        play.fleet.store.apply(GpusSampled(GpuSnapshot((reading(0),)), {}))
        await play.until(lambda: not play.app.view.gpus.demo, "another machine")
        await play.press("g", "end", "enter")
        await planned(play)
        assert screen.draft.choices.gpus == these(TWO[1:])


async def test_many_devices_scroll_and_the_reason_stays_in_sight(tmp_path: Path) -> None:
    mig = tuple(MigInstance(at, f"MIG-{at}", "1g.10gb") for at in range(7))
    async with stage(tmp_path, size=(80, 24)) as play:
        sampled(play, *(reading(index, mig=mig) for index in range(8)))
        await opened(play, "tensorboard")
        await play.press("end")
        assert picker(play).query_one(OptionList).highlighted == len(picker(play).rows) - 1
        keys = picker(play).query_one(".dialog-keys")
        assert keys.region.bottom <= 23
        assert keys.region.height == 1
        assert picker(play).query_one("#said").region.height >= 3
