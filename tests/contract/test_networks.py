"""User-defined networks: made, seen, joined, in the way of their own removal, gone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from backends.model.errors import Conflict, NotFound
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import NetworkAttachment, NetworkingSpec
from tests.contract.lab import Lab


def _subnet() -> Subnet:
    """A range of its own: other runs use these engines too. 198.18.0.0/15 is for tests (RFC 2544)."""
    number = random.randrange(512)
    begin = f"198.{18 + number // 256}.{number % 256}"
    return Subnet(f"{begin}.0/24", f"{begin}.1")


def _asked(lab: Lab, **changes: object) -> NetworkSpec:
    spec = NetworkSpec(lab.name(), labels={**lab.label, "team": "ml"})
    return replace(spec, **changes)  # type: ignore[arg-type]  # fields by name


async def test_a_network_is_as_it_was_asked_for(lab: Lab) -> None:
    subnet = replace(_subnet(), ip_range="")
    spec = _asked(lab, subnets=(subnet,), internal=True)
    await lab.network(spec)
    seen = await lab.engine.inspect_network(spec.name)
    assert not seen.default
    assert len(seen.id) == 64
    assert replace(seen.spec, labels=dict(seen.spec.labels), options=dict(seen.spec.options)) == replace(
        spec, labels=dict(spec.labels), options={}
    )
    assert seen in await lab.engine.list_networks()


async def test_a_network_that_the_engine_numbers_has_the_range_that_it_chose(lab: Lab) -> None:
    name = await lab.network()
    seen = (await lab.engine.inspect_network(name)).spec
    (subnet,) = seen.subnets
    assert subnet.subnet
    assert subnet.gateway
    assert (seen.driver, seen.internal, seen.ipv6, seen.dns) == ("bridge", False, False, True)


async def test_options_of_the_driver_come_back(lab: Lab) -> None:
    option = "com.docker.network.driver.mtu" if "bridge" in await _own(lab) else "mtu"
    name = await lab.network(_asked(lab, options={option: "1400"}))
    assert dict((await lab.engine.inspect_network(name)).spec.options) == {option: "1400"}


async def _own(lab: Lab) -> set[str]:
    return {network.spec.name for network in await lab.engine.list_networks() if network.default}


async def test_the_engines_own_networks_are_known_as_such(lab: Lab) -> None:
    own = await _own(lab)
    assert own & {"bridge", "podman"}
    assert await lab.network() not in await _own(lab)
    for name in own:
        assert (await lab.engine.inspect_network(name)).default


async def test_a_name_and_a_range_can_be_taken_once(lab: Lab) -> None:
    spec = _asked(lab, subnets=(_subnet(),))
    await lab.network(spec)
    with pytest.raises(Conflict) as caught:
        await lab.engine.create_network(replace(spec, subnets=()))
    assert caught.value.engine == lab.engine.id
    with pytest.raises(Conflict):
        await lab.network(_asked(lab, subnets=spec.subnets))


async def test_a_network_goes_when_nobody_is_on_it(lab: Lab) -> None:
    name = await lab.network()
    joined = NetworkingSpec("bridge", networks=(NetworkAttachment(name),))
    made = await lab.run(spec=replace(lab.spec(), network=joined))
    assert (await lab.engine.inspect_container(made)).networks == (name,)
    with pytest.raises(Conflict) as caught:
        await lab.engine.remove_network(name)
    assert caught.value.engine == lab.engine.id
    await lab.engine.remove(made, force=True)
    await lab.engine.remove_network(name)
    with pytest.raises(NotFound):
        await lab.engine.inspect_network(name)


async def test_addresses_and_names_on_networks_come_back(lab: Lab) -> None:
    subnet = _subnet()
    fixed, free = await lab.network(_asked(lab, subnets=(subnet,))), await lab.network()
    wanted = (
        NetworkAttachment(fixed, aliases=("db", "store"), ipv4=subnet.gateway + "23", mac="02:42:c6:12:00:07"),
        NetworkAttachment(free, aliases=("cache",)),
    )
    spec = replace(lab.spec(), network=NetworkingSpec("bridge", networks=wanted))
    for state in ("created", "running"):
        made = await (lab.make(spec) if state == "created" else lab.run(spec=replace(spec, name=lab.name())))
        back = (await lab.engine.workload_spec(made)).network
        seen = tuple(
            replace(one, options=dict(one.options), aliases=tuple(sorted(one.aliases))) for one in back.networks
        )
        assert sorted(seen, key=repr) == sorted((replace(one, options={}) for one in wanted), key=repr), state
        await lab.engine.remove(made, force=True)
