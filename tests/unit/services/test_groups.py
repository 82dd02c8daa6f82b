"""Several containers at once, in the order of their needs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backends.engines.demo import DemoEngine
from backends.model.container import Container, ContainerState
from backends.model.errors import Conflict
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.services.groups import needs, operate_together, stages

ENGINE = EngineId(EngineKind.DEMO, "demo")


def one(name: str, needed: str = "", **changes: object) -> Container:
    """A container of the project "shop", whose service has its name."""
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": name,
        "com.docker.compose.depends_on": needed,
    }
    key = ContainerKey(ENGINE, name.ljust(64, "0"))
    made = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"labels": labels, **changes}
    return Container(key, name, "i", "", ContainerState.EXITED, made, **values)  # type: ignore[arg-type]


SHOP = [one("web", "api:service_started:false"), one("api", "db:service_started:true,cache"), one("db"), one("cache")]


def names(found: tuple[tuple[Container, ...], ...]) -> list[list[str]]:
    return [[container.name for container in stage] for stage in found]


def test_what_others_need_comes_first_or_last() -> None:
    assert names(stages(SHOP)) == [["cache", "db"], ["api"], ["web"]]
    assert names(stages(SHOP, backwards=True)) == [["web"], ["api"], ["cache", "db"]]
    assert names(stages([one("a", "b"), one("b", "a")])) == [["a", "b"]]


def test_services_of_another_engine_or_project_are_others() -> None:
    far = EngineId(EngineKind.DEMO, "far")
    elsewhere = one("db")
    elsewhere = Container(ContainerKey(far, "d" * 64), "db", "i", "", elsewhere.state, elsewhere.created_at,
                          labels=elsewhere.labels)  # fmt: skip
    assert needs([one("api", "db"), elsewhere])[one("api").key] == {}


def test_a_pods_infra_container_is_needed_by_the_others() -> None:
    pod = [one("app", labels={}, pod="p"), one("infra", labels={}, pod="p", infra=True)]
    assert names(stages(pod)) == [["infra"], ["app"]]


class Doer:
    """Notes what is done, and fails where it is told to."""

    def __init__(self, *bad: str) -> None:
        self.done: list[str] = []
        self._bad = bad

    async def __call__(self, container: Container) -> OperationUpdate:
        self.done.append(container.name)
        phase = Phase.FAILED if container.name in self._bad else Phase.DONE
        error = Conflict("no") if container.name in self._bad else None
        return OperationUpdate(1, "container.start", container.key, container.name, phase, error=error)


def engine_of(_: EngineId) -> DemoEngine:
    raise AssertionError("nobody is asked")


async def test_what_needs_a_failed_one_is_left_alone_and_said() -> None:
    doer = Doer("db")
    result = await operate_together("start", SHOP, doer, engine_of)
    assert sorted(doer.done) == ["cache", "db"]
    assert [(left.container.name, left.reason) for left in result.left] == [
        ("api", "it needs db, which did not start"),
        ("web", "it needs api, which was not started"),
    ]


@pytest.mark.parametrize(("verb", "order"), [("stop", ["web", "api"]), ("restart", ["cache", "db"])])
async def test_a_stop_goes_on_backwards_whatever_fails(verb: str, order: list[str]) -> None:
    doer = Doer("web") if verb == "stop" else Doer()
    result = await operate_together(verb, SHOP, doer, engine_of)
    assert doer.done[:2] == order
    assert (len(result.updates), result.left) == (4, ())


async def test_a_pod_is_removed_after_its_members() -> None:
    pod = [one("infra", labels={}, pod="p", infra=True), one("app", labels={}, pod="p")]
    doer = Doer()
    result = await operate_together("remove", pod, doer, engine_of)
    assert doer.done == ["app", "infra"]
    assert result.left == ()
