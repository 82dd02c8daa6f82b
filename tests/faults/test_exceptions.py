"""A call to a real engine fails before or after its work, at each step: both engines are left as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.migration import list_journals, plan_migration, run_migration
from backends.migration.journal import Status
from backends.model.events import Phase
from backends.model.ids import EngineKind
from backends.model.plan import Choices, ImageWay, LayerChoice, MigrationFailed, Plan, StepKind, StepProgress
from tests.faults.conftest import Grounds
from tests.faults.ground import Ground
from tests.migration_scene import Fault, Saboteur
from tests.thorough import thorough

pytestmark = pytest.mark.engines

THERE = [
    (StepKind.IMAGE, "import_image"),
    (StepKind.NETWORK, "create_network"),
    (StepKind.PRECOPY, "import_volume"),
    (StepKind.STOP_SOURCE, "stop"),
    (StepKind.VOLUME, "import_volume"),
    (StepKind.CREATE, "create_container"),
    (StepKind.FILES, "write_files"),
    (StepKind.START, "start"),
    (StepKind.HEALTH, "check_health"),
    (StepKind.VERIFY, "workload_spec"),
]
"""Each step with the call that does its work."""

ODD, EVEN = THERE[::2], THERE[1::2]
"""Each run tries every step with one of the two faults, in one of the two directions; `test_faults` of the unit tests
tries every call with every fault."""

AFTER = [(kind, call, Fault.AFTER) for kind, call in (*EVEN, *thorough(*ODD))]
MORE = [
    (StepKind.IMAGE, "tag_image", Fault.AFTER),
    (StepKind.PRECOPY, "docker.export_volume", Fault.MIDWAY),
    (StepKind.STOP_SOURCE, "set_restart", Fault.AFTER),
]
BEFORE = [(kind, call, Fault.BEFORE) for kind, call in (*ODD, *thorough(*EVEN))]


class AtStep(Saboteur):
    """Strikes at the first call of that name ("CALL", or "ENGINE.CALL") in a step of that kind."""

    def __init__(self, kind: StepKind, call: str, fault: Fault) -> None:
        super().__init__(None, fault)
        self._kind = kind
        self._call = call
        self._now: StepKind | None = None
        self.struck = False

    def follow(self, update: StepProgress) -> None:
        """Hears where the run is."""
        self._now = None if update.undoing or update.phase is Phase.DONE else update.step.kind

    def strikes(self, name: str) -> bool:
        due = not self.struck and self._now is self._kind and f".{name}".endswith(f".{self._call}")
        self.struck = self.struck or due
        return due


_plans: dict[tuple[str, bool], Plan] = {}


async def planned(ground: Ground, *, live_copy: bool) -> Plan:
    """Made once for a ground: after a fault all is as it was, so the plan still holds."""
    key = ground.run, live_copy
    if key not in _plans:
        choices = Choices(layer=LayerChoice.CHANGES, live_copy=live_copy, image_way=ImageWay.ARCHIVE)
        async with ground.engines() as (source, target):
            plan = await plan_migration(source, ground.run, target, choices=choices)
        assert {step.kind for step in plan.steps} == set(StepKind) - (set() if live_copy else {StepKind.PRECOPY})
        _plans[key] = plan
    return _plans[key]


async def strike(ground: Ground, state_dir: Path, kind: StepKind, call: str, fault: Fault) -> None:
    """Run into the fault, and look what is left."""
    plan = await planned(ground, live_copy=kind is not StepKind.VOLUME)
    before = ground.first_picture()
    saboteur = AtStep(kind, call, fault)
    async with ground.engines() as (source, target):
        with pytest.raises(MigrationFailed, match="the line was cut") as failure:
            await run_migration(
                plan,
                saboteur.wrap(source),
                saboteur.wrap(target),
                on_update=saboteur.follow,
                state_dir=state_dir,
                watch_s=0.0,
            )
    assert saboteur.struck
    assert failure.value.step.kind is kind
    assert failure.value.undone.left == ()
    [record] = await list_journals(state_dir)
    assert record.status is Status.UNDONE
    assert ground.of_source() == before
    ground.assert_target_clean()


@pytest.mark.parametrize(("kind", "call", "fault"), [*AFTER, *thorough(*MORE)])
async def test_to_podman(grounds: Grounds, tmp_path: Path, kind: StepKind, call: str, fault: Fault) -> None:
    await strike(grounds(EngineKind.DOCKER), tmp_path, kind, call, fault)


@pytest.mark.parametrize(("kind", "call", "fault"), BEFORE)
async def test_to_docker(grounds: Grounds, tmp_path: Path, kind: StepKind, call: str, fault: Fault) -> None:
    await strike(grounds(EngineKind.PODMAN), tmp_path, kind, call, fault)
