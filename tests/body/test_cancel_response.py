"""``cancel_on_disconnect()`` knows when the response is complete.

The ASGI specification sends ``http.disconnect`` after a complete response too.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire import Request
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, part, run_other_tasks

pytestmark = pytest.mark.anyio

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


def body(more_body: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": b"a", "more_body": more_body}


class Server:
    """A server that sends the disconnect event with the last event, before its ``send`` returns."""

    def __init__(self, last: dict[str, Any]) -> None:
        self.receive = Live(part(b"", more_body=False))
        self.last = last
        self.sent: list[Any] = []
        self.error: Exception | None = None

    async def send(self, event: Any) -> None:
        if event == self.last:
            self.receive.put(DISCONNECT)
            await run_other_tasks()
            if self.error is not None:
                raise self.error
        self.sent.append(event)


RESPONSES: dict[str, list[dict[str, Any]]] = {
    "one body": [START, body()],
    "two bodies": [START, body(more_body=True), {"type": "http.response.body"}],
    "trailers": [
        {**START, "trailers": True},
        body(),
        {"type": "http.response.trailers", "headers": [], "more_trailers": True},
        {"type": "http.response.trailers", "headers": []},
    ],
    "pathsend": [START, {"type": "http.response.pathsend", "path": "/a"}],
    "zerocopysend": [START, {"type": "http.response.zerocopysend", "file": 0}],
}


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("by", ["request", "watch"])
async def test_work_after_the_response_continues(name: str, by: str) -> None:
    events = RESPONSES[name]
    server = Server(events[-1])
    request = Request(http_scope(), server.receive, server.send)
    finished = False
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            for event in events:
                await (request if by == "request" else watch).send(event)
            await run_other_tasks()
            finished = True
    assert finished
    assert not watch.cancelled_caught
    assert server.sent == events
    assert request.send == server.send


@pytest.mark.parametrize("name", RESPONSES)
async def test_disconnect_before_the_last_event_cancels(name: str) -> None:
    events = RESPONSES[name]
    server = Server(events[-2])
    request = Request(http_scope(), server.receive, server.send)
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            for event in events[:-1]:
                await request.send(event)
            await anyio.sleep_forever()
    assert watch.cancelled_caught


async def test_last_event_that_was_not_sent_does_not_complete_the_response() -> None:
    server = Server(body())
    server.error = OSError("lost")
    request = Request(http_scope(), server.receive, server.send)
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect():
            await request.send(START)
            with pytest.raises(OSError, match="lost"):
                await request.send(body())
            await run_other_tasks()


async def test_application_of_a_middleware_sends_through_the_watch() -> None:
    server = Server(body())
    log = list[str]()

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send(START)
        await send(body())
        await run_other_tasks()
        log.append("background work")

    request = Request(http_scope(), server.receive)
    request.send = server.send
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await application(request.scope, request.replay, watch.send)
    assert log == ["background work"]


async def test_nested_blocks_both_see_the_end_of_the_response() -> None:
    server = Server(body())
    request = Request(http_scope(), server.receive, server.send)
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as outer, request.cancel_on_disconnect() as inner:
            await request.send(START)
            await request.send(body())
            await run_other_tasks()
    assert (outer.cancelled_caught, inner.cancelled_caught) == (False, False)
    assert request.send == server.send


async def test_send_that_was_replaced_in_the_block_stays() -> None:
    server = Server(body())
    request = Request(http_scope(), server.receive, server.send)

    async def replaced(_event: Any) -> None:
        pass

    async with request.cancel_on_disconnect():
        request.send = replaced
    assert request.send is replaced


@pytest.mark.parametrize("reader", ["is_disconnected", "cancel_on_disconnect", "replay"])
async def test_stray_messages_after_the_last_part_do_not_end_the_watching(reader: str) -> None:
    receive = Live(part(b"a", more_body=False), part(b"", more_body=False), part(b""), DISCONNECT)
    request = Request(http_scope(), receive)
    with anyio.fail_after(5):
        if reader == "is_disconnected":
            while not await request.is_disconnected():
                pass
        elif reader == "cancel_on_disconnect":
            async with request.cancel_on_disconnect() as watch:
                await anyio.sleep_forever()
            assert watch.cancelled_caught
        else:
            replay = request.replay
            assert (await replay())["body"] == b"a"
            assert (await replay())["type"] == "http.disconnect"
    assert await request.body() == b"a"
