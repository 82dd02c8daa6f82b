"""Which container a word means, and what is said where it means none or several."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import click
import pytest

from backends.model.errors import NotFound, Refused, Unreachable
from backends.model.events import ConnectionState, Link
from backends.model.fleet import FleetView
from backends.services.changes import ContainerSeen, EngineAdded
from backends.services.store import Store
from tests.unit.cli.objects import DOCKER, PODMAN, container, view
from tui.cli.pick import the_container, the_engine, unreachable, view_where


def test_by_name_and_by_the_beginning_of_its_id() -> None:
    fleet = view(container("web"), container("db", PODMAN, "b"))
    assert the_container(fleet, "web").name == "web"
    assert the_container(fleet, "bbb").name == "db"


def test_an_empty_word_means_no_container() -> None:
    with pytest.raises(click.UsageError, match="name is empty"):
        the_container(view(container("web")), "")


def test_a_name_goes_before_the_beginning_of_an_id() -> None:
    fleet = view(container("bbb", DOCKER, "a"), container("db", PODMAN, "b"))
    assert the_container(fleet, "bbb").key.engine == DOCKER


def test_on_several_engines_both_are_named() -> None:
    fleet = view(container("web"), container("web", PODMAN, "b"))
    with pytest.raises(click.UsageError, match="“web” is on docker and on podman: say which with --engine"):
        the_container(fleet, "web")
    assert the_container(fleet, "web", "podman").key.engine == PODMAN


def test_several_ids_of_one_engine_are_named() -> None:
    fleet = view(container("one", DOCKER, "ab"), container("two", DOCKER, "ac"))
    with pytest.raises(click.UsageError, match=r"“a” fits several containers of docker: one \(abab.*two \(acac"):
        the_container(fleet, "a")
    assert the_container(fleet, "ac").name == "two"


def test_nothing_found_says_where_it_looked() -> None:
    with pytest.raises(NotFound, match="no container “web” on docker, podman"):
        the_container(view(), "web")


def test_nothing_found_while_an_engine_is_silent_is_no_not_found() -> None:
    with pytest.raises(Unreachable, match="not all engines answer"):
        the_container(view(lost=(PODMAN,)), "web")


def test_engines_that_are_absent_are_not_silent() -> None:
    fleet = view(lost=(DOCKER,), absent=(PODMAN,))
    assert [error.engine for error in unreachable(fleet)] == [DOCKER]
    with pytest.raises(Unreachable, match="does not answer"):
        the_engine(fleet, "podman")


def test_an_address_that_was_written_wrongly_is_missed() -> None:
    known = view().engines[PODMAN]
    wrong = ConnectionState(Link.ABSENT, Refused("CONTAINER_HOST: 'tcp://' is no engine address", engine=PODMAN))
    fleet = FleetView(engines={DOCKER: view().engines[DOCKER], PODMAN: replace(known, connection=wrong)})
    assert ["no engine address" in error.title for error in unreachable(fleet)] == [True]


def test_an_unknown_engine_is_bad_usage() -> None:
    with pytest.raises(click.UsageError, match="no engine is called “lxc”; there are: docker, podman"):
        the_container(view(), "web", "lxc")


async def test_waiting_for_a_view_ends_with_it_or_with_the_time() -> None:
    store = Store()
    store.apply(EngineAdded(view().engines[DOCKER]))
    waiting = asyncio.create_task(view_where(store, lambda seen: bool(seen.containers), 30))
    await asyncio.sleep(0)
    store.apply(ContainerSeen(container("web")))
    assert len((await waiting).containers) == 1
    assert len((await view_where(store, lambda seen: not seen.containers, 0.01)).containers) == 1
