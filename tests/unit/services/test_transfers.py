"""Pulls and pushes as operations: what is counted, what is told, what a cancelled or failed one leaves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.demo import DemoEngine
from backends.model.errors import Conflict, NotFound, Protocol, Refused
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import Credentials, LayerPhase, LayerProgress, Resolved, Said, TransferEvent, Transferred
from backends.model.transfer_state import TransferAsk, TransferState
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.logins import log_in
from backends.services.transfers import Transfer
from widgets.line import plain
from widgets.transfer_lines import detail_lines, head_line, transfer_lines

ENGINE = EngineId(EngineKind.DEMO, "demo")
ALPINE = "docker.io/library/alpine:latest"


def stage() -> tuple[Fleet, DemoEngine, list[OperationUpdate]]:
    engine = DemoEngine(ENGINE)
    fleet = Fleet([engine])
    ends: list[OperationUpdate] = []
    fleet.operations.subscribe(ends.append)
    return fleet, engine, ends


async def test_a_pull_is_one_operation() -> None:
    fleet, engine, ends = stage()
    transfer = Transfer(fleet, TransferAsk(ENGINE, "alpine"))
    result = await transfer.run()
    assert result.reference == ALPINE
    assert (await engine.image_facts(ALPINE)).key.id == result.image_id
    assert [(end.action, end.subject, end.phase) for end in ends] == [("image.pull", "alpine", Phase.DONE)]
    state = transfer.state
    assert (state.phase, state.done_bytes, state.total_bytes) == (Phase.DONE, 8 << 20, 8 << 20)
    again = Transfer(fleet, TransferAsk(ENGINE, "alpine"))
    assert not (await again.run()).changed


async def test_it_stands_in_the_audit_log(tmp_path: Path) -> None:
    engine = DemoEngine(ENGINE)
    fleet = Fleet([engine], audit=AuditLog(tmp_path / "audit.jsonl"))
    await Transfer(fleet, TransferAsk(ENGINE, "alpine")).run()
    await log_in(fleet, ENGINE, "ghcr.io", Credentials("ann", "very-secret"))
    await fleet.close()
    text = (tmp_path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["action"], line["outcome"]) for line in lines] == [("image.pull", "done"), ("registry.login", "done")]
    assert "very-secret" not in text


async def test_one_that_is_cancelled_leaves_nothing_and_can_be_tried_again() -> None:
    fleet, engine, ends = stage()
    engine.faults.hang("transfer")
    transfer = Transfer(fleet, TransferAsk(ENGINE, "alpine"))
    task = asyncio.create_task(transfer.run())
    while not transfer.state.layers:  # noqa: ASYNC110 - what is waited for is the engine's doing
        await asyncio.sleep(0)
    with pytest.raises(Refused, match="under way"):
        await Transfer(fleet, TransferAsk(ENGINE, "alpine")).run()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transfer.state.phase is Phase.CANCELLED
    assert [end.phase for end in ends] == [Phase.CANCELLED]
    with pytest.raises(NotFound):
        await engine.image_facts(ALPINE)
    engine.faults.clear()
    assert (await Transfer(fleet, TransferAsk(ENGINE, "alpine")).run()).changed


async def test_one_that_breaks_off_half_way_says_so() -> None:
    fleet, engine, ends = stage()
    broken = Conflict("The engine's disk is full", engine=ENGINE)
    engine.faults.fail("transfer", broken)
    transfer = Transfer(fleet, TransferAsk(ENGINE, "alpine"))
    with pytest.raises(Conflict):
        await transfer.run()
    assert (transfer.state.phase, transfer.state.error) == (Phase.FAILED, broken)
    assert [end.error for end in ends] == [broken]


async def test_an_engine_that_ends_without_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, engine, _ = stage()

    async def events(*_args: object):  # type: ignore[no-untyped-def]  # an async generator
        yield Said("hello")

    monkeypatch.setattr(engine, "_pull", events)
    with pytest.raises(Protocol, match="without a word"):
        await Transfer(fleet, TransferAsk(ENGINE, "alpine")).run()


def pull(*events: TransferEvent) -> TransferState:
    state = TransferState(TransferAsk(ENGINE, "box"))
    for event in events:
        state = state.after(event)
    return state


def down(id: str, done: int, total: int | None = 100) -> LayerProgress:
    return LayerProgress(id, LayerPhase.DOWNLOADING, done, total)


def test_bytes_are_of_all_layers_that_travel() -> None:
    waiting = LayerProgress("b", LayerPhase.WAITING)
    state = pull(down("a", 50), waiting)
    assert (state.done_bytes, state.total_bytes) == (50, None), "b has said no size yet"
    state = state.after(down("b", 10, 40)).after(LayerProgress("c", LayerPhase.PRESENT))
    assert (state.done_bytes, state.total_bytes) == (60, 140)
    state = state.after(LayerProgress("a", LayerPhase.EXTRACTING, 20, 300))
    assert (state.done_bytes, state.total_bytes) == (110, 140), "what is unpacked is not what passed"
    state = state.after(LayerProgress("b", LayerPhase.RETRYING))
    assert state.done_bytes == 100
    assert state.after(down("b", 41, 40)).done_bytes == 141, "more than was announced"


def test_an_engine_that_names_layers_one_by_one_promises_no_total_before_the_last() -> None:
    meaning = Resolved("box", lists=False)
    state = pull(meaning, down("a", 1), down("b", 1))
    assert state.total_bytes is None
    assert not state.complete
    state = state.after(LayerProgress("a", LayerPhase.DONE)).after(down("b", 2))
    assert state.total_bytes == 200, "none came in a's place"
    assert "2+" in plain(head_line(pull(meaning, down("a", 1), down("b", 1)), 100))


def test_layers_of_which_no_end_was_told_have_ended_with_the_whole() -> None:
    state = pull(LayerProgress("a", LayerPhase.DOWNLOADED), LayerProgress("b", LayerPhase.PRESENT))
    assert state.ended_layers == 1
    state = state.after(LayerProgress("f" * 12, LayerPhase.DOWNLOADING))  # Podman's word of the configuration
    state = state.after(Transferred("box:1", "f" * 64))
    assert [layer.phase for layer in state.layers] == [LayerPhase.DONE, LayerPhase.PRESENT]


_EVENTS = st.one_of(
    st.builds(
        LayerProgress,
        st.sampled_from(["a", "b", "c\x1b[31m"]),
        st.sampled_from(LayerPhase),
        st.none() | st.integers(0, 1 << 50),
        st.none() | st.integers(1, 1 << 50),
    ),
    st.builds(Said, st.text(max_size=30)),
    st.builds(Resolved, st.text(min_size=1, max_size=30), lists=st.booleans()),
    st.builds(Transferred, st.text(min_size=1, max_size=30), st.just("f" * 64)),
)


@given(st.lists(_EVENTS, max_size=20), st.integers(1, 200), st.integers(1, 30))
def test_whatever_an_engine_says_is_drawn(events: list[TransferEvent], width: int, room: int) -> None:
    state = pull(*events)
    assert state.done_bytes >= 0
    assert state.total_bytes is None or state.total_bytes >= state.done_bytes or state.ended_layers
    lines = transfer_lines(state, width, room)
    assert 1 <= len(lines) <= room
    assert all("\x1b" not in plain(one) and "\n" not in plain(one) for one in (*lines, *detail_lines(state, width)))
