"""Networks of a container: made on the target where they are missing, with aliases, and addresses where they can."""

from __future__ import annotations

import json

import pytest

from backends.migration import plan_migration
from backends.model.plan import Choices, Severity, Verdict
from tests.engines_migration.batches import subnet_of
from tests.engines_migration.yard import Yard

pytestmark = pytest.mark.engines

PAIRS = [("docker", "podman"), ("podman", "docker"), ("docker", "podman-rootless")]


def connected(yard: Yard, engine: str, network: str) -> dict[str, object]:
    """What the engine tells of the container on that network."""
    found = json.loads(yard.ask(engine, yard.run, "{{json .NetworkSettings.Networks}}"))
    assert set(found) == {network}
    return dict(found[network])


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_a_network_is_made_with_its_aliases(yard: Yard, here: str, there: str) -> None:
    network, subnet = f"{yard.run}-net", subnet_of(yard.run)
    yard.cli(here, "network", "create", "--subnet", f"{subnet}.0/24", "--label", "team=vision", *yard.marks, network)
    options = ["--network", network, "--network-alias", "db", "--ip", f"{subnet}.9", "--stop-signal", "KILL"]
    yard.cli(here, "run", "-d", "--name", yard.run, *options, *yard.marks, "test/busybox:1", "sleep", "999")
    plan = await plan_migration(yard.engine(here), yard.run, yard.engine(there))
    said = {field.field: field for field in plan.fields}
    own = said[f"network.networks.{network}"]
    rootful = there != "podman-rootless"
    if rootful:  # the live bridge of the source holds the addresses of this host
        assert own.verdict is Verdict.CONVERTED
        assert "has these addresses" in own.reason
        assert said[f"networks.{network}.subnets"].reason
    report = await yard.move(here, there, yard.run)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert report.plan.networks[0].create is not None
    assert "db" in str(connected(yard, there, network)["Aliases"])
    assert yard.cli(there, "exec", yard.run, "nslookup", "db").count("Address") > 1
    assert yard.cli(there, "network", "inspect", "-f", '{{index .Labels "team"}}', network).strip() == "vision"


@pytest.mark.parametrize("there", ["podman-rootless"])
async def test_an_address_stays_where_the_targets_network_has_the_same_range(yard: Yard, there: str) -> None:
    """Rootless networks stand in a namespace of their own, so that both can have the range at once."""
    network, subnet = f"{yard.run}-net", subnet_of(yard.run)
    yard.cli(there, "network", "create", "--subnet", f"{subnet}.0/24", *yard.marks, network)
    yard.cli("docker", "network", "create", "--subnet", f"{subnet}.0/24", *yard.marks, network)
    options = ["--network", network, "--ip", f"{subnet}.9"]
    yard.cli("docker", "create", "--name", yard.run, *options, *yard.marks, "test/busybox:1", "sleep", "999")
    report = await yard.move("docker", there, yard.run)
    assert report.equal
    assert report.plan.networks[0].create is None, "the target has it"
    own = next(field for field in report.plan.fields if field.field == f"network.networks.{network}")
    assert own.verdict is Verdict.SAME
    yard.cli(there, "start", yard.run)
    assert connected(yard, there, network)["IPAddress"] == f"{subnet}.9"


async def test_a_network_of_that_name_with_other_addresses_stays_as_it_is(yard: Yard) -> None:
    network, subnet = f"{yard.run}-net", subnet_of(yard.run)
    yard.cli("docker", "network", "create", "--subnet", f"{subnet}.0/24", *yard.marks, network)
    yard.cli("podman", "network", "create", *yard.marks, network)
    before = yard.cli("podman", "network", "inspect", network)
    options = ["--network", network, "--ip", f"{subnet}.9"]
    yard.cli("docker", "create", "--name", yard.run, *options, *yard.marks, "test/busybox:1", "sleep", "999")
    plan = await plan_migration(yard.engine("docker"), yard.run, yard.engine("podman"))
    assert [one for one in plan.findings if one.severity is Severity.WARN and "other addresses" in one.title]
    own = next(field for field in plan.fields if field.field == f"network.networks.{network}")
    assert (own.verdict, "other addresses" in own.reason) == (Verdict.CONVERTED, True)
    assert (await yard.move("docker", "podman", yard.run, choices=Choices(name=f"{yard.run}-copy"))).equal
    assert (
        json.loads(yard.cli("podman", "network", "inspect", network))[0]["subnets"] == json.loads(before)[0]["subnets"]
    )
