"""A key on a row before its engine is connected."""

from __future__ import annotations

import pytest

from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from tui.screens.held_key import HeldKey

DOCKER = EngineId(EngineKind.DOCKER, "docker")
ROW, OTHER = ContainerKey(DOCKER, "a" * 64), ContainerKey(DOCKER, "b" * 64)


def fleet(link: Link) -> FleetView:
    """One engine."""
    return FleetView(engines={DOCKER: EngineView(DOCKER, ConnectionState(link))})


@pytest.mark.parametrize("link", [Link.CONNECTED, Link.LOST])
def test_it_waits_until_the_engine_is_there_or_is_not(link: Link) -> None:
    held = HeldKey()
    assert held.holds("container.stop", ROW, fleet(Link.CONNECTING))
    assert held.due(ROW, fleet(Link.CONNECTING)) == ""
    assert held.due(ROW, fleet(link)) == "container.stop"
    assert held.due(ROW, fleet(link)) == "", "once"


@pytest.mark.parametrize("later", [OTHER, None])
def test_it_is_dropped_where_the_cursor_has_left_the_row(later: ContainerKey | None) -> None:
    held = HeldKey()
    assert held.holds("container.remove", ROW, fleet(Link.CONNECTING))
    assert held.due(later, fleet(Link.CONNECTED)) == ""
    assert held.due(ROW, fleet(Link.CONNECTED)) == ""


def test_the_last_key_counts_and_others_do_not_wait() -> None:
    held = HeldKey()
    assert held.holds("container.stop", ROW, fleet(Link.CONNECTING))
    assert not held.holds("fleet.filter", ROW, fleet(Link.CONNECTING))
    assert held.due(ROW, fleet(Link.CONNECTED)) == ""
    assert not held.holds("container.stop", ROW, fleet(Link.CONNECTED))
    assert not held.holds("container.stop", None, fleet(Link.CONNECTING))
