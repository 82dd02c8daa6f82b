"""The health check that a container has of its image, on engines that take it from there and that do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.health_check import health_body, health_spec, image_health
from backends.migration.health import with_check
from backends.migration.plan import make_plan
from backends.migration.table import Side
from backends.migration.verify import compare_specs
from backends.model.plan import Choices, LayerChoice, Plan, Verdict
from backends.model.settings import HealthSpec
from tests.unit.migration.test_plan import DOCKER, IMAGE, INFO, PODMAN, source, target

CHECK = HealthSpec(("CMD-SHELL", "wget -q http://127.0.0.1/"), interval_ns=2 * 10**9)
OWN = HealthSpec(("CMD", "true"))
WITH = replace(IMAGE, health=CHECK)
SOURCE = replace(source(), image=WITH)


def said(plan: Plan) -> dict[str, tuple[Verdict, str]]:
    return {one.field: (one.verdict, one.reason) for one in plan.fields if one.field.startswith("health.")}


def test_podman_gets_the_images_check_as_the_copys_own_and_the_plan_says_why() -> None:
    plan = make_plan(SOURCE, target())
    assert plan.spec.health == CHECK
    verdict, reason = said(plan)["health.test"]
    assert verdict is Verdict.CONVERTED
    assert "OCI" in reason
    assert said(plan)["health.interval_ns"] == (Verdict.SAME, "")


def test_nothing_is_frozen_where_the_targets_image_has_the_check() -> None:
    for there in (replace(target(), by_id=WITH), replace(target(), by_tag=WITH)):
        plan = make_plan(SOURCE, there)
        assert plan.spec.health is None
        assert not said(plan)
    lacking = make_plan(SOURCE, replace(target(), by_tag=IMAGE))
    assert lacking.spec.health == CHECK
    assert make_plan(SOURCE, replace(target(), engine=DOCKER)).spec.health is None


@pytest.mark.parametrize("own", [OWN, HealthSpec(("NONE",))])
def test_a_check_of_its_own_stays_what_it_is(own: HealthSpec) -> None:
    plan = make_plan(replace(SOURCE, spec=replace(SOURCE.spec, health=own)), target())
    assert plan.spec.health == own
    assert said(plan)["health.test"] == (Verdict.SAME, "")


def test_an_image_that_is_made_of_the_container_may_lose_it() -> None:
    plan = make_plan(SOURCE, replace(target(), engine=DOCKER), Choices(layer=LayerChoice.COMMIT))
    assert plan.spec.health == CHECK


def test_what_is_in_effect_is_compared() -> None:
    side = Side(PODMAN, INFO)
    inherited, written, none = SOURCE.spec, replace(SOURCE.spec, health=CHECK), SOURCE.spec

    def equal(wanted: object, seen: object) -> bool:
        return all(one.equal for one in compare_specs(wanted, seen, side))  # type: ignore[arg-type]

    assert equal(with_check(inherited, CHECK), with_check(written, None)), "written out for an image without it"
    assert equal(with_check(written, None, CHECK), with_check(inherited, CHECK)), "an engine subtracts its image's"
    assert not equal(with_check(inherited, CHECK), with_check(none, None)), "lost on the way"
    assert with_check(replace(inherited, health=OWN), CHECK).health == OWN


@given(
    st.builds(
        HealthSpec,
        st.lists(st.text(), min_size=1, max_size=3).map(lambda words: ("CMD", *words)),
        *[st.integers(0, 2**40)] * 4,
        st.integers(0, 20),
    )
)
def test_a_check_comes_back_from_json_as_it_went(check: HealthSpec) -> None:
    body = health_body(check)
    back = health_spec(body)
    assert back is not None
    assert health_body(back) == body
    assert image_health({"Healthcheck": body}) == back


def test_no_check_of_an_image() -> None:
    assert image_health(None) is None
    for words in (["NONE"], []):
        assert image_health({"Healthcheck": {"Test": words}}) is None
