"""Ways in which an engine's socket can answer wrongly, late, or more than is good. Chooses none. No test."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiohttp import web
from yarl import URL

from tests.faults.between import Between, Way, head_of, passed_on

LATE_S = 0.25
OFF = timedelta(hours=1)
DRIP_S = 0.02
STORM = 10_000
MANY = 1000
MANY_PREFIX = "f" * 54
"""How the ids of containers that are not there begin."""
_VERSIONED = re.compile(r"/v(\d+)\.(\d+)/")
_ONE = re.compile(rf"({MANY_PREFIX}[0-9]{{10}})/json")


async def never(_between: Between, _request: web.Request) -> web.StreamResponse:
    """No answer at all."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # nobody ever sets it


async def garbage(_between: Between, request: web.Request) -> web.StreamResponse:
    """Bytes that are no HTTP."""
    assert request.transport is not None
    request.transport.write(b"\x00\xff\x13 hello \x1b[31m\x9d0;title\x07\r\n" * 40)
    request.transport.close()
    return web.Response()


async def half_an_answer(between: Between, request: web.Request) -> web.StreamResponse:
    """The headers, half of the bytes that they promise, and the connection's end."""
    async with between.ask(request) as answer:
        if _is_stream(request):
            return await passed_on(between, request)
        body = await answer.read()
        head = {**head_of(answer), "Content-Length": str(max(2, len(body)))}
        half = web.StreamResponse(status=answer.status, headers=head)
        await half.prepare(request)
        await half.write(body[: len(body) // 2] or b"{")
    assert request.transport is not None
    request.transport.close()
    return half


async def half_a_document(between: Between, request: web.Request) -> web.StreamResponse:
    """An answer that HTTP has nothing against, whose JSON ends in its middle."""
    if _is_stream(request):
        return await passed_on(between, request)
    async with between.ask(request) as answer:
        body = await answer.read()
        return web.Response(status=answer.status, headers=head_of(answer), body=body[: len(body) // 2] or b"[")


async def dripping(between: Between, request: web.Request) -> web.StreamResponse:
    """One byte after the other, with a rest after each."""
    async with between.ask(request) as answer:
        body = b"" if _is_stream(request) else await answer.read()
        slow = web.StreamResponse(status=answer.status, headers=head_of(answer))
        await slow.prepare(request)
        for byte in body:
            await slow.write(bytes([byte]))
            await asyncio.sleep(DRIP_S)
    return slow


async def another_time(between: Between, request: web.Request) -> web.StreamResponse:
    """As from an engine whose clock was set back an hour since it was asked for events: all of them lie before that."""
    since = request.query.get("since")
    if not _is_stream(request) or since is None:
        return await passed_on(between, request)
    path = URL(request.raw_path, encoded=True).update_query(since=f"{float(since) + OFF.total_seconds():f}")
    async with between.ask(request, str(path)) as answer:
        passed = web.StreamResponse(status=answer.status, headers=head_of(answer))
        await passed.prepare(request)
        async for chunk in answer.content.iter_any():
            await passed.write(chunk)
    return passed


async def late(between: Between, request: web.Request) -> web.StreamResponse:
    """Each answer a while after it was asked for."""
    await asyncio.sleep(LATE_S)
    return await passed_on(between, request)


async def forbidden(_between: Between, _request: web.Request) -> web.StreamResponse:
    """As Docker answers where an authorization plugin says no."""
    return web.json_response(
        {"message": "authorization denied by plugin policy: \x1b[31mno\x1b[0m [b]x[/b]"}, status=403
    )


async def broken(_between: Between, _request: web.Request) -> web.StreamResponse:
    """An engine that answers everything with its own failure."""
    return web.json_response({"message": "write /var/lib/x: no space left on device", "cause": "x"}, status=500)


def speaking(newest: str, oldest: str) -> Way:
    """An engine of another age: it says so, and refuses what it does not speak (as moby's middleware does)."""
    last, first = _numbers(newest), _numbers(oldest)

    async def way(between: Between, request: web.Request) -> web.StreamResponse:
        asked = _VERSIONED.match(request.path)
        if asked and "/libpod/" not in request.path:
            version = int(asked[1]), int(asked[2])
            if not first <= version <= last:
                return web.json_response({"message": f"client version {asked[0]} is not supported"}, status=400)
        if request.path.endswith("/version"):
            return await _rewritten(
                between, request, lambda said: {**said, "ApiVersion": newest, "MinAPIVersion": oldest}
            )
        path = "" if "/libpod/" in request.path else _VERSIONED.sub("/", request.raw_path)  # the engine speaks its own
        async with between.ask(request, path) as answer:
            head = head_of(answer)
            head.update({name: f"{newest}.0" for name in head if name.lower() == "libpod-api-version"})
            passed = web.StreamResponse(status=answer.status, headers=head)
            await passed.prepare(request)
            async for chunk in answer.content.iter_any():
                await passed.write(chunk)
            await passed.write_eof()
        return passed

    return way


def many_like(model: str) -> Way:
    """A thousand containers more, each like the one of that id."""

    async def way(between: Between, request: web.Request) -> web.StreamResponse:
        def more(said: Any) -> Any:
            like = next(one for one in said if one["Id"] == model)
            others = ({**like, "Id": many_id(n), "Names": [f"{like['Names'][0]}-{n}"]} for n in range(MANY))
            return [*said, *others]

        if request.path.endswith("/containers/json"):
            return await _rewritten(between, request, more)
        if (asked := _ONE.search(request.path)) is None:
            return await passed_on(between, request)
        one = asked[1]
        path = request.raw_path.replace(one, model)
        return await _rewritten(between, request, lambda said: {**said, "Id": one, "Name": f"many-{one[-4:]}"}, path)

    return way


def many_id(number: int) -> str:
    """A whole id, 64 digits."""
    return f"{MANY_PREFIX}{number:010d}"


async def storm(between: Between, request: web.Request) -> web.StreamResponse:
    """The engine's events, and 10,000 of containers that come and go, as fast as they are taken."""
    if not request.path.endswith("/events"):
        return await passed_on(between, request)
    passed = web.StreamResponse(headers={"Content-Type": "application/json"})
    await passed.prepare(request)
    for number in range(STORM // 2):
        for action in ("create", "destroy"):
            await passed.write(_event(many_id(number), action))
    async with between.ask(request) as answer:
        async for chunk in answer.content.iter_any():
            await passed.write(chunk)
    return passed


def _event(container: str, action: str) -> bytes:
    now = time.time_ns()
    actor = {"ID": container, "Attributes": {"name": f"storm-{container[-6:]}", "image": "test/busybox:1"}}
    said = {"Type": "container", "Action": action, "Actor": actor, "time": now // 10**9, "timeNano": now}
    return json.dumps({**said, "id": container, "status": action}).encode() + b"\n"


async def _rewritten(
    between: Between, request: web.Request, change: Callable[[Any], Any], path: str = ""
) -> web.StreamResponse:
    async with between.ask(request, path) as answer:
        said = json.loads(await answer.read())
        return web.json_response(change(said), status=answer.status, headers=_without_type(head_of(answer)))


def _without_type(head: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in head.items() if name.lower() != "content-type"}


def _is_stream(request: web.Request) -> bool:
    return request.path.endswith("/events")


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)
