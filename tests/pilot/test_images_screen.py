"""The image screen by keys; what happened is asked of the engines."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.content import Content
from textual.widgets import Input, Static

from backends.engines.demo import DemoEngine
from backends.model.errors import Unreachable
from tests.pilot.stage import Stage, stage
from tui.screens.images import ImagesScreen
from widgets.dialogs import ChoiceDialog, ConfirmDialog, InputDialog
from widgets.line import plain
from widgets.live_table import LiveTable

REDIS, VLLM = "docker.io/library/redis:7", "docker.io/vllm/vllm-openai:v0.6.4"


def has(engine: DemoEngine, tag: str) -> bool:
    """Whether the engine has an image of that name."""
    return any(tag in image.tags for image in engine.world.images.values())


def rows(play: Stage, part: str = "#images") -> list[str]:
    """What a table says, row by row."""
    return [" ".join(plain(cell) for cell in row.cells) for row in screen(play).query_one(part, LiveTable).rows]


def screen(play: Stage) -> ImagesScreen:
    """The image screen, under whatever box."""
    found = [one for one in play.app.screen_stack if isinstance(one, ImagesScreen)]
    return found[-1]


async def opened(play: Stage, filter: str = "", count: int = 20) -> None:
    """The image screen, with this in its filter. count: of images before."""
    await play.press("a")
    await play.until(lambda: len(rows(play)) == count, "the images")
    if filter:
        screen(play).query_one("#filter", Input).value = filter
        await play.until(lambda: 0 < len(rows(play)) < count, "the filter")


def said(play: Stage, part: str) -> str:
    """What a part of the box on top says."""
    return str(play.app.screen.query_one(part, Static).render())


async def test_all_images_with_the_layers_of_the_one_under_the_cursor(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("slash", *"redis", "enter")
        assert len(rows(play)) == 2
        assert rows(play)[1].startswith("DEMO·P redis:7")
        assert "rag-redis" in rows(play)[1]
        layers = rows(play, "#image-layers")
        assert [row.split()[0] for row in layers] == ["1", "2"]
        assert "3 here" in layers[0]
        assert "own" in layers[1]
        await play.press("enter")
        await play.until(lambda: play.on_top() == "ImageScreen", "the image in full")
        await play.press("q")
        await play.until(lambda: play.on_top() == "ImagesScreen", "the way back")
        await play.press("escape")
        assert len(rows(play)) == 20
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_it_is_sorted_and_live(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("o")
        assert "vllm" in rows(play)[0], "the largest first"
        await play.press("O")
        assert "9.2 GiB" in rows(play)[-1]
        await play.podman.remove_image("minio/minio:latest")
        await play.until(lambda: len(rows(play)) == 19, "the removal by somebody else")


async def test_remove_says_what_it_frees_and_asks(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "vllm is:unused")
        await play.press("d")
        assert isinstance(play.app.screen, ConfirmDialog)
        assert "6.7 GiB" in said(play, ".dialog-body")
        await play.press("n")
        assert has(play.docker, VLLM)
        await play.press("d", "y")
        await play.until(lambda: not has(play.docker, VLLM), "the removal")
        assert has(play.podman, VLLM)
        await play.until(lambda: f"{VLLM} removed" in play.toasts(), "the toast")


async def test_keys_that_come_at_once_are_for_the_row_that_they_reach(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "redis")
        for key in ("down", "up", "down", "t"):
            play.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await play.until(lambda: isinstance(play.app.screen, InputDialog), "the question")
        assert "redis:7 on demo-podman" in said(play, ".dialog-title")


async def test_a_used_image_is_not_removed_and_the_reason_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "redis rag-redis")
        await play.press("d")
        assert play.on_top() == "ImagesScreen"
        assert "redis:7 is used by rag-redis: remove the containers first." in play.toasts()


async def test_marked_ones_go_together(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "is:unused demo-docker")
        assert len(rows(play)) == 3
        await play.press("space", "space", "d")
        assert "Remove 2 images?" in said(play, ".dialog-title")
        await play.press("y")
        await play.until(lambda: len(play.docker.world.images) == 8, "the removal")


async def test_prune_offers_what_would_go(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("P")
        assert isinstance(play.app.screen, ChoiceDialog)
        await play.press("enter")
        assert isinstance(play.app.screen, ConfirmDialog)
        await play.press("y")
        await play.until(lambda: len(rows(play)) == 13, "the pruning")
        await play.press("P")
        assert "nothing to prune" in play.toasts()


async def test_a_name_more_and_one_less(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "redis demo-docker")
        await play.press("t")
        play.app.screen.query_one(Input).value = "postgres:16"
        await play.press("enter")
        assert isinstance(play.app.screen, InputDialog), "the name is another image's"
        assert "another image" in said(play, ".dialog-wrong")
        play.app.screen.query_one(Input).value = "my/cache"
        await play.press("enter")
        await play.until(lambda: has(play.docker, "docker.io/my/cache:latest"), "the name")
        await play.until(lambda: "my/cache:latest" in rows(play)[0], "the row")
        await play.press("T")
        assert isinstance(play.app.screen, ChoiceDialog)
        await play.press("down", "enter")
        await play.until(lambda: not has(play.docker, "docker.io/my/cache:latest"), "the name's end")
        await play.until(lambda: "my/cache" not in rows(play)[0], "the row")
        assert has(play.docker, REDIS)
        await play.press("T")
        assert "has no other name" in play.toasts()


async def test_copy_brings_it_to_the_other_engine(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.podman.remove_image("ghcr.io/mlflow/mlflow:v2.18.0")
        await opened(play, "mlflow", count=19)
        play.podman.faults.fail("import_image", Unreachable("the disk is gone", engine=play.podman.id), times=1)
        await play.press("c")
        assert isinstance(play.app.screen, ConfirmDialog)
        assert "About 707 MiB travel." in said(play, ".dialog-body")
        await play.press("y")
        await play.until(lambda: "the disk is gone" in play.toasts(), "the failure")
        await play.press("c", "y")
        await play.until(lambda: has(play.podman, "ghcr.io/mlflow/mlflow:v2.18.0"), "the copy")
        assert play.toasts().count("the disk is gone") == 1, "it is said once"
        await play.until(lambda: len(rows(play)) == 2, "the row")


async def test_a_copy_is_called_off(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.podman.remove_image("ghcr.io/mlflow/mlflow:v2.18.0")
        await opened(play, "mlflow", count=19)
        play.podman.faults.hang("import_image")
        await play.press("c", "y")
        await play.until(lambda: "copy …" in rows(play)[0] or "copy 0%" in rows(play)[0], "the progress")
        await play.press("ctrl+q")
        assert "Quit while images are copied?" in said(play, ".dialog-title")
        await play.press("n", "x")
        await play.until(lambda: "mlflow-1" in rows(play)[0], "the end")
        assert not has(play.podman, "ghcr.io/mlflow/mlflow:v2.18.0")
        await play.press("x")
        assert "not being copied" in play.toasts()


async def test_read_only_refuses(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await opened(play)
        for key in "cdPtTx":
            play.app.clear_notifications()
            await play.press(key)
            assert play.on_top() == "ImagesScreen"
            assert "Read-only" in play.toasts()


async def test_an_engine_that_does_not_answer_is_named_and_names_are_no_markup(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        first = next(image for image in play.docker.world.images.values() if "mlflow" in image.tags[0])
        first.tags[:] = ["aa/[b]bold[/b] [red]x[/]:1"]
        play.podman.faults.fail("list_images", Unreachable("no answer", engine=play.podman.id))
        await play.press("a")
        await play.until(lambda: len(rows(play)) == 10, "the other engine's images")
        assert "demo-podman does not answer" in said(play, ".about")
        assert "aa/[b]bold[/b] [red]x[/]:1" in rows(play)[0]
        title = Content.from_markup(screen(play).query_one("#image-layers").border_title or "")
        assert title.plain.startswith("aa/[b]bold[/b] [red]x[/]:1")
