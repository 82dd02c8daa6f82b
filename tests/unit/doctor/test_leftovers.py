"""What a killed Tranship left behind, on a machine of a test's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backends.model.capabilities import EngineInfo
from backends.model.container import Container, ContainerState
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.labels import HELPER_LABEL, HELPER_STARTED_LABEL
from backends.services.leftovers import examine_leftovers

DOCKER = EngineId(EngineKind.DOCKER, "docker")


def view(owner: str, *, local: bool = True, started: str = "") -> FleetView:
    """A fleet with one helper of a process. started: when that began, "" as an earlier Tranship did not say."""
    info = EngineInfo("26.1.5", "1.45", False, local)
    engine = EngineView(DOCKER, ConnectionState(Link.CONNECTED), info, "unix:///d.sock")
    key = ContainerKey(DOCKER, "a" * 64)
    helper = Container(key, "tranship-helper-7", "i", "", ContainerState.CREATED, datetime(2026, 1, 1, tzinfo=UTC))
    labels = {HELPER_LABEL: owner} | ({HELPER_STARTED_LABEL: started} if started else {})
    return replace(FleetView(), engines={DOCKER: engine}, containers={key: replace(helper, labels=labels)})


def test_helpers_and_folders_of_dead_processes_only(tmp_path: Path) -> None:
    proc, temporary, runtime = tmp_path / "proc", tmp_path / "tmp", tmp_path / "run"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "stat").write_text(f"7 (a) b) S {' '.join('0' * 18)} 4711 0 0")
    for name in ("tranship-ssh-7-abc", "tranship-ssh-8-abc", "tranship-ssh-x", "other-8-a"):
        (temporary / name).mkdir(parents=True)
    (runtime / "tranship-podman-9-z").mkdir(parents=True)
    environ = {"XDG_RUNTIME_DIR": str(runtime)}

    def found(seen: FleetView) -> list[str]:
        return [one.command for one in examine_leftovers(seen, environ, proc=proc, temporary=temporary)]

    folders = [f"rm -r {runtime}/tranship-podman-9-z", f"rm -r {temporary}/tranship-ssh-8-abc"]
    assert found(view("7")) == folders
    assert found(view("7", started="4711")) == folders
    assert found(view("7", started="4710"))[0] == "tranship rm --force tranship-helper-7 --engine docker", "another's"
    assert found(view("8"))[0] == "tranship rm --force tranship-helper-7 --engine docker"
    assert found(view("8"))[1:] == folders
    assert found(view("8", local=False)) == folders
    assert found(view("profile")) == folders
