"""A project moved from the screen: its joint plan, its run, its end; and volumes and ports chosen one by one."""

from __future__ import annotations

from pathlib import Path

from backends.migration.journal import Status, list_journals
from backends.model.container import ContainerState
from backends.model.errors import Conflict
from backends.model.plan import Choices, PortChoice, VolumeChoice
from tests.pilot.stage import Stage, stage
from tests.pilot.test_migrations import choices, keys, move_of, named, planned, question, replanned, screen_of, shown
from tui.move import State
from tui.screens.frame import TitleBar
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.part_picker import PartPicker

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED
MEMBERS = ("mlops-minio-1", "mlops-mlflow-1", "mlops-postgres-1")


async def project_planned(play: Stage) -> MigrateScreen:
    """The joint plan of all of mlops."""
    screen = await planned(play, "mlops-minio-1")
    await play.press("P")
    await replanned(play)
    return screen


async def project_moved(play: Stage) -> MigrateScreen:
    screen = await project_planned(play)
    await play.press("enter", "y")
    await play.until(lambda: screen.stage is MoveStage.ENDED, "the end of the move")
    await play.pilot.pause()
    return screen


async def test_volumes_and_ports_are_chosen_one_by_one(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        screen = await planned(play, "mlops-minio-1")
        await play.press("o")
        assert isinstance(play.app.screen, PartPicker)
        await play.press("left", "down", *"9100", "escape")
        await replanned(play)
        assert screen.draft.choices == Choices(volume=VolumeChoice.SKIP, port=PortChoice.REMAP, port_map={9000: 9100})
        assert "ports 9000:9100" in choices(play)
        assert sorted(port.host_port or 0 for port in screen.plans[0].spec.ports) == [9001, 9100]
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        (copy,) = [one for one in play.podman.world.containers.values() if one.spec.name == "mlops-minio-1"]
        assert sorted(port.host_port or 0 for port in copy.published) == [9001, 9100]


async def test_the_joint_plan_names_all_and_their_order(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        screen = await project_planned(play)
        assert "all of mlops" in str(screen.query_one(TitleBar).query_one(".about").render())
        assert {plan.source_name for plan in screen.plans} == set(MEMBERS)
        assert "3 containers" in shown(play)
        assert all(f"── {name}" in shown(play) for name in MEMBERS)
        assert "alone" in keys(play)
        await play.press("n")
        assert "keeps its containers' names" in play.toasts()
        await play.press("P")
        await replanned(play)
        assert [plan.source_name for plan in screen.plans] == ["mlops-minio-1"]


async def test_one_that_is_in_no_project_stays_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        assert "P" not in keys(play).split()
        await play.press("P")
        assert "in no Compose project and in no pod" in play.toasts()
        assert screen.stage is MoveStage.PLANNED


async def test_a_project_is_moved_compared_again_and_accepted(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        screen = await project_planned(play)
        await play.press("enter")
        assert all(name in question(play) for name in MEMBERS)
        await play.press("y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        await play.until(lambda: "All 3 copies equal their sources" in shown(play))
        for name in MEMBERS:
            assert named(play.docker, name) == [EXITED]
            assert named(play.podman, name) == [RUNNING]
        await play.press("V")
        await play.until(lambda: "Compared again" in shown(play))
        assert "checks are equal" in shown(play)
        await play.press("y")
        assert f"Copied: {tmp_path}/migrations/" in play.toasts()
        assert len(play.app.clipboard.splitlines()) == 3
        kept = {str(path) for path in (tmp_path / "migrations").glob("*.report.json")}
        assert set(play.app.clipboard.splitlines()) == kept
        await play.press("c")
        await play.press("y")
        await play.until(lambda: "The move is accepted" in shown(play))
        assert {one.status for one in await list_journals(tmp_path)} == {Status.CONFIRMED}


async def test_a_copy_that_changed_is_told_by_comparing_again_and_all_is_undone(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await project_moved(play)
        await play.podman.stop(MEMBERS[0])
        await play.press("V")
        await play.until(lambda: "checks differ" in shown(play))
        assert "≠ " in shown(play)
        assert move_of(play, screen_of(play).plans[0].source_name) is State.WAITING
        await play.press("u")
        assert "The copies of mlops on demo-podman are removed" in question(play)
        await play.press("y")
        await play.until(lambda: "all is as before it" in shown(play))
        assert all(named(play.docker, name) == [RUNNING] for name in MEMBERS)
        assert all(named(play.podman, name) == [] for name in MEMBERS)


async def test_where_one_fails_all_are_as_before(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await project_planned(play)
        play.podman.faults.fail("start", Conflict("no more room", engine=play.podman.id))
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert "no more room" in shown(play)
        assert "All containers of mlops on demo-docker are as they were before." in " ".join(shown(play).split())
        for name in MEMBERS:
            assert named(play.docker, name) == [RUNNING]
            assert named(play.podman, name) == []


async def test_a_project_is_cancelled_while_it_is_looked_at_from_another_row(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        await project_planned(play)
        await play.press("enter", "y")
        await play.until(lambda: all(named(play.docker, name) == [EXITED] for name in MEMBERS))
        await play.press("escape")
        await play.select("mlops-mlflow-1")
        await play.press("m")
        screen = screen_of(play)
        assert screen.stage is MoveStage.RUNNING
        assert "waits for the others" in shown(play)
        assert "▶" in shown(play)
        await play.press("x", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert all(named(play.docker, name) == [RUNNING] for name in MEMBERS)
        assert {one.status for one in await list_journals(tmp_path)} == {Status.UNDONE}
